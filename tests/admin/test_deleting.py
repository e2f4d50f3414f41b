from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_tavus.models import Conversation, Recording, Utterance, WebhookEvent
from django_tavus.models.choices import ConversationStatus
from django_tavus.models.conversation import LIVE
from django_tavus.testing import make_conversation
from tests.admin.conftest import VIEW, Staff, changelist_url, messages_of

OVER = [ConversationStatus.ENDED, ConversationStatus.FAILED]


def delete_url(client: Staff, conversation: Conversation) -> str:
    return client.page(conversation).removesuffix("change/") + "delete/"


def delete_selected(client: Staff, *rows: Conversation) -> Any:
    data = {
        "action": "delete_selected",
        "_selected_action": [row.pk for row in rows],
        "post": "yes",
    }
    return client.post(changelist_url(Conversation), data)


def make_over() -> Conversation:
    conversation = make_conversation(status=ConversationStatus.ENDED)
    Utterance.objects.create(conversation=conversation, position=0, role="user")
    Recording.objects.create(conversation=conversation)
    WebhookEvent.objects.create(dedupe_key=str(conversation.pk), conversation=conversation)
    return conversation


@pytest.mark.parametrize("status", LIVE)
def test_a_live_one_is_kept(status: str, boss: Staff) -> None:
    conversation = make_conversation(status=status)
    page = boss.get(boss.page(conversation)).content.decode()
    assert "deletelink" not in page
    assert "It cannot be deleted while it is not over" in page
    assert boss.get(delete_url(boss, conversation)).status_code == 403
    assert boss.post(delete_url(boss, conversation), {"post": "yes"}).status_code == 403
    assert Conversation.objects.filter(pk=conversation.pk).exists()


@pytest.mark.parametrize("status", OVER)
def test_one_that_is_over_can_go(status: str, boss: Staff) -> None:
    conversation = make_conversation(status=status)
    assert "deletelink" in boss.get(boss.page(conversation)).content.decode()
    assert boss.post(delete_url(boss, conversation), {"post": "yes"}).status_code == 302
    assert not Conversation.objects.exists()


def test_what_belongs_to_it_needs_no_permission_of_its_own(staff: Callable[..., Staff]) -> None:
    conversation = make_over()
    client = staff(*VIEW, "delete_conversation")
    assert client.post(delete_url(client, conversation), {"post": "yes"}).status_code == 302
    assert not Conversation.objects.exists()
    assert not WebhookEvent.objects.exists()


def test_deleting_is_not_for_everybody(viewer: Staff) -> None:
    conversation = make_over()
    page = viewer.get(viewer.page(conversation)).content.decode()
    assert "deletelink" not in page
    assert viewer.post(delete_url(viewer, conversation), {"post": "yes"}).status_code == 403
    delete_selected(viewer, conversation)
    assert Conversation.objects.exists()


def test_a_selection_goes_at_once(boss: Staff) -> None:
    delete_selected(boss, make_over(), make_over())
    assert not Conversation.objects.exists()


def test_a_selection_with_a_live_one_stays_whole(boss: Staff) -> None:
    over, live = make_over(), make_conversation(conversation_name="Running")
    page = delete_selected(boss, over, live)
    assert page.status_code == 200
    assert page.context["protected"] == ["Running"]
    assert not page.context["perms_lacking"]
    assert Conversation.objects.count() == 2


@pytest.fixture
def comes_to_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are live again by the time that they are deleted."""
    monkeypatch.setattr("django_tavus.models.conversation.LIVE", ConversationStatus.values)


def test_a_race_is_no_500(boss: Staff, comes_to_life: None) -> None:
    conversation = make_over()
    page = boss.post(delete_url(boss, conversation), {"post": "yes"}, follow=True)
    assert "cannot be deleted" in messages_of(page)[0]
    page = boss.get(delete_selected(boss, conversation)["Location"])
    assert "cannot be deleted" in messages_of(page)[0]
    assert len(messages_of(page)) == 1
    assert Conversation.objects.filter(pk=conversation.pk).exists()
    assert Utterance.objects.exists()
