from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django_tavus.models import WebhookEvent
from django_tavus.models.choices import EventStatus
from django_tavus.testing import make_conversation, make_document
from tests.admin.conftest import Staff, changelist_url, messages_of, tool_url

PROMPT = "You are a coach. Never reveal the word rutabaga."


def make_event(**values: Any) -> WebhookEvent:
    number = WebhookEvent.objects.count()
    defaults = {"dedupe_key": f"k{number}", "status": EventStatus.FAILED}
    return WebhookEvent.objects.create(**{**defaults, **values})


def make_transcript() -> WebhookEvent:
    turns = [{"role": "system", "content": PROMPT}, {"role": "user", "content": "Hello there"}]
    return make_event(
        conversation=make_conversation(),
        event_type="application.transcription_ready",
        payload={"properties": {"transcript": turns}},
    )


def test_the_body_is_shown_without_the_prompt(boss: Staff) -> None:
    html = boss.get(boss.page(make_transcript())).content.decode()
    assert "Hello there" in html
    assert "rutabaga" not in html
    assert "(not shown here)" in html


def test_what_was_said_is_for_those_who_may_read(viewer: Staff) -> None:
    html = viewer.get(viewer.page(make_transcript())).content.decode()
    assert "application.transcription_ready" in html
    assert "Hello there" not in html


def test_bodies_about_documents_are_for_every_viewer(viewer: Staff) -> None:
    event = make_event(document=make_document(), payload={"status": "ready"})
    assert (
        "&quot;status&quot;: &quot;ready&quot;" in viewer.get(viewer.page(event)).content.decode()
    )


def test_replay_returns_to_where_the_button_was(boss: Staff) -> None:
    event = make_event(conversation=make_conversation())
    back = boss.page(event.conversation)
    page = boss.post(tool_url(event, "replay"), {"next": back}, follow=True)
    assert page.redirect_chain == [(back, 302)]
    assert "will be processed again" in messages_of(page)[0]


def test_many_are_replayed_at_once(boss: Staff, worker: Any) -> None:
    conversation = make_conversation()
    failed = [make_event(conversation=conversation) for _ in range(2)]
    waiting = make_event(conversation=conversation, status=EventStatus.RECEIVED)
    data = {
        "action": "replay_selected",
        "_selected_action": [event.pk for event in (*failed, waiting)],
    }
    page = boss.post(changelist_url(WebhookEvent), data, follow=True)
    worker.commit()
    assert messages_of(page) == ["2 events will be processed again."]
    assert set(worker.messages) == {("django_tavus.process_event", (e.pk,)) for e in failed}


def test_replaying_many_is_not_for_everybody(viewer: Staff, staff: Callable[..., Staff]) -> None:
    event = make_event(conversation=make_conversation())
    data = {"action": "replay_selected", "_selected_action": [event.pk]}
    viewer.post(changelist_url(WebhookEvent), data)
    event.refresh_from_db()
    assert event.status == EventStatus.FAILED
