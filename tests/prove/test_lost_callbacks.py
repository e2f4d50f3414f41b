"""Not one callback arrives: reconciling alone brings every conversation home."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection

from django_tavus.models import Conversation, OutboxEntry, Utterance, WebhookEvent
from django_tavus.sandbox.engine.pacing import PACES
from django_tavus.services import launch_conversation, reconciling
from tests.prove.scale import SCALE, sizes
from tests.prove.timeline import timeline

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

FACTS = [
    "conversation_launched",
    "replica_joined",
    "conversation_ended",
    "transcript_ready",
    "perception_ready",
]


@pytest.fixture(params=["https://site.example", ""], ids=["callbacks lost", "no PUBLIC_URL"])
def public(request, settings):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": request.param}
    return request.param


@pytest.fixture
def line(tavus_sandbox, worker):
    # Perception comes three minutes after the end: one look is not enough.
    tavus_sandbox.engine.world.pacing = PACES["realistic"]
    with timeline(tavus_sandbox, worker) as line:
        yield line


def talk(line, rooms):
    """Everybody comes, talks, and goes one after the other, or stays to the last minute."""
    for number, room in enumerate(rooms):
        line.sandbox.join(room.id)
        line.sandbox.say(room.id, "user", f"I am number {number}.")
    for number, room in enumerate(rooms):
        if number % 3:
            line.sandbox.leave(room.id)
            line.pass_time(2)


def test_reconciling_alone_brings_everything_home(line, public, signals_sent):
    count = sizes("lost_callbacks")["conversations"]
    persona = line.make_persona()
    for number in range(count):
        launch_conversation(
            persona=persona,
            conversational_context=f"launch {number}",
            properties={"max_call_duration": 900},
        )
    line.drain()
    line.pass_time(10)
    talk(line, line.rooms())
    before = len(line.requests)
    for _ in range(400):  # only this runs, as often as the schedule says
        reconciling.reconcile()
        line.worker.messages.clear()
        if not Conversation.objects.filter(next_check_at__isnull=False).exists():
            break
        line.pass_time(30)
    for row in Conversation.objects.all():
        check(line, row)
    assert not line.sandbox.engine.conversations.active()
    assert bool(line.mail) is bool(public)  # they were posted, and nobody got them
    sources = set(WebhookEvent.objects.values_list("source", "status"))
    assert sources == {("reconcile", "processed")}
    told = Counter(name for name, _ in signals_sent if name != "webhook_received")
    assert told == dict.fromkeys(FACTS, count)
    assert not OutboxEntry.objects.filter(sent_at__isnull=True).exists()
    gets = len(line.requests) - before
    print(
        f"\nproof 4 {connection.vendor}, {'all callbacks lost' if public else 'no PUBLIC_URL'} "
        f"({SCALE}): {count} conversations -> {count} ended with transcript and perception, "
        f"each fact told once, {gets / count:.1f} requests for each"
    )


def check(line, row):
    room = line.sandbox.conversation(row.tavus_id)
    assert row.status == "ended"
    assert row.shutdown_reason == room.shutdown_reason
    assert row.joined_at == room.replica_joined_at.replace(microsecond=0)
    assert 0 <= (room.ended_at - row.ended_at).total_seconds() < 1
    assert row.perception_analysis
    said = Utterance.objects.filter(conversation=row).values_list("content", flat=True)
    assert list(said) == [turn.content for turn in room.turns]
    assert len(said) >= 2
