from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.utils import timezone

from django_tavus.models.choices import ConversationStatus
from django_tavus.testing import make_conversation
from tests.admin.conftest import Staff, messages_of


def test_end_asks_first(boss: Staff) -> None:
    conversation = make_conversation()
    page = boss.tool(conversation, "end")
    conversation.refresh_from_db()
    assert page.status_code == 200
    assert "End this conversation now?" in page.content.decode()
    assert '<input type="hidden" name="confirm" value="1"' in page.content.decode()
    assert conversation.end_requested_at is None


def test_end_is_requested_logged_and_told(boss: Staff, worker: Any) -> None:
    conversation = make_conversation()
    page = boss.post(
        f"{boss.page(conversation)[: -len('change/')]}tools/end/", {"confirm": "1"}, follow=True
    )
    worker.commit()
    conversation.refresh_from_db()
    assert page.redirect_chain == [(boss.page(conversation), 302)]
    assert messages_of(page) == ["The conversation is being ended."]
    assert conversation.end_requested_at is not None
    assert worker.messages == [("django_tavus.end_conversation", (str(conversation.pk),))]
    entry = LogEntry.objects.get(object_id=str(conversation.pk))
    assert entry.get_change_message() == "Requested its end."


def test_a_queued_one_is_canceled(boss: Staff) -> None:
    conversation = make_conversation(status=ConversationStatus.QUEUED)
    page = boss.post(
        f"{boss.page(conversation)[: -len('change/')]}tools/end/", {"confirm": "1"}, follow=True
    )
    conversation.refresh_from_db()
    assert conversation.status == ConversationStatus.ENDED
    assert conversation.shutdown_reason == "cancelled"
    assert messages_of(page) == ["The conversation was canceled."]


def test_a_second_end_is_a_warning(boss: Staff) -> None:
    at = timezone.now()
    conversation = make_conversation(end_requested_at=at)
    page = boss.post(
        f"{boss.page(conversation)[: -len('change/')]}tools/end/", {"confirm": "1"}, follow=True
    )
    conversation.refresh_from_db()
    assert messages_of(page) == ["Its end has been requested already."]
    assert conversation.end_requested_at == at
    assert not LogEntry.objects.exists()


def test_the_reason_stands_at_the_disabled_button(boss: Staff) -> None:
    conversation = make_conversation(status=ConversationStatus.ENDED)
    page = boss.get(boss.page(conversation)).content.decode()
    assert (
        'id="tavus-tool-end" disabled title="It is over." aria-describedby="tavus-why-not-end"'
    ) in page


def test_next_leads_nowhere_else(boss: Staff) -> None:
    conversation = make_conversation()
    answer = boss.tool(conversation, "end", confirm="1", next="https://evil.example/")
    assert answer["Location"] == boss.page(conversation)
