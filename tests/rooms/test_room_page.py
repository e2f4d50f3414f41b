from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django import VERSION
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from django_tavus.models import Conversation, Utterance
from django_tavus.testing import make_conversation, make_persona

pytestmark = pytest.mark.django_db

SAID = (("replica", "Shall we begin?"), ("user", "Yes <please>."), ("tool", "lookup()"))


def room(conversation: Conversation) -> str:
    return reverse("django_tavus:room", kwargs={"pk": conversation.pk})


def page(client: Client, conversation: Conversation) -> str:
    response = client.get(room(conversation))
    assert response.status_code == 200
    return str(response.content, "utf-8")


def attributes(html: str, tag: str) -> dict[str, str]:
    opening = re.search(rf"<{tag}\b[^>]*>", html)
    assert opening, f"no <{tag}>"
    return dict(re.findall(r'([\w-]+)="([^"]*)"', opening[0]))


@pytest.fixture
def owner(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("owner")


@pytest.fixture
def owner_client(owner: Any) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def client_of_staff(django_user_model: Any, *codenames: str) -> Client:
    user = django_user_model.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def test_owner_gets_the_frame_in_the_html(owner_client: Client, owner: Any) -> None:
    conversation = make_conversation(owner=owner)
    frame = attributes(page(owner_client, conversation), "iframe")
    assert frame["src"] == conversation.conversation_url
    assert frame["allow"] == "camera; microphone; fullscreen; display-capture; autoplay"
    assert str(conversation.persona) in frame["title"]


def test_frame_is_told_nothing_of_the_page_around_it(owner_client: Client, owner: Any) -> None:
    frame = attributes(page(owner_client, make_conversation(owner=owner)), "iframe")
    assert frame["referrerpolicy"] == "no-referrer"


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ({"status": "queued"}, "In the queue"),
        ({"status": "launching"}, "Preparing the room"),
        ({}, "In the call"),
        ({"end_requested_at": timezone.now()}, "Hanging up"),
        ({"status": "ended"}, "Ended"),
        ({"status": "failed"}, "Failed"),
    ],
)
def test_title_and_region_say_the_phase(
    owner_client: Client, owner: Any, values: dict[str, Any], title: str
) -> None:
    conversation = make_conversation(owner=owner, **values)
    html = page(owner_client, conversation)
    assert f"<title>{title} · {conversation.persona}</title>" in html
    assert attributes(html, "section")["aria-label"] == title


@pytest.mark.parametrize(("status", "offered"), [("queued", True), ("failed", False)])
def test_page_without_scripts_has_a_link_to_look_again(
    owner_client: Client, owner: Any, status: str, offered: bool
) -> None:
    html = page(owner_client, make_conversation(owner=owner, status=status))
    assert ("<noscript><p" in html) is offered


def test_length_of_the_call_is_in_minutes(owner_client: Client, owner: Any) -> None:
    end = timezone.now()
    values = {"status": "ended", "launched_at": end - timedelta(seconds=605), "ended_at": end}
    assert "10:05 minutes" in page(owner_client, make_conversation(owner=owner, **values))


@pytest.mark.parametrize(
    ("seconds", "length"), [(0, "0 seconds"), (1, "1 second"), (59, "59 seconds")]
)
def test_length_of_a_short_call_is_in_seconds(
    owner_client: Client, owner: Any, seconds: int, length: str
) -> None:
    end = timezone.now()
    values = {"launched_at": end - timedelta(seconds=seconds), "ended_at": end}
    conversation = make_conversation(owner=owner, status="ended", **values)
    assert f"· {length}</p>" in page(owner_client, conversation)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"status": "active"}, "In the call"),
        ({"status": "active", "end_requested_at": timezone.now()}, "Hanging up"),
        ({"status": "ended"}, "Ended"),
    ],
)
def test_bar_says_the_phase_as_the_page_does(
    owner_client: Client, owner: Any, values: Any, said: str
) -> None:
    html = page(owner_client, make_conversation(owner=owner, **values))
    assert re.findall(r"tavus-pill [^>]*>([^<]*)<", html) == [said]


def test_nonce_is_at_the_style_sheet_of_the_page_too(owner_client: Client, owner: Any) -> None:
    template = settings.TEMPLATES[0]
    options = {**template["OPTIONS"]}
    options["context_processors"] = [*options["context_processors"], f"{__name__}.give_nonce"]
    with override_settings(TEMPLATES=[{**template, "OPTIONS": options}]):
        html = page(owner_client, make_conversation(owner=owner))
    assert len(re.findall(r'<(?:link rel="stylesheet"|script)[^>]*nonce="abc123"', html)) == 3


def give_nonce(request: Any) -> dict[str, str]:
    return {"csp_nonce": "abc123"}


def test_private_room_is_joined_with_its_token(owner_client: Client, owner: Any) -> None:
    conversation = make_conversation(owner=owner, require_auth=True, meeting_token="ey.to&ken")
    frame = attributes(page(owner_client, conversation), "iframe")
    assert frame["src"] == f"{conversation.conversation_url}?t=ey.to&amp;ken"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://[", "data:text/html,x"])
def test_frame_never_shows_what_is_no_web_page(owner_client: Client, owner: Any, url: str) -> None:
    conversation = make_conversation(owner=owner, conversation_url=url)
    assert url not in page(owner_client, conversation)


def test_no_script_or_style_is_inline(owner_client: Client, owner: Any) -> None:
    html = page(owner_client, make_conversation(owner=owner))
    assert "<style" not in html
    assert not re.search(r"\s(style|on\w+)=", html)
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", html))


def test_answer_is_kept_in_no_cache_and_sends_no_referrer(owner_client: Client, owner: Any) -> None:
    response = owner_client.get(room(make_conversation(owner=owner)))
    assert set(response["Cache-Control"].split(", ")) == {"private", "no-store"}
    assert response["Referrer-Policy"] == "same-origin"


def test_stranger_is_sent_to_the_login_and_back(client: Client) -> None:
    path = room(make_conversation())
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={path}"


def test_room_asks_for_its_own_login_below_login_middleware(client: Client) -> None:
    middleware = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    with override_settings(MIDDLEWARE=middleware):
        assert client.get(room(make_conversation())).status_code == 302


def test_room_of_somebody_else_does_not_exist(owner_client: Client, owner: Any) -> None:
    assert owner_client.get(room(make_conversation(owner=None))).status_code == 404
    mine = make_conversation(owner=owner)
    Conversation.objects.filter(pk=mine.pk).update(owner=None)
    assert owner_client.get(room(mine)).status_code == 404


@pytest.mark.parametrize(
    ("permissions", "status"), [(["launch_conversation"], 200), (["view_conversation"], 404)]
)
def test_staff_need_the_launch_permission(
    django_user_model: Any, permissions: list[str], status: int
) -> None:
    client = client_of_staff(django_user_model, *permissions)
    assert client.get(room(make_conversation())).status_code == status


def test_permission_without_staff_status_opens_nothing(owner_client: Client, owner: Any) -> None:
    owner.user_permissions.set(Permission.objects.filter(codename="launch_conversation"))
    assert owner_client.get(room(make_conversation())).status_code == 404


def test_staff_who_look_in_get_no_leave_beacon(django_user_model: Any) -> None:
    html = page(client_of_staff(django_user_model, "launch_conversation"), make_conversation())
    assert "<iframe" in html
    assert "data-status-url" in html
    assert "/leave/" not in html


def test_queued_room_tells_the_place_in_the_line(owner_client: Client, owner: Any) -> None:
    now = timezone.now()
    make_conversation(status="queued", created_at=now - timedelta(minutes=2))
    mine = make_conversation(status="queued", owner=owner, created_at=now)
    html = page(owner_client, mine)
    assert "<strong data-tavus-position>2</strong>" in html
    assert "<iframe" not in html


@pytest.mark.parametrize("values", [{"status": "launching"}, {"conversation_url": ""}])
def test_room_without_an_address_is_being_prepared(
    owner_client: Client, owner: Any, values: dict[str, Any]
) -> None:
    html = page(owner_client, make_conversation(owner=owner, **values))
    assert 'data-phase="launching"' in html
    assert "<iframe" not in html


@pytest.mark.parametrize(("status", "refreshes"), [("queued", True), ("active", False)])
def test_page_without_scripts_looks_again_only_while_waiting(
    owner_client: Client, owner: Any, status: str, refreshes: bool
) -> None:
    html = page(owner_client, make_conversation(owner=owner, status=status))
    assert ('<noscript><meta http-equiv="refresh"' in html) is refreshes


def test_failed_room_says_why_in_words(owner_client: Client, owner: Any) -> None:
    conversation = make_conversation(
        owner=owner,
        status="failed",
        error_code="out_of_credits",
        error_message="The user is out of conversational credits.",
    )
    html = page(owner_client, conversation)
    assert "out of credits" in html
    assert "The user is out of conversational credits." in html
    assert 'role="alert"' in html


def ended(owner: Any, **values: Any) -> Conversation:
    conversation = make_conversation(owner=owner, status="ended", turns=len(SAID), **values)
    Utterance.objects.bulk_create(
        Utterance(conversation=conversation, position=position, role=role, content=content)
        for position, (role, content) in enumerate(SAID)
    )
    return conversation


def test_ended_room_shows_what_was_said(owner_client: Client, owner: Any) -> None:
    html = page(owner_client, ended(owner))
    assert "Shall we begin?" in html
    assert "Yes &lt;please&gt;." in html
    assert "lookup()" not in html
    assert "<iframe" not in html
    assert "/leave/" not in html


@pytest.mark.parametrize(
    ("permissions", "reads"),
    [(["launch_conversation"], False), (["launch_conversation", "view_transcript"], True)],
)
def test_staff_read_a_transcript_only_with_its_permission(
    django_user_model: Any, permissions: list[str], reads: bool
) -> None:
    html = page(client_of_staff(django_user_model, *permissions), ended(None))
    assert ("Shall we begin?" in html) is reads


def test_a_room_that_was_ended_for_a_reason_says_it(owner_client: Client, owner: Any) -> None:
    conversation = make_conversation(
        owner=owner, status="ended", error_code="outcome_unknown", error_message="Token <lost>."
    )
    assert "Token &lt;lost&gt;." in page(owner_client, conversation)


def test_ended_room_waits_for_the_transcript(owner_client: Client, owner: Any) -> None:
    html = page(owner_client, make_conversation(owner=owner, status="ended"))
    assert "The transcript is on its way." in html
    assert 'data-poll-seconds="2"' in html


def test_room_stops_waiting_for_a_transcript_that_never_came(
    owner_client: Client, owner: Any
) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    html = page(owner_client, make_conversation(owner=owner, status="ended", ended_at=long_ago))
    assert "There is no transcript." in html
    assert 'data-poll-seconds=""' in html


def test_canceled_room_promises_no_transcript(owner_client: Client, owner: Any) -> None:
    conversation = make_conversation(
        owner=owner, status="ended", tavus_id=None, ended_at=timezone.now()
    )
    html = page(owner_client, conversation)
    assert "was canceled" in html
    assert "No call took place." in html
    assert "transcript" not in html.lower()


def test_leave_button_ends_the_call(owner_client: Client, owner: Any) -> None:
    conversation = make_conversation(owner=owner)
    response = owner_client.post(room(conversation))
    assert (response.status_code, response["Location"]) == (302, room(conversation))
    conversation.refresh_from_db()
    assert conversation.end_requested_at is not None
    assert 'data-phase="ending"' in page(owner_client, conversation)


def test_leave_button_is_protected_from_other_sites(owner: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    conversation = make_conversation(owner=owner)
    assert client.post(room(conversation)).status_code == 403
    conversation.refresh_from_db()
    assert conversation.end_requested_at is None


@pytest.mark.parametrize(
    ("permissions", "status"),
    [(["launch_conversation"], 403), (["launch_conversation", "end_conversation"], 302)],
)
def test_staff_end_only_with_the_permission(
    django_user_model: Any, permissions: list[str], status: int
) -> None:
    client = client_of_staff(django_user_model, *permissions)
    conversation = make_conversation()
    offered = "tavus-button--danger" in page(client, conversation)
    assert offered is (status == 302)
    assert client.post(room(conversation)).status_code == status


def test_number_of_queries_does_not_grow_with_the_transcript(
    owner_client: Client, owner: Any, django_assert_num_queries: Any
) -> None:
    conversation = ended(owner, persona=make_persona())
    owner_client.get(room(conversation))
    with django_assert_num_queries(4):  # session, user, conversation, turns
        owner_client.get(room(conversation))
    Utterance.objects.bulk_create(
        Utterance(conversation=conversation, position=n, role="user") for n in range(10, 60)
    )
    with django_assert_num_queries(4):
        owner_client.get(room(conversation))


@pytest.mark.skipif(VERSION < (6, 0), reason="Django has a Content-Security-Policy since 6.0")
def test_page_lives_on_the_nonce_of_djangos_own_policy(owner_client: Client, owner: Any) -> None:
    template = settings.TEMPLATES[0]
    processors = template["OPTIONS"]["context_processors"]
    options = {"context_processors": [*processors, "django.template.context_processors.csp"]}
    policy = {"default-src": ["'none'"], "script-src": ["<CSP_NONCE_SENTINEL>"]}
    with override_settings(
        MIDDLEWARE=["django.middleware.csp.ContentSecurityPolicyMiddleware", *settings.MIDDLEWARE],
        TEMPLATES=[{**template, "OPTIONS": options}],
        SECURE_CSP=policy,
    ):
        response = owner_client.get(room(make_conversation(owner=owner)))
    script = attributes(str(response.content, "utf-8"), "script")
    assert response["Content-Security-Policy"].endswith(f"script-src 'nonce-{script['nonce']}'")
