"""Events that come twice, at once, after a failure, or when nothing is as it was."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections

from django_tavus.models import OutboxEntry, Utterance, WebhookEvent
from django_tavus.services import effects, events
from django_tavus.services.tokens import Subject
from django_tavus.testing import deliver_callback, make_conversation

pytestmark = pytest.mark.django_db(transaction=True)

SHUTDOWN = {"event_type": "system.shutdown", "timestamp": "2026-11-01T10:01:00Z"}


def fall(*args):
    raise RuntimeError("boom")


def record(conversation, body, **more):
    body = {"conversation_id": conversation.tavus_id, **body, **more}
    return events.record(Subject("conversation", conversation.pk), body)


def deliver(conversation, body):
    assert deliver_callback(conversation, body).status_code == 200
    for event in WebhookEvent.objects.filter(status="received"):
        events.process(event.pk)


@pytest.fixture
def conversation():
    return make_conversation()


def fail_for_good(event, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setitem(effects.CONVERSATION_EFFECTS, "system.shutdown", fall)
        for _ in range(events.MAX_ATTEMPTS):
            events.process(event.pk)
    event.refresh_from_db()
    assert event.status == "failed"


def test_a_failed_event_does_not_keep_its_good_twin_out(conversation, monkeypatch):
    fail_for_good(record(conversation, SHUTDOWN), monkeypatch)
    deliver(conversation, {"conversation_id": conversation.tavus_id, **SHUTDOWN})
    conversation.refresh_from_db()
    assert conversation.status == "ended"


def test_a_rejected_event_does_not_keep_its_twin_out_once_it_is_right(conversation):
    body = {**SHUTDOWN, "conversation_id": "c-new"}
    deliver(conversation, body)
    assert WebhookEvent.objects.get().status == "rejected"
    type(conversation).objects.filter(pk=conversation.pk).store(tavus_id="c-new")
    deliver(conversation, body)
    conversation.refresh_from_db()
    assert conversation.status == "ended"


def test_a_failed_event_and_its_twin_have_one_effect(conversation, monkeypatch, signals_sent):
    failed = record(conversation, SHUTDOWN)
    fail_for_good(failed, monkeypatch)
    events.process(record(conversation, SHUTDOWN).pk)
    assert events.replay(failed)
    events.process(failed.pk)
    assert [n for n, _ in signals_sent].count("conversation_ended") == 1
    failed.refresh_from_db()
    assert (failed.status, failed.error) == ("processed", "")


def test_a_processed_event_keeps_its_twin_out_after_a_replay_too(conversation):
    event = record(conversation, SHUTDOWN)
    for _ in range(2):
        events.process(event.pk)
        events.replay(event)
    body = {"conversation_id": conversation.tavus_id, **SHUTDOWN}
    deliver_callback(conversation, body)
    assert WebhookEvent.objects.count() == 1
    assert OutboxEntry.objects.filter(signal="webhook_received").count() == 1


def test_an_event_that_was_read_before_a_failure_was_noted_has_no_old_error(
    conversation, monkeypatch
):
    """Two workers: one fails and notes it when the other one has read the event."""
    event = record(conversation, SHUTDOWN)
    waiting = events.WAITING

    class Read:
        def get(self, pk):
            monkeypatch.setattr(events, "WAITING", waiting)
            read = waiting.get(pk=pk)
            with monkeypatch.context() as broken:
                broken.setitem(effects.CONVERSATION_EFFECTS, "system.shutdown", fall)
                events.process(pk)
            return read

    monkeypatch.setattr(events, "WAITING", Read())
    events.process(event.pk)
    event.refresh_from_db()
    assert (event.status, event.attempts) == ("received", 1)  # put off
    events.process(event.pk)
    event.refresh_from_db()
    assert (event.status, event.error, event.attempts) == ("processed", "", 2)
    conversation.refresh_from_db()
    assert conversation.status == "ended"


real_threads = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="its tests run in memory, on one connection"
)


def at_once(pks):
    """Process events in as many threads, each with its own connection."""
    start = threading.Barrier(len(pks))

    def work(pk):
        start.wait()
        try:
            events.process(pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(pk,)) for pk in pks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@real_threads
def test_workers_that_take_one_event_at_once_give_it_one_effect(conversation):
    for turns in range(10, 15):
        event = record(
            conversation,
            {
                "event_type": "application.transcription_ready",
                "timestamp": f"2026-11-01T10:00:{turns}Z",
                "properties": {"transcript": [{"role": "user", "content": "Hi"}] * turns},
            },
        )
        at_once([event.pk] * 4)
        event.refresh_from_db()
        assert (event.status, event.error, event.attempts) == ("processed", "", 1)
    conversation.refresh_from_db()
    assert Utterance.objects.count() == conversation.turns == 14
    for signal in ("transcript_ready", "webhook_received"):
        assert OutboxEntry.objects.filter(signal=signal).count() == 5


TWICE = [
    ("system.replica_joined", {}),
    ("system.shutdown", {}),
    ("application.perception_analysis", {"analysis": "calm"}),
    ("application.recording_ready", {"s3_key": "a"}),
]


@real_threads
def test_facts_that_come_twice_and_all_at_once_have_one_effect_each(conversation):
    told = [
        record(
            conversation,
            {"event_type": kind, "properties": properties, "timestamp": f"2026-11-01T10:00:0{n}Z"},
        )
        for n, (kind, properties) in enumerate(TWICE * 2)
    ]
    at_once([event.pk for event in told])
    assert set(WebhookEvent.objects.values_list("status", "error")) == {("processed", "")}
    for signal in ("replica_joined", "conversation_ended", "perception_ready", "recording_ready"):
        assert OutboxEntry.objects.filter(signal=signal).count() == 1, signal
