"""Races and losses that were found by looking for them: two actors, one row."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from django_tavus.models import Conversation, Document, OutboxEntry, Utterance, WebhookEvent
from django_tavus.services import (
    adopting,
    announcing,
    capacity,
    end_conversation,
    ending,
    events,
    launch_conversation,
    launching,
    recognizing,
    reconciling,
    retention,
    sweeping,
)
from django_tavus.services.clients import get_client
from django_tavus.services.tokens import callback_url
from django_tavus.testing import (
    deliver_callback,
    deliver_due,
    make_conversation,
    make_document,
    make_persona,
    make_replica,
)

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 11, 1, 10, 0, 0, tzinfo=UTC)
CREATE = {"method": "POST", "path": "/v2/conversations"}
LIST = {"method": "GET", "path": "/v2/conversations"}


@pytest.fixture
def persona(tavus_sandbox):
    replica = make_replica(tavus_id="r90bbd427f71")
    tavus_sandbox.add_replica(replica_id="r90bbd427f71", replica_name="Anna")
    tavus_sandbox.add_persona(
        persona_id="pcb7a34da5fe", persona_name="Coach", default_replica_id="r90bbd427f71"
    )
    return make_persona(tavus_id="pcb7a34da5fe", persona_name="Coach", default_replica=replica)


@pytest.fixture
def private(settings):
    """A site that Tavus cannot reach."""
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}


@pytest.fixture
def active(persona, worker):
    conversation = launch_conversation(persona=persona)
    worker.run()
    return fresh(conversation)


def fresh(conversation):
    return Conversation.objects.select_related("persona__default_replica", "replica").get(
        pk=conversation.pk
    )


def later(seconds):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


def running(sandbox):
    return [room.id for room in sandbox.engine.conversations.active()]


def begin_attempt(conversation, attempts=1):
    """Take a row to where a worker has committed an attempt and not sent it yet."""
    now = timezone.now()
    Conversation.objects.filter(pk=conversation.pk).update(attempts=attempts - 1)
    assert capacity.claim(
        conversation.pk, now, name_key=recognizing.name_to_send(fresh(conversation))
    )
    return fresh(conversation)


def make_room(conversation):
    """Let Tavus make the room of an attempt, and keep the answer."""
    return get_client().conversations.create(**launching.request_body(conversation))


@contextlib.contextmanager
def meanwhile(needle, act):
    """Let ``act`` happen between two statements: just before the first like ``needle``."""
    waiting = [act]

    def intercept(execute, sql, params, many, context):
        if waiting and re.search(needle, sql):
            waiting.pop()()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(intercept):
        yield
    assert not waiting, "the moment never came"


# --- launching --------------------------------------------------------------------------------


def test_a_launch_that_begins_while_it_is_expired_goes_on(persona, worker, tavus_sandbox):
    conversation = launch_conversation(persona=persona)
    worker.messages.clear()
    with later(700):
        with meanwhile("UPDATE", lambda: begin_attempt(conversation)):
            launching.expire_queued(timezone.now())
        assert fresh(conversation).status == "launching"


def test_an_attempt_whose_worker_stood_still_is_not_sent(persona, worker, tavus_sandbox):
    conversation = begin_attempt(launch_conversation(persona=persona))
    worker.messages.clear()
    with later(30):
        launching.attempt(conversation, get_client())
        assert tavus_sandbox.requests == []
        row = fresh(conversation)
        assert (row.status, row.attempts) == ("queued", 0)
        worker.run()
    assert fresh(conversation).status == "active"
    assert len(running(tavus_sandbox)) == 1


@pytest.mark.parametrize("fault", ["status:429", "credits"])
def test_a_late_refusal_leaves_the_second_attempt_alone(persona, worker, tavus_sandbox, fault):
    conversation = launch_conversation(persona=persona)
    stale = begin_attempt(conversation)
    Conversation.objects.update(status="queued")
    second = begin_attempt(conversation, attempts=2)
    tavus_sandbox.faults.add(fault, times=9, **CREATE)
    launching.attempt(stale, get_client())
    row = fresh(conversation)
    assert (row.status, row.attempts) == ("launching", 2)
    assert row.attempted_at == second.attempted_at


def test_a_message_that_comes_twice_does_not_shorten_a_pause(persona, worker, tavus_sandbox):
    tavus_sandbox.faults.add("status:429", times=9, **CREATE)
    conversation = launch_conversation(persona=persona)
    worker.run()
    assert fresh(conversation).not_before is not None
    before = len(tavus_sandbox.requests)
    launching.launch(conversation.pk)
    assert len(tavus_sandbox.requests) == before


# --- adopting ---------------------------------------------------------------------------------


def test_the_room_of_a_second_attempt_is_no_orphan_while_its_answer_is_on_its_way(
    persona, worker, tavus_sandbox
):
    conversation = begin_attempt(launch_conversation(persona=persona), attempts=2)
    worker.messages.clear()
    answer = make_room(conversation)
    reconciling.disown_orphans(timezone.now())
    worker.run()
    adopting.adopt_answer(conversation.pk, answer)
    worker.run()
    assert fresh(conversation).status == "active"
    assert running(tavus_sandbox) == [fresh(conversation).tavus_id]


def test_a_room_without_key_whose_answer_came_too_late_is_ended(
    private, persona, worker, tavus_sandbox
):
    conversation = begin_attempt(launch_conversation(persona=persona, conversation_name="Weekly"))
    worker.messages.clear()
    answer = make_room(conversation)
    launching.fail(conversation.pk, "outcome_unknown", "given up")
    adopting.adopt_answer(conversation.pk, answer)
    worker.run()
    assert running(tavus_sandbox) == []


def test_a_doubtful_launch_does_not_take_the_room_of_one_in_flight(
    private, persona, worker, tavus_sandbox
):
    in_flight = begin_attempt(launch_conversation(persona=persona, conversation_name="Weekly"))
    answer = make_room(in_flight)
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    doubtful = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    assert fresh(doubtful).is_in_doubt
    adopting.adopt_answer(in_flight.pk, answer)
    assert fresh(in_flight).tavus_id == answer["conversation_id"]


def test_a_room_with_the_key_of_another_row_is_not_taken(persona, worker, tavus_sandbox):
    keyed = begin_attempt(launch_conversation(persona=persona, conversation_name="Weekly"))
    Conversation.objects.filter(pk=keyed.pk).update(error_code="outcome_unknown")
    make_room(keyed)
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    keyless = launch_conversation(
        persona=persona, conversation_name="Weekly", callback_url="https://host.example/hook"
    )
    worker.run()
    assert fresh(keyless).is_in_doubt


def test_rooms_that_may_be_others_are_not_denied(private, persona, worker, tavus_sandbox):
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    tavus_sandbox.faults.add("status:500", times=99, **LIST)
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    tavus_sandbox.faults.clear()
    get_client().conversations.create(persona_id="pcb7a34da5fe", conversation_name="Weekly")
    with later(200):
        reconciling.reconcile()
    row = fresh(conversation)
    assert (row.status, row.error_code) == ("failed", "outcome_unknown")
    assert "nothing is running" not in row.error_message


def test_a_room_found_after_its_end_keeps_tavus_dates(persona, worker, tavus_sandbox):
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    tavus_sandbox.faults.add("status:500", times=99, **LIST)
    conversation = launch_conversation(persona=persona)
    worker.run()
    tavus_sandbox.faults.clear()
    (room,) = tavus_sandbox.engine.conversations.active()
    with later(400):
        tavus_sandbox.tick()
        assert room.status == "ended"  # nobody came within 300 s
        reconciling.reconcile()
        reconciling.reconcile()
        row = fresh(conversation)
    assert row.status == "ended"
    assert row.duration in (299, 300)  # fetched dates have whole seconds
    assert row.shutdown_reason == "participant_absent_timeout reached"


def test_a_room_known_by_a_callback_alone_is_asked_for_at_once(persona, worker, tavus_sandbox):
    conversation = begin_attempt(launch_conversation(persona=persona))
    worker.messages.clear()
    make_room(conversation)  # and the worker dies
    tavus_sandbox.advance(1)
    deliver_due(tavus_sandbox)
    worker.run()
    assert fresh(conversation).status == "active"
    reconciling.reconcile()
    assert fresh(conversation).is_joinable


def test_an_end_told_before_the_answer_has_its_own_date(worker):
    conversation = make_conversation(status="launching", attempts=1, attempted_at=START)
    deliver_callback(
        conversation,
        {
            "conversation_id": "c9",
            "event_type": "system.shutdown",
            "timestamp": "2026-11-01T10:01:00Z",
        },
    )
    events.process(WebhookEvent.objects.get().pk)
    adopting.adopt_answer(
        conversation.pk,
        {
            "conversation_id": "c9",
            "conversation_url": "https://tavus.daily.co/c9",
            "created_at": "2026-11-01T10:00:01Z",
        },
    )
    row = fresh(conversation)
    assert row.launched_at == START + timedelta(seconds=1)
    assert row.ended_at == START + timedelta(seconds=60)


# --- ending -----------------------------------------------------------------------------------


def test_an_orphan_that_cannot_be_asked_for_does_not_keep_the_room_running(
    active, worker, tavus_sandbox
):
    adopting.disown(active.pk, "c-orphan")
    tavus_sandbox.faults.add("status:500", method="GET", path="/v2/conversations/c-orphan", times=9)
    end_conversation(active)
    with pytest.raises(Exception, match="500"):
        worker.run()
    assert running(tavus_sandbox) == []


def test_an_end_forged_while_an_orphan_is_ended_still_gets_its_look(active, worker, tavus_sandbox):
    adopting.disown(active.pk, "c-orphan")
    forged = {"conversation_id": active.tavus_id, "event_type": "system.shutdown"}

    def forge():
        deliver_callback(active, forged)
        events.process(WebhookEvent.objects.get().pk)

    with meanwhile("UPDATE.*orphan_ids", forge):
        ending.carry_out(active.pk)
    worker.messages.clear()
    sweeping.sweep()
    worker.run()
    assert fresh(active).status == "ended"
    assert running(tavus_sandbox) == []


def test_a_forged_end_does_not_keep_tavus_own_reason_out(active, worker, tavus_sandbox):
    forged = {
        "conversation_id": active.tavus_id,
        "event_type": "system.shutdown",
        "timestamp": "2020-01-01T00:00:00Z",
        "properties": {"shutdown_reason": "forged"},
    }
    with later(100):
        deliver_callback(active, forged)
        worker.run()
        deliver_due(tavus_sandbox)
        worker.run()
    with later(300):
        reconciling.reconcile()
        row = fresh(active)
    room = tavus_sandbox.conversation(active.tavus_id)
    assert row.shutdown_reason == "end_conversation_endpoint_hit"
    assert abs(row.ended_at - room.ended_at) < timedelta(seconds=1)


def test_an_end_forged_when_everything_is_known_does_not_stand(active, worker, tavus_sandbox):
    """The last look was made: without another one the forged date would stay for good."""
    end_conversation(active)
    worker.run()
    Conversation.objects.update(next_check_at=None)
    with later(20):
        deliver_due(tavus_sandbox)
        worker.run()
        Conversation.objects.update(next_check_at=None)
    forged = {
        "conversation_id": active.tavus_id,
        "event_type": "system.shutdown",
        "timestamp": "2020-01-01T00:00:00Z",
        "properties": {"shutdown_reason": "forged"},
    }
    with later(300):
        deliver_callback(active, forged)
        worker.run()
    with later(600):
        reconciling.reconcile()
    row = fresh(active)
    assert row.shutdown_reason == "end_conversation_endpoint_hit"
    room = tavus_sandbox.conversation(active.tavus_id)
    assert abs(row.ended_at - room.ended_at) < timedelta(seconds=1)


def test_a_date_out_of_this_world_does_not_reach_the_row(active, worker):
    joined = {
        "conversation_id": active.tavus_id,
        "event_type": "system.replica_joined",
        "timestamp": "0001-01-01T00:00:00Z",
    }
    deliver_callback(active, joined)
    worker.run()
    assert fresh(active).joined_at >= active.attempted_at - recognizing.CLOCK_SKEW


def test_what_is_over_here_and_running_there_is_ended_there(active, worker, tavus_sandbox):
    Conversation.objects.update(
        status="ended", ended_at=timezone.now(), next_check_at=timezone.now()
    )
    reconciling.reconcile()
    worker.run()
    assert running(tavus_sandbox) == []


def test_a_room_is_ended_before_it_is_erased(active, worker, tavus_sandbox):
    forged = {"conversation_id": active.tavus_id, "event_type": "system.shutdown"}
    deliver_callback(active, forged)
    (message,) = [m for m in worker.messages if "process_event" in m[0]]
    worker.messages = [message]
    tavus_sandbox.faults.add("status:500", method="GET", times=9)
    with pytest.raises(Exception, match="500"):
        worker.run()
    tavus_sandbox.faults.clear()
    retention.request_erasure(fresh(active))
    worker.run()
    assert Conversation.objects.filter(pk=active.pk).exists()
    with later(60):
        sweeping.sweep()
        worker.run()
        sweeping.sweep()
        worker.run()
    assert running(tavus_sandbox) == []
    assert not Conversation.objects.filter(pk=active.pk).exists()


# --- reconciling ------------------------------------------------------------------------------


def test_one_leak_among_many_calls_is_found(monkeypatch):
    monkeypatch.setattr(reconciling, "BATCH", 2)
    now = timezone.now()
    leak = make_conversation(launched_at=now - timedelta(hours=2))
    Conversation.objects.filter(pk=leak.pk).update(created_at=now - timedelta(hours=2))
    for _ in range(3):
        make_conversation(launched_at=now - timedelta(minutes=10))
    reconciling.end_leaks(now)
    wanted = Conversation.objects.filter(end_requested_at__isnull=False)
    assert list(wanted) == [leak]


def test_what_is_gone_is_not_asked_for_again(active, tavus_sandbox):
    tavus_sandbox.engine.conversations.remove(active.tavus_id)
    with later(130):
        reconciling.reconcile()
    assert fresh(active).next_check_at is None


def test_one_that_cannot_be_checked_does_not_hide_the_others(
    active, persona, worker, tavus_sandbox, monkeypatch
):
    """A doubtful launch whose room another row holds: its adoption is refused by the database."""
    other = begin_attempt(launch_conversation(persona=persona))
    worker.messages.clear()
    answer = make_room(other)
    make_conversation(persona=persona, tavus_id=answer["conversation_id"])
    now = timezone.now()
    Conversation.objects.filter(pk=other.pk).update(next_check_at=now - timedelta(hours=1))
    before = len(tavus_sandbox.requests)
    with later(130):
        assert reconciling.reconcile() >= 2
    paths = [request.path for request in tavus_sandbox.requests[before:]]
    assert f"/v2/conversations/{active.tavus_id}" in paths


# --- announcing -------------------------------------------------------------------------------


def test_an_entry_whose_claim_ran_out_before_it_was_sent_is_sent_once(active, signals_sent):
    """A host's transaction took longer than the lease; the sweep sees the entry at its commit."""
    entry = OutboxEntry.objects.owe("conversation_ended", active)
    signals_sent.clear()
    with later(300):
        assert announcing.announce_owed() == 1
        announcing.announce([entry])
    assert [n for n, _ in signals_sent] == ["conversation_ended"]


# --- bad input --------------------------------------------------------------------------------


def test_numbers_and_dates_beyond_reason_do_not_spoil_a_transcript(active, worker):
    turn = {"role": "user", "content": "Hi", "timestamp": "0001-01-01T00:00:00Z"}
    turns = [{**turn, "seconds_from_start": 10**400, "duration": -(10**400)}]
    deliver_callback(
        active,
        {
            "conversation_id": active.tavus_id,
            "event_type": "application.transcription_ready",
            "properties": {"transcript": turns},
        },
    )
    worker.run()
    assert WebhookEvent.objects.get().status == "processed"
    utterance = Utterance.objects.get()
    assert (utterance.spoken_at, utterance.seconds_from_start) == (None, None)


@pytest.mark.parametrize("claimed", [{"a": 1}, ["d1"], 7, "d" * 5000, True])
def test_an_id_that_is_none_does_not_spoil_a_document_report(worker, claimed):
    document = make_document(status="processing", tavus_id=None)
    deliver_callback(document, {"document_id": claimed, "status": "ready"})
    worker.run()
    event = WebhookEvent.objects.get()
    assert (event.status, event.error) == ("processed", "")
    row = Document.objects.get()
    assert row.status == "ready"
    assert row.tavus_id is None or len(row.tavus_id) <= 128


def test_callback_urls_of_one_row_are_equal_keys(active):
    assert recognizing.is_ours(active, {"callback_url": callback_url(active)})
