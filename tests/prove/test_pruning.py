"""Pruning what is old, while Tavus goes on calling."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from django_tavus.models import Conversation, OutboxEntry, Utterance, WebhookEvent
from django_tavus.services import retention
from django_tavus.testing import deliver_callback, make_persona
from tests.prove.scale import SCALE, sizes

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

TURNS, EVENTS, ENTRIES = 3, 2, 3
PAYLOAD = {"properties": {"transcript": [{"role": "user", "content": "x" * 120}] * 10}}
CHUNK = 1000


@pytest.fixture(autouse=True)
def database(tmp_path):
    """SQLite's tests run in memory, where nobody waits for anybody: take a file, as a host does."""
    if connection.vendor != "sqlite":
        yield
        return
    memory, name = connection.connection, connection.settings_dict["NAME"]
    connection.connection = None
    connection.settings_dict["NAME"] = str(tmp_path / "prove.sqlite3")
    try:
        call_command("migrate", verbosity=0)
        yield
        connections.close_all()
    finally:
        connection.settings_dict["NAME"] = name
        connection.connection = memory


def make_old(count):
    """Conversations that ended two months ago, with all that they leave behind."""
    persona, at = make_persona(), timezone.now() - timedelta(days=60)
    for begin in range(0, count, CHUNK):
        rows = [
            Conversation(
                persona=persona,
                tavus_id=f"c{uuid.uuid4().hex}",
                status="ended",
                attempts=1,
                launched_at=at,
                ended_at=at,
                created_at=at,
                perception_analysis="calm",
                turns=TURNS,
            )
            for _ in range(min(CHUNK, count - begin))
        ]
        Conversation.objects.bulk_create(rows)
        leave_behind(rows)


def leave_behind(rows):
    now = timezone.now()
    Utterance.objects.bulk_create(
        Utterance(conversation=row, position=n, role="user", content="secret " * 10)
        for row in rows
        for n in range(TURNS)
    )
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            conversation=row,
            dedupe_key=uuid.uuid4().hex,
            source="callback",
            event_type="application.transcription_ready",
            status="processed",
            payload=PAYLOAD,
        )
        for row in rows
        for _ in range(EVENTS)
    )
    OutboxEntry.objects.bulk_create(
        OutboxEntry(signal=f"s{n}", key=f"s{n}:{row.pk}", conversation=row, sent_at=now)
        for row in rows
        for n in range(ENTRIES)
    )


class Poster(threading.Thread):
    """Tavus, calling about old and new conversations as long as the pruning lasts."""

    def __init__(self, rows, number, stop):
        super().__init__(name=f"poster {number}")
        self.rows, self.number, self.stop = rows, number, stop
        self.answers = Counter()
        self.longest = 0.0
        self.error = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.post(self.rows[self.answers.total() * 7919 % len(self.rows)])
                time.sleep(0.002)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            self.error = error
        finally:
            connections.close_all()

    def post(self, row):
        body = {
            "conversation_id": row.tavus_id,
            "event_type": "canvas.interaction",
            "properties": {"interaction_id": f"{self.number}-{self.answers.total()}"},
        }
        begun = time.perf_counter()
        self.answers[deliver_callback(row, body).status_code] += 1
        self.longest = max(self.longest, time.perf_counter() - begun)


class Batches:
    """How large each transaction of the pruning was: what it says it changed."""

    def __init__(self):
        self.rows = []

    def __call__(self, execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "pruned_at" in sql:
            self.rows.append(0)
        result = execute(sql, params, many, context)
        if sql.startswith(("UPDATE", "DELETE")) and self.rows:
            self.rows[-1] += max(context["cursor"].rowcount, 0)
        return result


def test_callbacks_are_answered_while_old_conversations_are_pruned(worker):
    size = sizes("pruning")
    make_old(size["conversations"])
    rows = list(Conversation.objects.only("pk", "tavus_id").order_by("?")[:500])
    stop, batches = threading.Event(), Batches()
    posters = [Poster(rows, number, stop) for number in range(size["posters"])]
    for poster in posters:
        poster.start()
    begun = time.perf_counter()
    try:
        with connection.execute_wrapper(batches):
            report = retention.prune(days=30)
        took = time.perf_counter() - begun
    finally:
        stop.set()
        for poster in posters:
            poster.join(60)
    assert [poster.error for poster in posters] == [None] * len(posters)
    answers = sum((poster.answers for poster in posters), Counter())
    assert answers.keys() == {200}
    assert answers[200] > len(posters)
    check(size["conversations"], report, answers)
    per_conversation = 1 + TURNS + EVENTS + ENTRIES
    total = size["conversations"] * per_conversation
    # New events of the posters come on top of what each conversation had.
    assert max(batches.rows) <= retention.BATCH * per_conversation + answers[200]
    assert len(batches.rows) >= size["conversations"] / retention.BATCH
    longest = max(poster.longest for poster in posters)
    print(
        f"\nproof 7 {connection.vendor} ({SCALE}): {report.conversations} conversations "
        f"({total} rows) pruned in {took:.1f} s = {total / took:.0f} rows/s, largest of "
        f"{len(batches.rows)} batches {max(batches.rows)} rows; {answers[200]} callbacks "
        f"meanwhile, all 200, longest {longest * 1000:.0f} ms"
    )


def check(count, report, answers):
    assert (report.conversations, report.utterances) == (count, count * TURNS)
    assert report.payloads >= count * EVENTS
    assert not Utterance.objects.exists()
    assert not OutboxEntry.objects.exists()
    assert not Conversation.objects.exclude(perception_analysis="").exists()
    events = WebhookEvent.objects.filter(event_type="application.transcription_ready")
    assert not events.exclude(payload={}).exists()
    assert WebhookEvent.objects.count() == count * EVENTS + answers[200]
