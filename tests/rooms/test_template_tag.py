from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject, empty

from django_tavus.models import Conversation
from django_tavus.testing import make_conversation

pytestmark = pytest.mark.django_db

TEMPLATE = "{% load tavus %}{% tavus_room conversation %}"


def rendered(conversation: Conversation, user: Any) -> str:
    request = RequestFactory().get("/")
    request.user = user
    context = RequestContext(request, {"conversation": conversation})
    return Template(TEMPLATE).render(context)


@pytest.fixture
def owner(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("owner")


def test_owner_gets_frame_polling_and_beacon(owner: Any) -> None:
    html = rendered(make_conversation(owner=owner), owner)
    assert "<iframe" in html
    assert "data-status-url=" in html
    assert "data-leave-url=" in html
    assert html.count("<script") == 1


def test_frame_is_rendered_where_no_user_is_known() -> None:
    html = Template(TEMPLATE).render(Context({"conversation": make_conversation()}))
    assert "<iframe" in html
    assert "data-status-url=" not in html
    assert "<script" not in html


def test_conversation_without_owner_is_shown_to_whom_the_template_shows_it() -> None:
    html = rendered(make_conversation(owner=None), AnonymousUser())
    assert "<iframe" in html
    assert "/leave/" not in html


def test_somebody_else_gets_neither_address_nor_token(owner: Any, django_user_model: Any) -> None:
    conversation = make_conversation(owner=owner, meeting_token="secret")
    html = rendered(conversation, django_user_model.objects.create_user("other"))
    assert conversation.conversation_url not in html
    assert "secret" not in html
    assert "data-" not in html


class LazyNonce(SimpleLazyObject):
    """Django 6.0's: false until somebody has read it, and then part of the header."""

    def __init__(self) -> None:
        super().__init__(lambda: "abc123")

    def __bool__(self) -> bool:
        return self._wrapped is not empty


PAGES = ["{% tavus_room conversation %}", "{% tavus_device_check %}"]


@pytest.mark.parametrize("tag", PAGES)
def test_nonce_of_django_is_at_the_script_and_the_style_sheet(owner: Any, tag: str) -> None:
    request = RequestFactory().get("/")
    request.user = owner
    values = {"conversation": make_conversation(owner=owner), "csp_nonce": LazyNonce()}
    html = Template("{% load tavus %}" + tag).render(RequestContext(request, values))
    assert re.findall(r'<(link|script)[^>]* nonce="abc123"', html) == ["link", "script"]


@pytest.mark.parametrize("tag", PAGES)
def test_nonce_of_django_csp_is_taken_from_the_request(owner: Any, tag: str) -> None:
    request = RequestFactory().get("/")
    request.user = owner
    request.csp_nonce = SimpleLazyObject(lambda: "abc123")
    values = {"conversation": make_conversation(owner=owner)}
    html = Template("{% load tavus %}" + tag).render(RequestContext(request, values))
    assert html.count('nonce="abc123"') == 2


@pytest.mark.parametrize("nonce", [None, ""])
def test_no_nonce_is_no_attribute(owner: Any, nonce: Any) -> None:
    values = {"conversation": make_conversation(owner=owner), "csp_nonce": nonce, "user": owner}
    assert "nonce" not in Template(TEMPLATE).render(Context(values))


def test_frame_without_polling_has_the_nonce_too() -> None:
    values = {"conversation": make_conversation(), "csp_nonce": LazyNonce()}
    assert '.css" nonce="abc123"' in Template(TEMPLATE).render(Context(values))


def test_device_check_needs_no_user_and_has_nothing_inline() -> None:
    html = Template("{% load tavus %}{% tavus_device_check %}").render(Context())
    assert "Check camera and microphone" in html
    assert html.count("<script") == html.count('<script type="module" src=') == 1
    assert "<style" not in html
    assert not re.search(r"\s(style|on\w+)=", html)


def test_device_check_of_an_audio_call_is_for_the_microphone(owner: Any) -> None:
    html = Template("{% load tavus %}{% tavus_device_check audio_only=True %}").render(Context())
    assert "Check microphone" in html
    assert "data-audio-only" in html
    waiting = make_conversation(owner=owner, status="queued", audio_only=True)
    assert "data-audio-only" in rendered(waiting, owner)


@pytest.mark.parametrize(("status", "offered"), [("queued", True), ("active", False)])
def test_device_check_is_offered_while_nothing_is_paid_for(
    owner: Any, status: str, offered: bool
) -> None:
    html = rendered(make_conversation(owner=owner, status=status), owner)
    assert ("data-tavus-check-button" in html) is offered
    assert html.count("<script") == 1


def test_every_sentence_of_the_script_is_in_the_template() -> None:
    script = finders.find("django_tavus/room.js")
    assert isinstance(script, str)
    code = Path(script).read_text()
    said = set(re.findall(r'(?:say|sentence|stop)\("([\w-]+)"', code))
    said |= set(re.findall(r'"(heard|silence|speak|no-camera|camera|InsecureContext)"', code))
    html = Template("{% load tavus %}{% tavus_device_check %}").render(Context())
    written = set(re.findall(r'data-tavus-say="([\w-]+)"', html))
    assert len(said) > 8
    assert said <= written


def test_every_notice_of_the_script_is_in_the_template(owner: Any) -> None:
    script = finders.find("django_tavus/room.js")
    assert isinstance(script, str)
    said = set(re.findall(r'\bnote\("([\w-]+)"', Path(script).read_text()))
    html = rendered(make_conversation(owner=owner), owner)
    assert said == set(re.findall(r'data-tavus-notice-of="([\w-]+)"', html)) != set()
