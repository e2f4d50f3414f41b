"""Each button for each kind of user in each state: shown, enabled, allowed?"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from django_tavus.models import Conversation, Document, Persona, Replica, WebhookEvent
from django_tavus.models.choices import ConversationStatus, EventStatus
from django_tavus.testing import make_conversation, make_persona
from tests.admin.conftest import VIEW, Staff, changelist_url, tool_url

USERS: dict[str, dict[str, Any]] = {
    "superuser": {"superuser": True},
    "launch": {"codenames": (*VIEW, "launch_conversation")},
    "end": {"codenames": (*VIEW, "end_conversation")},
    "replay": {"codenames": (*VIEW, "replay_event")},
    "erase": {"codenames": (*VIEW, "erase_conversation")},
    "change": {"codenames": (*VIEW, "change_conversation", "change_persona")},
    "view": {"codenames": VIEW},
    "none": {"codenames": ()},
    "launch but no view": {"codenames": ("launch_conversation", "end_conversation")},
}
STATES: dict[str, dict[str, Any]] = {
    "queued": {"status": ConversationStatus.QUEUED},
    "launching": {"status": ConversationStatus.LAUNCHING},
    "in doubt": {"status": ConversationStatus.LAUNCHING, "error_code": "outcome_unknown"},
    "active": {"status": ConversationStatus.ACTIVE},
    "ending": {"status": ConversationStatus.ACTIVE, "end_requested_at": timezone.now()},
    "ended": {"status": ConversationStatus.ENDED},
    "failed": {"status": ConversationStatus.FAILED},
}
CAN_END = {"queued", "launching", "in doubt", "active"}
MAY_END = {"superuser", "end"}
MAY_LAUNCH = {"superuser", "launch"}
MAY_FIND = {"superuser", "launch", "change"}
MAY_REPLAY = {"superuser", "replay"}
MAY_SYNC_PERSONAS = {"superuser", "change"}
SEES_NOTHING = {"none", "launch but no view"}


@pytest.fixture
def user(staff: Callable[..., Staff]) -> Callable[[str], Staff]:
    def make(kind: str) -> Staff:
        options = USERS[kind]
        return staff(*options.get("codenames", ()), superuser=options.get("superuser", False))

    return make


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", USERS)
def test_end(kind: str, state: str, user: Callable[[str], Staff]) -> None:
    conversation = make_conversation(**STATES[state])
    client = user(kind)
    page = client.get(client.page(conversation))
    answer = client.tool(conversation, "end", confirm="1")
    conversation.refresh_from_db()
    if kind in SEES_NOTHING:
        assert page.status_code == answer.status_code == 403
        return
    buttons = {button.name: button for button in page.context["tool_buttons"]}
    assert ("end" in buttons) == (kind in MAY_END)
    assert answer.status_code == (302 if kind in MAY_END else 403)
    if kind in MAY_END:
        assert bool(buttons["end"].reason) == (state not in CAN_END)
    wanted = kind in MAY_END and state in CAN_END
    assert LogEntry.objects.filter(user=client.user).exists() == wanted
    if state != "ending":
        assert (conversation.end_requested_at is not None) == wanted


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", USERS)
def test_find(kind: str, state: str, user: Callable[[str], Staff], worker: Any) -> None:
    later = timezone.now() + timedelta(hours=1)
    conversation = make_conversation(next_check_at=later, **STATES[state])
    client = user(kind)
    page = client.get(client.page(conversation))
    answer = client.tool(conversation, "find")
    worker.commit()
    conversation.refresh_from_db()
    wanted = kind in MAY_FIND and state == "in doubt"
    assert (conversation.next_check_at < later) == wanted
    assert (("django_tavus.reconcile_conversations", ()) in worker.messages) == wanted
    assert LogEntry.objects.filter(user=client.user).exists() == wanted
    if kind in SEES_NOTHING:
        assert page.status_code == answer.status_code == 403
        return
    assert ("find" in {button.name for button in page.context["tool_buttons"]}) == wanted
    assert answer.status_code == (302 if kind in MAY_FIND else 403)


@pytest.mark.parametrize("kind", USERS)
def test_replay_failed(kind: str, user: Callable[[str], Staff], worker: Any) -> None:
    conversation = make_conversation()
    events = {
        status: WebhookEvent.objects.create(
            dedupe_key=status, conversation=conversation, status=status
        )
        for status in EventStatus.values
    }
    client = user(kind)
    page = client.get(changelist_url(WebhookEvent))
    answer = client.post(changelist_url(WebhookEvent) + "tools/replay-failed/", {"confirm": "1"})
    worker.commit()
    failed = events.pop(EventStatus.FAILED)
    failed.refresh_from_db()
    assert (failed.status == EventStatus.RECEIVED) == (kind in MAY_REPLAY)
    expected = [("django_tavus.process_event", (failed.pk,))] if kind in MAY_REPLAY else []
    assert worker.messages == expected
    assert LogEntry.objects.filter(user=client.user).exists() == (kind in MAY_REPLAY)
    assert answer.status_code == (302 if kind in MAY_REPLAY else 403)
    if kind not in SEES_NOTHING:
        names = [button.name for button in page.context["tool_buttons"]]
        assert names == (["replay-failed"] if kind in MAY_REPLAY else [])
    for status, event in events.items():
        event.refresh_from_db()
        assert event.status == status


@pytest.mark.parametrize("kind", USERS)
@pytest.mark.parametrize("state", ["ready", "unpublished", "gone", "faceless"])
def test_launch(kind: str, state: str, user: Callable[[str], Staff]) -> None:
    persona = make_persona(
        **{
            "ready": {},
            "unpublished": {"tavus_id": None},
            "gone": {"sync_state": "gone"},
            "faceless": {"default_replica": None},
        }[state]
    )
    client = user(kind)
    page = client.get(client.page(persona))
    answer = client.tool(persona, "launch", launch_token=uuid.uuid4().hex)
    if kind in SEES_NOTHING:
        assert page.status_code == answer.status_code == 403
        assert not Conversation.objects.exists()
        return
    buttons = {button.name: button for button in page.context["tool_buttons"]}
    assert ("launch" in buttons) == (kind in MAY_LAUNCH)
    assert answer.status_code == (302 if kind in MAY_LAUNCH else 403)
    if kind in MAY_LAUNCH:
        assert bool(buttons["launch"].reason) == (state != "ready")
    assert Conversation.objects.count() == (kind in MAY_LAUNCH and state == "ready")


@pytest.mark.parametrize("status", EventStatus.values)
@pytest.mark.parametrize("kind", USERS)
def test_replay(kind: str, status: str, user: Callable[[str], Staff], worker: Any) -> None:
    event = WebhookEvent.objects.create(
        dedupe_key="k",
        event_type="system.shutdown",
        conversation=make_conversation(),
        status=status,
    )
    client = user(kind)
    page = client.get(client.page(event))
    answer = client.tool(event, "replay")
    event.refresh_from_db()
    worker.commit()
    if kind in SEES_NOTHING:
        assert page.status_code == answer.status_code == 403
        return
    buttons = {button.name: button for button in page.context["tool_buttons"]}
    assert ("replay" in buttons) == (kind in MAY_REPLAY)
    assert answer.status_code == (302 if kind in MAY_REPLAY else 403)
    replayed = kind in MAY_REPLAY and status != EventStatus.RECEIVED
    assert (("django_tavus.process_event", (event.pk,)) in worker.messages) == replayed
    assert event.status == (EventStatus.RECEIVED if replayed else status)


@pytest.mark.parametrize("kind", USERS)
def test_sync(kind: str, user: Callable[[str], Staff], worker: Any) -> None:
    client = user(kind)
    page = client.get(changelist_url(Persona))
    answer = client.post(changelist_url(Persona) + "tools/sync/")
    worker.commit()
    sent = worker.messages == [("django_tavus.sync_objects", ("personas",))]
    assert sent == (kind in MAY_SYNC_PERSONAS)
    assert answer.status_code == (302 if kind in MAY_SYNC_PERSONAS else 403)
    if kind not in SEES_NOTHING:
        names = [button.name for button in page.context["tool_buttons"]]
        assert names == (["sync"] if kind in MAY_SYNC_PERSONAS else [])


@pytest.mark.parametrize(
    ("model", "kind"), [(Persona, "personas"), (Replica, "replicas"), (Document, "documents")]
)
def test_each_kind_syncs_itself(model: Any, kind: str, boss: Staff, worker: Any) -> None:
    boss.post(changelist_url(model) + "tools/sync/")
    worker.commit()
    assert worker.messages == [("django_tavus.sync_objects", (kind,))]


def test_tools_answer_405_to_get(boss: Staff) -> None:
    conversation = make_conversation()
    answer = boss.get(tool_url(conversation, "end"))
    conversation.refresh_from_db()
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert boss.get(changelist_url(Persona) + "tools/sync/").status_code == 405
    assert conversation.end_requested_at is None


def test_tools_want_a_csrf_token(staff: Callable[..., Staff]) -> None:
    boss = staff(superuser=True, enforce_csrf_checks=True)
    conversation = make_conversation()
    assert boss.tool(conversation, "end", confirm="1").status_code == 403
    assert boss.post(changelist_url(Persona) + "tools/sync/").status_code == 403
    conversation.refresh_from_db()
    assert conversation.end_requested_at is None


def test_strangers_are_sent_to_the_login(client: Any, db: None) -> None:
    conversation = make_conversation()
    answer = client.post(tool_url(conversation, "end"), {"confirm": "1"})
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]
    conversation.refresh_from_db()
    assert conversation.end_requested_at is None


def test_an_unknown_tool_is_404(boss: Staff) -> None:
    assert boss.tool(make_conversation(), "explode").status_code == 404


def test_an_object_that_is_gone_is_told(boss: Staff) -> None:
    conversation = make_conversation(status=ConversationStatus.ENDED)
    url = tool_url(conversation, "end")
    conversation.delete()
    answer = boss.post(url, {"confirm": "1"}, follow=True)
    assert answer.status_code == 200
    assert "does not exist" in answer.content.decode()
