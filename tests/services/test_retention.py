from __future__ import annotations

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_tavus.models import Conversation, OutboxEntry, Recording, Utterance, WebhookEvent
from django_tavus.services import events, launch_conversation, reconciling, retention, sweeping
from django_tavus.services.tokens import Subject
from django_tavus.testing import make_conversation, make_persona, make_replica

pytestmark = pytest.mark.django_db(transaction=True)


def make_old(days, **values):
    at = timezone.now() - timedelta(days=days)
    conversation = make_conversation(
        status="ended", launched_at=at, ended_at=at, perception_analysis="calm", **values
    )
    Utterance.objects.create(conversation=conversation, position=0, role="user", content="secret")
    events.record(
        Subject("conversation", conversation.pk),
        {"event_type": "application.transcription_ready", "properties": {"transcript": []}},
    )
    return conversation


def test_what_was_said_long_ago_is_removed_and_the_meter_stays(settings):
    old, young = make_old(40), make_old(10)
    settings.TAVUS = {**settings.TAVUS, "RETENTION_DAYS": 30}
    report = retention.prune()
    assert (report.conversations, report.utterances, report.payloads) == (1, 1, 1)
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.perception_analysis, young.perception_analysis) == ("", "calm")
    assert old.duration == 0
    assert Utterance.objects.get().conversation == young
    assert WebhookEvent.objects.get(conversation=old).payload == {}
    assert retention.prune().conversations == 0


def test_without_a_setting_nothing_is_removed():
    make_old(4000)
    assert retention.prune().conversations == 0


def test_what_is_live_is_never_pruned():
    make_conversation(launched_at=timezone.now() - timedelta(days=99))
    assert retention.prune(days=1).conversations == 0


def test_a_dry_run_counts_and_removes_nothing():
    make_old(40)
    out = io.StringIO()
    call_command("tavus_prune", "--older-than", "30", "--dry-run", stdout=out)
    assert "1 conversations would be pruned: 1 utterances, 1 payloads" in out.getvalue()
    assert Utterance.objects.exists()


def test_the_command_wants_an_age():
    with pytest.raises(CommandError, match="RETENTION_DAYS"):
        call_command("tavus_prune")


def test_pruning_goes_in_batches(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        make_old(40)
    assert retention.prune(days=30).conversations == 5


@pytest.fixture
def launched(tavus_sandbox, worker, django_user_model):
    user = django_user_model.objects.create_user("ada")
    tavus_sandbox.add_replica(replica_id="r1", replica_name="Anna")
    replica = make_replica(tavus_id="r1")
    conversation = launch_conversation(replica=replica, owner=user)
    other = launch_conversation(replica=replica)
    worker.run()
    conversation.refresh_from_db()
    return user, conversation, other


def test_a_user_is_erased_here_and_at_tavus(launched, worker, tavus_sandbox):
    user, conversation, other = launched
    assert retention.erase_user(user) == 1
    worker.run()
    assert list(Conversation.objects.all()) == [other]
    (request,) = [r for r in tavus_sandbox.requests if r.method == "DELETE"]
    assert request.path == f"/v2/conversations/{conversation.tavus_id}"
    assert request.query["hard"] == "true"
    assert not WebhookEvent.objects.filter(conversation=conversation.pk).exists()
    assert not OutboxEntry.objects.filter(conversation=conversation.pk).exists()


def test_an_erasure_that_was_interrupted_is_resumed(launched, worker, tavus_sandbox):
    user, conversation, _ = launched
    retention.erase_user(user)
    tavus_sandbox.faults.add("status:500", method="DELETE", times=9)
    with pytest.raises(Exception, match="500"):
        worker.run()
    worker.messages.clear()
    assert Conversation.objects.filter(pk=conversation.pk).exists()
    tavus_sandbox.faults.clear()
    sweeping.sweep(timezone.now() + timedelta(minutes=5))
    worker.run()
    assert not Conversation.objects.filter(pk=conversation.pk).exists()


def test_nothing_is_erased_without_a_request(launched, worker):
    _, conversation, _ = launched
    retention.erase(conversation.pk)
    assert Conversation.objects.filter(pk=conversation.pk).exists()


def test_usage_is_summed_by_day_persona_and_owner(django_user_model):
    user = django_user_model.objects.create_user("ada")
    persona = make_persona()
    start = timezone.now().replace(hour=12) - timedelta(days=3)
    for minutes in (10, 20):
        make_conversation(
            status="ended",
            persona=persona,
            owner=user,
            launched_at=start,
            ended_at=start + timedelta(minutes=minutes),
        )
    make_conversation(status="queued")
    (row,) = Conversation.objects.usage("day", "persona", "owner")
    assert (row["day"], row["persona"], row["owner"]) == (start.date(), persona.pk, user.pk)
    assert (row["conversations"], row["call_time"]) == (2, timedelta(minutes=30))


def test_a_running_call_counts_until_now():
    now = timezone.now()
    make_conversation(launched_at=now - timedelta(minutes=7))
    (row,) = Conversation.objects.usage("persona", now=now)
    assert row["call_time"] == timedelta(minutes=7)


def test_failed_events_are_replayed_by_command():
    conversation = make_conversation()
    stored = events.record(
        Subject("conversation", conversation.pk),
        {"event_type": "system.shutdown", "conversation_id": conversation.tavus_id},
    )
    WebhookEvent.objects.update(status="failed", attempts=5)
    out = io.StringIO()
    call_command("tavus_replay_events", stdout=out)
    assert "1 replayed, 1 processed" in out.getvalue()
    stored.refresh_from_db()
    conversation.refresh_from_db()
    assert (stored.status, conversation.status) == ("processed", "ended")


# --- what comes late --------------------------------------------------------------------------

TOLD = {"event_type": "application.transcription_ready", "timestamp": "2026-11-01T10:00:00Z"}


def tell(conversation, **properties):
    body = {**TOLD, "conversation_id": conversation.tavus_id, "properties": properties}
    events.process(events.record(Subject("conversation", conversation.pk), body).pk)


def everything_stored():
    """Every value of every row that may hold what was said, as one text."""
    models = (Conversation, Utterance, Recording, WebhookEvent, OutboxEntry)
    return repr([list(model.objects.values()) for model in models])


def test_what_a_verbose_get_showed_is_removed_too(launched, worker, tavus_sandbox):
    _, conversation, _ = launched
    tavus_sandbox.join(conversation.tavus_id)
    tavus_sandbox.say(conversation.tavus_id, "user", "I like rutabaga")
    tavus_sandbox.leave(conversation.tavus_id)
    tavus_sandbox.advance(600)
    with time_machine.travel(timezone.now() + timedelta(seconds=600), tick=True):
        reconciling.reconcile()
        worker.commit()
        assert "rutabaga" in everything_stored()
        assert retention.prune(timezone.now() + timedelta(days=2), days=1).utterances == 1
    assert "rutabaga" not in everything_stored()
    conversation.refresh_from_db()
    assert conversation.remote["conversation_id"] == conversation.tavus_id


def test_events_that_lie_in_the_remote_body_are_removed():
    conversation = make_old(40, remote={"status": "ended", "events": [{"transcript": "rutabaga"}]})
    retention.prune(days=30)
    conversation.refresh_from_db()
    assert conversation.remote == {"status": "ended"}


def test_what_is_told_after_a_prune_is_removed_by_the_next_one():
    conversation = make_old(40)
    retention.prune(days=30)
    tell(conversation, transcript=[{"role": "user", "content": "rutabaga"}])
    assert "rutabaga" in everything_stored()
    assert retention.prune(days=30).conversations == 1
    assert "rutabaga" not in everything_stored()
    assert retention.prune(days=30).conversations == 0


def test_a_rejected_event_after_a_prune_is_removed_by_the_next_one():
    conversation = make_old(40)
    retention.prune(days=30)
    body = {**TOLD, "conversation_id": "c-other", "properties": {"transcript": "rutabaga"}}
    events.process(events.record(Subject("conversation", conversation.pk), body).pk)
    assert "rutabaga" in everything_stored()
    retention.prune(days=30)
    assert "rutabaga" not in everything_stored()


def test_a_prune_while_an_event_is_processed_leaves_nothing_behind(monkeypatch):
    conversation = make_old(40)
    body = {
        **TOLD,
        "conversation_id": conversation.tavus_id,
        "properties": {"transcript": [{"role": "user", "content": "rutabaga"}]},
    }
    event = events.record(Subject("conversation", conversation.pk), body)
    waiting = events.WAITING

    class Read:
        def get(self, pk):
            read = waiting.get(pk=pk)
            retention.prune(days=30)
            return read

    monkeypatch.setattr(events, "WAITING", Read())
    events.process(event.pk)
    retention.prune(days=30)
    assert "rutabaga" not in everything_stored()


# --- an erasure that stops half way -----------------------------------------------------------


class StoppedError(BaseException):
    """The process is killed."""


@pytest.mark.parametrize("name", ["end_conversation", "enqueue"])
def test_an_erasure_that_stops_before_anything_was_sent_is_resumed(
    launched, worker, tavus_sandbox, monkeypatch, name
):
    user, conversation, _ = launched
    second = launch_conversation(replica=conversation.replica, owner=user)
    worker.run()

    def stop(*args):
        raise StoppedError

    with monkeypatch.context() as broken:
        broken.setattr(retention, name, stop)
        with pytest.raises(StoppedError):
            retention.erase_user(user)
    worker.messages.clear()
    for seconds in (10, 60):
        sweeping.sweep(timezone.now() + timedelta(seconds=seconds))
        worker.run()
    assert not Conversation.objects.filter(pk__in=[conversation.pk, second.pk]).exists()


def test_a_waiting_conversation_whose_erasure_stopped_is_never_launched(
    tavus_sandbox, worker, monkeypatch
):
    conversation = make_conversation(status="queued")

    def stop(*args):
        raise StoppedError

    with monkeypatch.context() as broken:
        broken.setattr(retention, "end_conversation", stop)
        with pytest.raises(StoppedError):
            retention.request_erasure(conversation)
    worker.messages.clear()
    sweeping.sweep(timezone.now() + timedelta(seconds=10))
    worker.run()
    assert not Conversation.objects.exists()
    assert not [r for r in tavus_sandbox.requests if r.method == "POST"]
