from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from django_tavus.models import Conversation, Utterance, WebhookEvent
from django_tavus.services import (
    end_conversation,
    ending,
    launch_conversation,
    reconciling,
    sweeping,
)
from django_tavus.testing import (
    deliver_callback,
    deliver_due,
    make_conversation,
    make_persona,
    make_replica,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def conversation(tavus_sandbox, worker):
    replica = make_replica(tavus_id="r90bbd427f71")
    tavus_sandbox.add_replica(replica_id="r90bbd427f71", replica_name="Anna")
    tavus_sandbox.add_persona(
        persona_id="pcb7a34da5fe",
        persona_name="Coach",
        system_prompt="Secret rutabaga.",
        default_replica_id="r90bbd427f71",
    )
    persona = make_persona(tavus_id="pcb7a34da5fe", default_replica=replica)
    conversation = launch_conversation(persona=persona)
    worker.run()
    conversation.refresh_from_db()
    return conversation


def talk(sandbox, conversation):
    sandbox.advance(2)
    sandbox.join(conversation.tavus_id)
    sandbox.say(conversation.tavus_id, "user", "Hello, who are you?")
    sandbox.advance(10)
    sandbox.leave(conversation.tavus_id)
    sandbox.advance(600)


def later(seconds):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


def assert_complete(conversation):
    conversation.refresh_from_db()
    assert conversation.status == "ended"
    assert conversation.joined_at is not None
    assert conversation.shutdown_reason
    assert conversation.perception_analysis
    contents = list(Utterance.objects.values_list("role", "content"))
    assert ("user", "Hello, who are you?") in contents
    assert not any("rutabaga" in content for _, content in contents)


def test_callbacks_bring_everything_home(conversation, tavus_sandbox, worker):
    talk(tavus_sandbox, conversation)
    with later(700):
        assert deliver_due(tavus_sandbox) >= 5
        worker.run()
        assert_complete(conversation)


def test_reconciling_alone_brings_everything_home(
    conversation, tavus_sandbox, worker, signals_sent
):
    signals_sent.clear()
    talk(tavus_sandbox, conversation)
    with later(700):
        reconciling.reconcile()
        worker.run()
        assert_complete(conversation)
    names = [n for n, _ in signals_sent if n != "webhook_received"]
    assert sorted(names) == [
        "conversation_ended",
        "perception_ready",
        "replica_joined",
        "transcript_ready",
    ]
    conversation.refresh_from_db()
    assert conversation.next_check_at is None


def test_both_ways_together_announce_each_fact_once(
    conversation, tavus_sandbox, worker, signals_sent
):
    signals_sent.clear()
    talk(tavus_sandbox, conversation)
    with later(700):
        reconciling.reconcile()
        deliver_due(tavus_sandbox)
        Conversation.objects.update(next_check_at=timezone.now())
        reconciling.reconcile()
        worker.run()
    names = [n for n, _ in signals_sent if n != "webhook_received"]
    assert sorted(names) == sorted(set(names))
    assert WebhookEvent.objects.filter(status="processed").count() == WebhookEvent.objects.count()


def test_silence_of_an_active_one_is_checked_and_costs_one_get(conversation, tavus_sandbox):
    before = len(tavus_sandbox.requests)
    assert reconciling.reconcile() == 0
    with later(130):
        assert reconciling.reconcile() == 1
        assert reconciling.reconcile() == 0
    assert len(tavus_sandbox.requests) == before + 1
    conversation.refresh_from_db()
    assert conversation.status == "active"


def test_an_ended_one_is_asked_about_ever_more_rarely_for_72_hours(conversation, tavus_sandbox):
    Conversation.objects.update(
        status="ended", ended_at=timezone.now(), shutdown_seen=True, next_check_at=timezone.now()
    )
    gaps = []
    for _ in range(40):
        conversation.refresh_from_db()
        if conversation.next_check_at is None:
            break
        with time_machine.travel(conversation.next_check_at + timedelta(seconds=1), tick=True):
            reconciling.reconcile()
            now = timezone.now()
        conversation.refresh_from_db()
        if conversation.next_check_at:
            gaps.append(round((conversation.next_check_at - now).total_seconds()))
    assert conversation.next_check_at is None
    assert gaps == sorted(gaps)
    assert now - conversation.ended_at > timedelta(hours=72)
    assert len(gaps) < 30


def test_an_outage_of_tavus_is_survived(conversation, tavus_sandbox):
    tavus_sandbox.faults.add("status:502", method="GET", times=9)
    with later(130):
        reconciling.reconcile()
    tavus_sandbox.faults.clear()
    talk(tavus_sandbox, conversation)
    with later(900):
        reconciling.reconcile()
        assert_complete(conversation)


def test_a_room_that_tavus_forgot_is_over(conversation, tavus_sandbox, worker):
    tavus_sandbox.engine.conversations.remove(conversation.tavus_id)
    with later(130):
        reconciling.reconcile()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.sync_state) == ("ended", "gone")


# --- ending -----------------------------------------------------------------------------------


def rooms(sandbox):
    return {room.status for room in sandbox.engine.conversations.values()}


def test_ending_stores_the_wish_and_a_task_carries_it_out(
    conversation, tavus_sandbox, worker, signals_sent
):
    end_conversation(conversation)
    assert conversation.end_requested_at is not None
    assert rooms(tavus_sandbox) == {"active"}
    end_conversation(conversation)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "ended"
    assert conversation.shutdown_reason == ending.END_REASON
    assert rooms(tavus_sandbox) == {"ended"}
    assert [n for n, _ in signals_sent].count("conversation_ended") == 1


def test_an_end_is_found_by_the_sweep_if_its_message_was_lost(conversation, tavus_sandbox, worker):
    end_conversation(conversation)
    worker.messages.clear()
    sweeping.sweep()
    worker.run()
    assert rooms(tavus_sandbox) == {"ended"}


def test_an_end_that_tavus_did_not_take_is_tried_again(conversation, tavus_sandbox, worker):
    tavus_sandbox.faults.add(
        "status:500", method="POST", path=f"/v2/conversations/{conversation.tavus_id}/end", times=3
    )
    end_conversation(conversation)
    with pytest.raises(Exception, match="500"):
        worker.run()
    worker.messages.clear()
    tavus_sandbox.faults.clear()
    with later(60):
        sweeping.sweep()
        worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "ended"
    assert rooms(tavus_sandbox) == {"ended"}


def test_ending_what_ended_by_itself_is_fine(conversation, tavus_sandbox, worker):
    talk(tavus_sandbox, conversation)
    end_conversation(conversation)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "ended"


def test_a_forged_end_stops_the_meter_at_tavus_too(conversation, tavus_sandbox, worker):
    forged = {"conversation_id": conversation.tavus_id, "event_type": "system.shutdown"}
    deliver_callback(conversation, forged)
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.end_owed) == ("ended", False)
    assert rooms(tavus_sandbox) == {"ended"}


def test_tavus_own_reason_and_date_stand_whoever_ended_it(conversation, tavus_sandbox, worker):
    end_conversation(conversation)
    worker.run()
    tavus_sandbox.advance(5)
    with later(10):
        deliver_due(tavus_sandbox)
        worker.run()
    conversation.refresh_from_db()
    assert conversation.shutdown_seen
    room = tavus_sandbox.engine.conversations[conversation.tavus_id]
    assert conversation.shutdown_reason == room.shutdown_reason


def test_ending_a_queued_one_cancels_it(tavus_sandbox, worker):
    conversation = make_conversation(status="queued")
    end_conversation(conversation)
    assert (conversation.status, conversation.shutdown_reason) == ("ended", "cancelled")
    assert conversation.tavus_id is None
    worker.run()
    assert tavus_sandbox.requests == []


def test_a_cancel_that_died_half_way_is_finished_by_the_sweep(tavus_sandbox):
    conversation = make_conversation(status="queued", end_requested_at=timezone.now())
    sweeping.sweep()
    conversation.refresh_from_db()
    assert conversation.status == "ended"


def test_what_runs_past_its_time_is_ended(conversation, tavus_sandbox, worker):
    Conversation.objects.update(properties={"max_call_duration": 60})
    with later(100):
        reconciling.reconcile()
        assert Conversation.objects.get().end_requested_at is None
    with later(190):
        reconciling.end_leaks(timezone.now())
        worker.run()
    assert rooms(tavus_sandbox) == {"ended"}


def test_what_was_started_elsewhere_is_watched_and_never_ended_by_us(tavus_sandbox, worker):
    from django_tavus.services import syncing
    from django_tavus.services.clients import get_client

    tavus_sandbox.add_replica(replica_id="r1", replica_name="Anna")
    body = {"replica_id": "r1", "properties": {"max_call_duration": 9000}}
    room = get_client().conversations.create(**body)["conversation_id"]
    syncing.sync_objects("conversations")
    row = Conversation.objects.get(tavus_id=room)
    assert (row.status, row.owner, row.attempts) == ("active", None, 0)
    tavus_sandbox.advance(2)
    tavus_sandbox.join(room)
    with later(4000):  # past the hour that a call lasts unless its creator said otherwise
        reconciling.reconcile()
        worker.run()
        assert tavus_sandbox.engine.conversations[room].status == "active"
        tavus_sandbox.advance(9000)
        Conversation.objects.update(next_check_at=timezone.now())
        reconciling.reconcile()
    row.refresh_from_db()
    assert row.status == "ended"


# --- the sweep --------------------------------------------------------------------------------


def test_an_event_whose_message_was_lost_is_processed(conversation, tavus_sandbox, worker):
    talk(tavus_sandbox, conversation)
    deliver_due(tavus_sandbox)
    worker.messages.clear()
    with later(700):
        sweeping.sweep()
        worker.run()
        assert_complete(conversation)


def test_a_launch_whose_message_was_lost_is_started(tavus_sandbox, worker):
    tavus_sandbox.add_replica(replica_id="r1", replica_name="A")
    conversation = launch_conversation(replica=make_replica(tavus_id="r1"))
    worker.messages.clear()
    sweeping.sweep()
    worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "active"


def test_a_signal_that_a_dead_process_owes_is_sent_once(conversation, signals_sent):
    from django_tavus.models import OutboxEntry
    from django_tavus.services import announcing

    entry = OutboxEntry.objects.owe("conversation_ended", conversation)
    assert announcing.announce_owed() == 0  # its writer may still be alive
    now = timezone.now() + announcing.LEASE + timedelta(seconds=1)
    assert announcing.announce_owed(now) == 1
    assert announcing.announce_owed(now + timedelta(hours=1)) == 0
    entry.refresh_from_db()
    assert entry.sent_at is not None
    assert [n for n, _ in signals_sent] == ["conversation_ended"]


def test_a_backlog_is_not_multiplied_by_every_sweep(conversation, tavus_sandbox, worker):
    talk(tavus_sandbox, conversation)
    deliver_due(tavus_sandbox)
    worker.messages.clear()
    waiting = WebhookEvent.objects.filter(status="received").count()
    assert waiting
    now = timezone.now() + timedelta(seconds=700)
    for seconds, expected in ((0, waiting), (10, 0), (20, 0), (31, waiting)):
        worker.messages.clear()
        sweeping.sweep_events(now + timedelta(seconds=seconds))
        assert len(worker.messages) == expected


# --- what is out of this world ----------------------------------------------------------------


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "3000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"]
)
@pytest.mark.parametrize("told", ["updated_at", "shutdown"])
def test_an_end_that_a_get_shows_lies_within_the_call(tavus_sandbox, monkeypatch, told, at):
    launched = timezone.now() - timedelta(minutes=10)
    conversation = make_conversation(launched_at=launched, attempted_at=launched)
    shutdown = {"event_type": "system.shutdown", "timestamp": at, "properties": {}}
    body = {
        "conversation_id": conversation.tavus_id,
        "status": "ended",
        "events": [shutdown] if told == "shutdown" else [],
        **({"updated_at": at} if told == "updated_at" else {}),
    }

    class Tavus:
        class conversations:  # noqa: N801
            @staticmethod
            def get(tavus_id, *, verbose):
                return body

    reconciling.fetch(conversation, Tavus)
    conversation.refresh_from_db()
    assert conversation.status == "ended"
    assert launched - timedelta(seconds=61) <= conversation.ended_at <= timezone.now()


def test_what_was_over_before_it_had_a_room_is_not_looked_at_again(tavus_sandbox, worker):
    conversation = make_conversation(status="launching", attempts=1, attempted_at=timezone.now())
    deliver_callback(conversation, {"event_type": "system.shutdown"})
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.tavus_id) == ("ended", None)
    with later(200):
        assert reconciling.reconcile() == 1
    with later(400):
        assert reconciling.reconcile() == 0


def test_the_events_of_a_verbose_get_are_stored_once(conversation, tavus_sandbox, worker):
    talk(tavus_sandbox, conversation)
    with later(300):
        reconciling.reconcile()
    conversation.refresh_from_db()
    assert conversation.remote["status"] == "ended"
    assert "events" not in conversation.remote
    assert WebhookEvent.objects.filter(event_type="application.transcription_ready").exists()
