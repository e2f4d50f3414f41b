from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, RequestContext, Template
from django.test import RequestFactory

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
