"""The effects of events as somebody would write them in SQL for one project.

Locks, claims, forward-only transitions and the outbox are kept: without them it would be another
effect. Signals without receivers are marked in one statement, others one by one as they are sent.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from django_tavus import signals
from django_tavus.client import parse_datetime
from django_tavus.models import Conversation, WebhookEvent
from django_tavus.services.enqueue import enqueue

EVENT = """
SELECT conversation_id, event_type, payload, received_at FROM django_tavus_webhookevent
WHERE id = %s AND status = 'received'
"""
LOCK = "SELECT tavus_id, status, turns FROM django_tavus_conversation WHERE id = %s FOR UPDATE"
CLAIM = """
UPDATE django_tavus_webhookevent
SET status = 'processed', attempts = attempts + 1, processed_at = %s, next_attempt_at = NULL,
    error = ''
WHERE id = %s AND status = 'received'
"""
HEARD = "UPDATE django_tavus_conversation SET heard_at = %s, updated_at = %s WHERE id = %s"
JOINED = """
UPDATE django_tavus_conversation SET joined_at = %s, heard_at = %s, updated_at = %s
WHERE id = %s AND joined_at IS NULL
"""
ENDED = """
UPDATE django_tavus_conversation
SET status = 'ended', ended_at = %s, shutdown_reason = %s, shutdown_seen = TRUE, end_owed = TRUE,
    next_check_at = %s, checks_made = 0, heard_at = %s, updated_at = %s
WHERE id = %s AND status IN ('queued', 'launching', 'active')
"""
FORGET_UTTERANCES = "DELETE FROM django_tavus_utterance WHERE conversation_id = %s"
UTTERANCE = "(%s, %s, %s, %s, %s, %s, %s)"
UTTERANCES = """
INSERT INTO django_tavus_utterance
  (conversation_id, position, role, content, spoken_at, seconds_from_start, duration) VALUES
"""
TURNS = """
UPDATE django_tavus_conversation SET turns = %s, heard_at = %s, updated_at = %s WHERE id = %s
"""
PERCEPTION = """
UPDATE django_tavus_conversation SET perception_analysis = %s, heard_at = %s, updated_at = %s
WHERE id = %s AND perception_analysis = ''
"""
RECORDING = """
INSERT INTO django_tavus_recording
  (conversation_id, storage_provider, bucket_name, key, uri, duration, error_message)
SELECT %s, 's3', '', %s, '', %s, ''
WHERE NOT EXISTS (SELECT 1 FROM django_tavus_recording WHERE conversation_id = %s AND key = %s)
RETURNING id
"""
OWED = "(%s, %s, %s, %s, %s, %s, '')"
OWE = """
INSERT INTO django_tavus_outboxentry
  (signal, key, conversation_id, event_id, created_at, claimed_at, error) VALUES
"""
SENT = "UPDATE django_tavus_outboxentry SET sent_at = %s WHERE id = ANY(%s)"

ROLES = {"user": "user", "assistant": "replica"}


def process(pk: int) -> None:
    """Give one event its effect."""
    with connection.cursor() as cursor:
        cursor.execute(EVENT, [pk])
        conversation, event_type, payload, received_at = cursor.fetchone()
        body = json.loads(payload)
        with transaction.atomic():
            now = timezone.now()
            cursor.execute(LOCK, [conversation])
            tavus_id, _, turns = cursor.fetchone()
            if body["conversation_id"] != tavus_id:
                raise ValueError("about another conversation")
            cursor.execute(CLAIM, [now, pk])
            if not cursor.rowcount:
                return
            effect = EFFECTS.get(event_type, _nothing)
            at = min(parse_datetime(body["timestamp"]) or received_at, received_at)
            owed = effect(cursor, conversation, body["properties"], at, now, turns)
            owed.append(("webhook_received", pk))
            entries = _owe(cursor, conversation, pk, owed, now)
        event = WebhookEvent(
            pk=pk, conversation_id=conversation, event_type=event_type, payload=body
        )
        _announce(cursor, event, dict(zip(entries, owed, strict=True)))


Owed = list[tuple[str, object]]


def _nothing(cursor: Any, pk: Any, _: Any, at: datetime, now: datetime, turns: Any) -> Owed:
    cursor.execute(HEARD, [now, now, pk])
    return []


def _joined(cursor: Any, pk: Any, _: Any, at: datetime, now: datetime, turns: Any) -> Owed:
    cursor.execute(JOINED, [at, now, now, pk])
    return [("replica_joined", "")] if cursor.rowcount else []


def _ended(cursor: Any, pk: Any, told: Any, at: datetime, now: datetime, turns: Any) -> Owed:
    check = now + timedelta(seconds=120)
    cursor.execute(ENDED, [at, told["shutdown_reason"], check, now, now, pk])
    if not cursor.rowcount:
        return []
    enqueue("end_conversation", str(pk))
    return [("conversation_ended", "")]


def _transcript(cursor: Any, pk: Any, told: Any, at: datetime, now: datetime, turns: Any) -> Owed:
    said = [entry for entry in told["transcript"] if entry["role"] in ROLES]
    if turns is not None and len(said) <= turns:
        return []
    cursor.execute(FORGET_UTTERANCES, [pk])
    values: list[object] = []
    for place, entry in enumerate(said):
        values += [pk, place, ROLES[entry["role"]], entry["content"], None, None, None]
    cursor.execute(UTTERANCES + ", ".join([UTTERANCE] * len(said)), values)
    cursor.execute(TURNS, [len(said), now, now, pk])
    return [("transcript_ready", len(said))]


def _perception(cursor: Any, pk: Any, told: Any, at: datetime, now: datetime, turns: Any) -> Owed:
    cursor.execute(PERCEPTION, [told["analysis"], now, now, pk])
    return [("perception_ready", "")] if cursor.rowcount else []


def _recording(cursor: Any, pk: Any, told: Any, at: datetime, now: datetime, turns: Any) -> Owed:
    cursor.execute(HEARD, [now, now, pk])
    key = told["s3_key"]
    cursor.execute(RECORDING, [pk, key, told["duration"], pk, key])
    row = cursor.fetchone()
    return [("recording_ready", row[0])] if row else []


EFFECTS = {
    "system.replica_joined": _joined,
    "system.shutdown": _ended,
    "application.transcription_ready": _transcript,
    "application.perception_analysis": _perception,
    "application.recording_ready": _recording,
}


def _owe(cursor: Any, conversation: Any, pk: int, owed: Owed, now: datetime) -> list[int]:
    values: list[object] = []
    for signal, occasion in owed:
        key = f"{signal}:conversation:{conversation}:{occasion}"
        values += [signal, key, conversation, pk, now, now]
    cursor.execute(OWE + ", ".join([OWED] * len(owed)) + " RETURNING id", values)
    return [row[0] for row in cursor.fetchall()]


def _announce(cursor: Any, event: WebhookEvent, entries: dict[int, tuple[str, object]]) -> None:
    silent = []
    for entry, (name, _) in entries.items():
        signal = getattr(signals, name)
        if not signal.has_listeners(Conversation):
            silent.append(entry)
            continue
        row = Conversation.objects.get(pk=event.conversation_id)
        signal.send_robust(sender=Conversation, conversation=row, event=event)
        cursor.execute(SENT, [timezone.now(), [entry]])
    if silent:
        cursor.execute(SENT, [timezone.now(), silent])
