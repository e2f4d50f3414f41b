from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from django_tavus.models import Conversation, Utterance, WebhookEvent
from django_tavus.models.choices import ConversationStatus
from django_tavus.testing import make_conversation
from tests.admin.conftest import VIEW, Staff, counted


def live(conversation: Conversation) -> str:
    return reverse("admin:django_tavus_conversation_live", args=[conversation.pk])


def panel(conversation: Conversation) -> str:
    return reverse("admin:django_tavus_conversation_panel", args=[conversation.pk])


def test_says_what_the_poller_needs(viewer: Staff) -> None:
    conversation = make_conversation()
    answer = viewer.get(live(conversation))
    assert answer.status_code == 200
    body = answer.json()
    assert answer["ETag"] == f'"{body["version"]}"'
    assert body == {
        "version": viewer.get(viewer.page(conversation)).context["room"].version,
        "status": "active",
        "label": "active",
        "is_over": False,
        "is_final": False,
        "interval": 2,
    }


def test_answers_304_while_nothing_changes(viewer: Staff) -> None:
    conversation = make_conversation()
    etag = viewer.get(live(conversation))["ETag"]
    again = viewer.get(live(conversation), headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def end(conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).store(status=ConversationStatus.ENDED)


def add_event(conversation: Conversation) -> None:
    WebhookEvent.objects.create(dedupe_key="k", conversation=conversation)


def add_recording(conversation: Conversation) -> None:
    conversation.recordings.create(key="k")


def add_transcript(conversation: Conversation) -> None:
    Utterance.objects.create(conversation=conversation, position=0, role="user")
    Conversation.objects.filter(pk=conversation.pk).store(turns=1)


@pytest.mark.parametrize("change", [end, add_event, add_recording, add_transcript])
def test_any_change_is_another_version(
    change: Callable[[Conversation], None], viewer: Staff
) -> None:
    conversation = make_conversation()
    etag = viewer.get(live(conversation))["ETag"]
    change(conversation)
    again = viewer.get(live(conversation), headers={"If-None-Match": etag})
    assert again.status_code == 200
    assert again["ETag"] != etag


def test_other_permissions_are_another_version(viewer: Staff, boss: Staff) -> None:
    conversation = make_conversation()
    assert viewer.get(live(conversation))["ETag"] != boss.get(live(conversation))["ETag"]


@pytest.mark.parametrize("url", [live, panel])
def test_is_for_viewers_only(url: Any, staff: Callable[..., Staff], client: Any) -> None:
    conversation = make_conversation()
    assert staff().get(url(conversation)).status_code == 403
    assert staff("launch_conversation").get(url(conversation)).status_code == 403
    assert client.get(url(conversation)).status_code == 302


@pytest.mark.parametrize("url", [live, panel])
def test_only_looks(url: Any, boss: Staff) -> None:
    assert boss.post(url(make_conversation())).status_code == 405


@pytest.mark.parametrize("url", [live, panel])
def test_what_was_deleted_is_404(url: Any, boss: Staff) -> None:
    conversation = make_conversation(status=ConversationStatus.ENDED)
    address = url(conversation)
    conversation.delete()
    assert boss.get(address).status_code == 404
    assert boss.get(address.replace(str(conversation.pk), "nonsense")).status_code == 404


def test_the_panel_is_the_page_s_own(boss: Staff) -> None:
    conversation = make_conversation()
    html = boss.get(panel(conversation)).content.decode()
    for section in ("head", "notes", "steps", "transcript", "events", "raw", "tool-end"):
        assert f'data-tavus-live="{section}"' in html
        assert f'data-tavus-live="{section}"' in boss.get(boss.page(conversation)).content.decode()
    assert f'value="{boss.page(conversation)}"' in html  # where its buttons return to


def test_the_panel_tells_no_more_than_the_page(viewer: Staff, staff: Callable[..., Staff]) -> None:
    conversation = make_conversation(meeting_token="tok-123", turns=1)
    Utterance.objects.create(conversation=conversation, position=0, role="user", content="Secret")
    assert "Secret" not in viewer.get(panel(conversation)).content.decode()
    assert "tok-123" not in viewer.get(panel(conversation)).content.decode()
    reader = staff(*VIEW, "view_transcript", "launch_conversation")
    assert "Secret" in reader.get(panel(conversation)).content.decode()


def test_polling_takes_the_same_queries_at_two_sizes(boss: Staff) -> None:
    conversation = make_conversation()
    boss.get(live(conversation))
    with counted() as few:
        boss.get(live(conversation))
    Utterance.objects.bulk_create(
        Utterance(conversation=conversation, position=n, role="user") for n in range(100)
    )
    WebhookEvent.objects.bulk_create(
        WebhookEvent(dedupe_key=str(n), conversation=conversation) for n in range(40)
    )
    with counted() as many:
        boss.get(live(conversation))
    assert len(many) == len(few)
    assert not any("utterance" in query["sql"] for query in many)
