"""Events: one door for what Tavus tells us and for what we fetch.

``record`` stores an event before it is understood; ``process`` gives it its one effect. The
dedupe key only spares work: that a fact has one effect is the business of the transition.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from django_tavus.client import parse_datetime
from django_tavus.models import Conversation, Document, OutboxEntry, Replica, WebhookEvent
from django_tavus.models.choices import EventSource, EventStatus
from django_tavus.services import adopting, claims, effects, mapping
from django_tavus.services.announcing import announce, describe
from django_tavus.services.enqueue import enqueue
from django_tavus.services.tokens import Subject

logger = logging.getLogger("django_tavus.events")

Body = Mapping[str, Any]
Row = TypeVar("Row", Conversation, Document, Replica)

# Two names for one fact: newer Tavus sends both, milliseconds apart.
CANONICAL = {"system.pal_joined": "system.replica_joined"}

# What tells two events of one type apart. Tavus gives events no id, so:
INTERACTION = "interaction"  # canvas events carry a real id
PROPERTIES = "properties"  # objectives and tool calls repeat; only their content differs
TIMESTAMP = "timestamp"  # once in a life; seconds, since the fetched copy has no microseconds
REVISION = "revision"  # documents and replicas: status and own date, else every delivery counts

DISCRIMINATORS: dict[str, str] = {
    "canvas.interaction": INTERACTION,
    "system.replica_joined": TIMESTAMP,
    "system.shutdown": TIMESTAMP,
    "application.transcription_ready": TIMESTAMP,
    "application.recording_ready": TIMESTAMP,
    "application.recording_copy_failed": TIMESTAMP,
    "application.perception_analysis": TIMESTAMP,
    "application.perception_unavailable": TIMESTAMP,
    "application.post_call_action_executed": PROPERTIES,
    "application.perception_tool_call": PROPERTIES,
    "application.memory_consolidation": TIMESTAMP,
    "application.raven_memory_evidence": TIMESTAMP,
    "conversation.objective.completed": PROPERTIES,
}

RECEIVED = WebhookEvent.objects.filter(status=EventStatus.RECEIVED)
# Events that wait, each with what the effects read of its conversation. Put together once: that
# takes longer than running it. What is left out is read when a receiver asks for it.
WAITING = RECEIVED.select_related("conversation").only(
    "source",
    "event_type",
    "conversation",
    "document",
    "replica",
    "payload",
    "received_at",
    "status",
    "attempts",
    "processed_at",
    *(f"conversation__{name}" for name in effects.CONVERSATION_FIELDS),
)

# What is told after a prune must not stay for ever: the next one comes back.
TO_BE_PRUNED: dict[str, Any] = {"pruned_at": None}

MAX_ATTEMPTS = 5
BACKOFF = (5, 30, 120, 600)  # seconds before the next try of an event that failed


def event_type(body: Body) -> str:
    """Return the type that ``body`` claims; objectives and status reports come without one."""
    claimed = body.get("event_type")
    if isinstance(claimed, str) and claimed:
        return mapping.clean_text(claimed)[:128]
    if "objective_name" in body:  # the flat shape that was seen in the wild
        return "conversation.objective.completed"
    return ""


def dedupe_key(subject: Subject, body: Body, received_at: datetime) -> str:
    """Return the key under which the same fact is the same event, called back or fetched."""
    kind = CANONICAL.get(event_type(body), event_type(body))
    rule = DISCRIMINATORS.get(kind, PROPERTIES) if subject.kind == "conversation" else REVISION
    parts = [
        subject.kind,
        str(subject.pk),
        claims.claimed_id(subject.kind, body),
        kind,
        _discriminator(rule, body, received_at),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _discriminator(rule: str, body: Body, received_at: datetime) -> str:
    properties = body.get("properties")
    inner: Body = properties if isinstance(properties, dict) else {}
    if rule == INTERACTION and isinstance(inner.get("interaction_id"), str):
        return str(inner["interaction_id"])
    if rule == TIMESTAMP and (at := parse_datetime(body.get("timestamp"))):
        return at.replace(microsecond=0).isoformat()
    if rule == REVISION:
        report = claims.flat(body)  # two statuses may share a date: a failed crawl has none
        date = report.get("updated_at") or report.get("last_crawled_at") or received_at
        return _digest([report.get("status"), str(date)])
    return _digest(properties if inner else _without_envelope(body))


def _without_envelope(body: Body) -> dict[str, Any]:
    envelope = ("conversation_id", "webhook_url", "event_type", "message_type", "timestamp")
    return {name: value for name, value in body.items() if name not in envelope}


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def record(subject: Subject, body: Body, *, source: str = EventSource.CALLBACK) -> WebhookEvent:
    """Store one event: one INSERT, no read.

    Raises:
        IntegrityError: it is stored already, or the object of the token is gone; see
            :func:`django_tavus.services.integrity.reason`.
    """
    now = timezone.now()
    return WebhookEvent.objects.create(
        dedupe_key=dedupe_key(subject, body, now),
        source=source,
        event_type=event_type(body),
        payload=mapping.keep(body),
        received_at=now,
        **{f"{subject.kind}_id": subject.pk},
    )


def process(pk: int) -> None:
    """Give a received event its effect, once; a failure is noted and tried again later."""
    try:
        event = WAITING.get(pk=pk)
    except WebhookEvent.DoesNotExist:
        return
    try:
        with transaction.atomic():
            entries = _apply(event)
    except claims.RejectedError as error:
        if error.orphan and event.conversation_id:  # first: a crash in between must not lose it
            adopting.disown(event.conversation_id, error.orphan)
            enqueue("end_conversation", str(event.conversation_id))
        _park(event, EventStatus.REJECTED, mapping.clean_text(str(error)))
    except Exception as error:
        logger.exception("Event %s could not be processed", pk)
        _failed(event, error)
    else:
        announce(entries)


def _apply(event: WebhookEvent) -> list[OutboxEntry | None]:
    """Lock the object, claim the event, apply its effect; the caller holds the transaction.

    The lock is an UPDATE: SQLite must begin with a write. The object comes first, so that no two
    workers hold each other up.
    """
    subject = _lock(event)
    # Only a failed attempt leaves these behind; every column that is written costs.
    failed: dict[str, Any] = {"next_attempt_at": None, "error": ""} if event.attempts else {}
    # An attempt that was noted since the event was read has put it off.
    claimed = RECEIVED.filter(pk=event.pk, attempts=event.attempts).update(
        status=EventStatus.PROCESSED,
        attempts=event.attempts + 1,
        processed_at=timezone.now(),
        **failed,
    )
    if not claimed or subject is None:
        return []
    entries = effects.apply(subject, event)
    if not _was_announced(event):
        entries.append(
            OutboxEntry.objects.draft("webhook_received", subject, event=event, occasion=event.pk)
        )
    OutboxEntry.objects.bulk_create([entry for entry in entries if entry and not entry.pk])
    return entries


def _was_announced(event: WebhookEvent) -> bool:
    """Whether ``webhook_received`` is owed already: only a replayed event has been processed."""
    if event.processed_at is None:
        return False
    return event.outbox_entries.filter(signal="webhook_received").exists()


def _lock(event: WebhookEvent) -> Conversation | Document | Replica | None:
    if (conversation := event.conversation) is not None:
        rows = Conversation.objects.filter(pk=conversation.pk)
        unmoved = rows.filter(updated_at=conversation.updated_at)
        if unmoved.update(heard_at=timezone.now(), **TO_BE_PRUNED):
            return conversation  # still as it was when it was read with the event
        return _locked(rows, *effects.CONVERSATION_FIELDS, **TO_BE_PRUNED)
    if event.document_id is not None:
        return _locked(Document.objects.filter(pk=event.document_id))
    return _locked(Replica.objects.filter(pk=event.replica_id or 0))


def _locked(rows: QuerySet[Row], *fields: str, **values: Any) -> Row | None:
    """Lock the only one of ``rows`` and read its ``fields`` (all, if none is named)."""
    if not rows.update(heard_at=timezone.now(), **values):
        return None
    return (rows.only(*fields) if fields else rows).get()


def _failed(event: WebhookEvent, error: Exception) -> None:
    attempts = event.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        _park(event, EventStatus.FAILED, describe(error))
        return
    wait = BACKOFF[min(attempts, len(BACKOFF)) - 1]
    _settle(event, error=describe(error), next_attempt_at=timezone.now() + timedelta(seconds=wait))


def _park(event: WebhookEvent, status: str, error: str) -> None:
    """Give ``event`` up, and its key: it must not keep a good one out."""
    _settle(
        event, status=status, error=error, next_attempt_at=None, dedupe_key=f"{status}:{event.pk}"
    )
    if event.conversation_id is not None:  # its effect on the row was undone, its payload was not
        pruned = Conversation.objects.filter(pk=event.conversation_id, pruned_at__isnull=False)
        pruned.update(**TO_BE_PRUNED)


def _settle(event: WebhookEvent, **values: Any) -> None:
    RECEIVED.filter(pk=event.pk).update(attempts=F("attempts") + 1, **values)


def replay(event: WebhookEvent) -> bool:
    """Make a failed or rejected event wait to be processed again."""
    return bool(
        WebhookEvent.objects.filter(pk=event.pk)
        .exclude(status=EventStatus.RECEIVED)
        .update(status=EventStatus.RECEIVED, attempts=0, next_attempt_at=None, error="")
    )
