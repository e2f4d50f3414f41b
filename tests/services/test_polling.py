from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_tavus.models import Document, Replica, WebhookEvent
from django_tavus.services import polling, publishing, syncing
from django_tavus.testing import deliver_due, make_document, make_replica

pytestmark = pytest.mark.django_db(transaction=True)


def in_an_hour():
    return timezone.now() + timedelta(hours=1)


def gets(sandbox):
    return [r for r in sandbox.requests if r.method == "GET"]


def test_without_callbacks_a_document_gets_ready(tavus_sandbox, worker, signals_sent):
    row = publishing.create(Document, document_url="https://x.example/p.pdf")
    worker.run()
    tavus_sandbox.advance(600)
    assert polling.poll_objects(in_an_hour()) == 1
    row.refresh_from_db()
    assert (row.status, row.progress, row.remote["status"]) == ("ready", 100, "ready")
    assert [name for name, _ in signals_sent] == ["document_ready", "webhook_received"]
    tavus_sandbox.requests.clear()
    assert polling.poll_objects(in_an_hour()) == 0
    assert not gets(tavus_sandbox)


def test_a_replica_shows_its_progress_and_the_error_in_full(tavus_sandbox, worker, signals_sent):
    row = publishing.create(
        Replica, replica_name="fail:video_duration", train_video_url="https://x.example/v.mp4"
    )
    worker.run()
    tavus_sandbox.advance(tavus_sandbox.engine.world.pacing.training / 2)
    polling.poll_objects(in_an_hour())
    row.refresh_from_db()
    assert row.status == "training"
    assert 0 < row.training_progress < 100
    tavus_sandbox.advance(100_000)
    polling.poll_objects(timezone.now() + timedelta(days=1))
    row.refresh_from_db()
    assert row.status == "error"
    assert "shorter than the minimum" in row.error_message
    assert [name for name, _ in signals_sent if name != "webhook_received"] == ["replica_failed"]


def test_a_callback_and_a_poll_announce_one_fact_once(tavus_sandbox, worker, signals_sent):
    publishing.create(Document, document_url="https://x.example/p.pdf")
    worker.run()
    tavus_sandbox.advance(600)
    deliver_due(tavus_sandbox)
    polling.poll_objects(in_an_hour())
    worker.run()
    assert [name for name, _ in signals_sent].count("document_ready") == 1


def test_unchanged_objects_leave_no_events_and_are_asked_ever_more_rarely(tavus_sandbox, worker):
    publishing.create(Document, document_name="stuck", document_url="https://x.example/p.pdf")
    worker.run()
    now = timezone.now() + timedelta(minutes=1)
    pauses = []
    for _ in range(20):
        polling.poll_objects(now)
        due = Document.objects.get().next_poll_at
        pauses.append(due - now)
        now = due
    assert pauses == sorted(pauses)
    assert pauses[-1] == polling.LONGEST
    assert WebhookEvent.objects.count() <= 1


def test_final_and_gone_objects_are_never_asked_about(tavus_sandbox):
    for status in ("ready", "error"):
        make_document(status=status)
        make_replica(status=status)
    make_document(status="processing", sync_state="gone")
    Document.objects.create(status="started")  # not at Tavus yet
    assert polling.poll_objects(in_an_hour()) == 0
    assert not tavus_sandbox.requests


def test_a_round_is_bounded_and_survives_refusals(tavus_sandbox, monkeypatch):
    monkeypatch.setattr(polling, "BATCH", 3)
    for _ in range(5):
        make_replica(status="training")
    tavus_sandbox.faults.add("status:401", times=1)
    assert polling.poll_objects() == 3
    assert Replica.objects.filter(sync_state="gone").count() == 2


def test_two_workers_do_not_ask_twice(tavus_sandbox, monkeypatch):
    row = make_replica(status="training")
    now = timezone.now()
    assert polling._claim(polling.REPLICA, row.pk, now)
    assert polling._claim(polling.REPLICA, row.pk, now) is None


def test_whoever_sees_an_outcome_first_it_is_announced_once(tavus_sandbox, worker, signals_sent):
    pdf = {"document_url": "https://x.example/p.pdf"}
    listed, pushed = (publishing.create(Document, **pdf, tags=[tag]) for tag in "ab")
    worker.run()
    tavus_sandbox.advance(600)
    publishing.edit(pushed, document_name="New")
    worker.run()
    assert Document.objects.get(status="ready") == pushed
    syncing.sync_objects("documents")
    polling.poll_objects(in_an_hour())
    assert set(Document.objects.values_list("status", "sync_state")) == {("ready", "in_sync")}
    told = [args["document"].pk for name, args in signals_sent if name == "document_ready"]
    assert sorted(told) == sorted([listed.pk, pushed.pk])
