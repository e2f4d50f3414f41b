"""What each event does to the object it is about.

Every effect is idempotent and independent of order: a late ``replica_joined`` never reopens an
ended conversation, and of two reports of one fact the earlier date stands, whichever came first.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from django_tavus.client import parse_datetime
from django_tavus.conf import get_settings
from django_tavus.models import (
    Conversation,
    Document,
    OutboxEntry,
    Recording,
    Replica,
    Utterance,
    WebhookEvent,
)
from django_tavus.models.choices import (
    ConversationStatus,
    DocumentStatus,
    EventSource,
    ReplicaStatus,
    UtteranceRole,
)
from django_tavus.services import adopting, mapping
from django_tavus.services.enqueue import enqueue

Entries = list[OutboxEntry | None]
# What the effects read of a locked conversation; its large columns stay where they are.
CONVERSATION_FIELDS = (
    "tavus_id",
    "status",
    "created_at",
    "updated_at",
    "attempts",
    "attempted_at",
    "launched_at",
    "end_owed",
    "turns",
)
Effect = Callable[[Conversation, WebhookEvent, Mapping[str, Any]], Entries]


class RejectedError(Exception):
    """The event is about another object than the token that it came with.

    ``orphan`` is the id of a room that may have been made for the token's conversation without
    being its room; it is ended if Tavus shows our key on it.
    """

    def __init__(self, message: str, *, orphan: str = "") -> None:
        super().__init__(message)
        self.orphan = orphan


def apply(subject: Conversation | Document | Replica, event: WebhookEvent) -> Entries:
    """Apply ``event`` to its locked ``subject`` in the caller's transaction.

    The caller stores those of the returned entries that are drafts.

    Raises:
        RejectedError: the body names another object.
    """
    if isinstance(subject, Conversation):
        return _apply_to_conversation(subject, event)
    if isinstance(subject, Document):
        return _apply_to_document(subject, event)
    return _apply_to_replica(subject, event)


# --- conversations ----------------------------------------------------------------------------


def _apply_to_conversation(conversation: Conversation, event: WebhookEvent) -> Entries:
    entries = _identify(conversation, event)
    properties = event.payload.get("properties")
    effect = CONVERSATION_EFFECTS.get(event.event_type)
    if effect is not None:
        entries += effect(conversation, event, properties if isinstance(properties, dict) else {})
    return entries


def _identify(conversation: Conversation, event: WebhookEvent) -> Entries:
    """Compare the id in the body with the row's; adopt it where the row has none yet."""
    claimed = mapping.text(event.payload.get("conversation_id"), 128)
    if not claimed or claimed == conversation.tavus_id:
        return []
    if conversation.tavus_id is not None:
        raise RejectedError(
            f"It is about {claimed}, not about {conversation.tavus_id}.",
            # Perhaps the room of the first of two attempts.
            orphan=claimed if conversation.attempts > 1 else "",
        )
    if Conversation.objects.filter(tavus_id=claimed).exists():
        raise RejectedError(f"It is about {claimed}, which is another conversation of ours.")
    if conversation.is_over:
        raise RejectedError(
            f"{claimed} was made for a launch that is over; it will be ended.", orphan=claimed
        )
    entries = adopting.adopt(conversation.pk, {"conversation_id": claimed}, event)
    conversation.refresh_from_db()
    return entries


def _happened_at(conversation: Conversation, event: WebhookEvent) -> datetime:
    """When Tavus says that it happened: not before it was asked for, nor after it was told."""
    at = parse_datetime(event.payload.get("timestamp")) or event.received_at
    asked = conversation.attempted_at or conversation.created_at
    return min(max(at, asked - adopting.CLOCK_SKEW), event.received_at)


def _joined(conversation: Conversation, event: WebhookEvent, _: Mapping[str, Any]) -> Entries:
    at = _happened_at(conversation, event)
    if Conversation.objects.filter(pk=conversation.pk, joined_at__isnull=True).store(joined_at=at):
        return [OutboxEntry.objects.draft("replica_joined", conversation, event=event)]
    Conversation.objects.filter(pk=conversation.pk, joined_at__gt=at).store(joined_at=at)
    return []


def _shutdown(
    conversation: Conversation, event: WebhookEvent, properties: Mapping[str, Any]
) -> Entries:
    """End the row; an end that only a callback told is confirmed by a GET (``end_owed``)."""
    at = _happened_at(conversation, event)
    if conversation.launched_at is not None:
        at = max(at, conversation.launched_at)
    told = {
        "ended_at": at,
        "shutdown_reason": shutdown_reason(properties),
        "shutdown_seen": True,
    }
    row = Conversation.objects.filter(pk=conversation.pk)
    doubtful = event.source == EventSource.CALLBACK
    entry = Conversation.objects.transition(
        conversation.pk,
        ConversationStatus.ENDED,
        event=event,
        next_check_at=timezone.now() + timedelta(seconds=get_settings().RECONCILE_AFTER),
        checks_made=0,
        end_owed=doubtful or conversation.end_owed,
        **told,
    )
    if entry is not None:
        enqueue(
            "end_conversation" if doubtful else "start_queued",
            *([str(conversation.pk)] if doubtful else []),
        )
        return [entry]
    # Ended by us already: Tavus's own date and reason are the truth, the earliest of them. What a
    # callback changes is looked at once more, even after the last look: it may be forged.
    look = timezone.now() + timedelta(seconds=get_settings().RECONCILE_AFTER)
    ended = row.filter(status=ConversationStatus.ENDED)
    ended.filter(Q(shutdown_seen=False) | Q(ended_at__gt=at)).store(
        next_check_at=Coalesce("next_check_at", Value(look)), **told
    )
    return []


def shutdown_reason(properties: Mapping[str, Any]) -> str:
    """Return why a call ended.

    The webhook says ``shutdown_reason``, the event of a verbose GET says ``reason``.
    """
    return mapping.text(properties.get("shutdown_reason") or properties.get("reason"), 255)


def correct_end(pk: uuid.UUID, told: Mapping[str, Any]) -> None:
    """Take date and reason of an end from the shutdown that Tavus answered to our own question.

    What a callback told may be forged. Fetched dates have whole seconds and only correct others.
    """
    at, properties = parse_datetime(told.get("timestamp")), told.get("properties")
    row = Conversation.objects.filter(pk=pk, status=ConversationStatus.ENDED).first()
    if row is None or row.ended_at is None or at is None:
        return
    is_same = at <= row.ended_at < at + timedelta(seconds=1)
    at = row.ended_at if is_same else max(at, row.launched_at or at)
    reason = shutdown_reason(properties) if isinstance(properties, Mapping) else ""
    if (at, reason) != (row.ended_at, row.shutdown_reason):
        Conversation.objects.filter(pk=pk).store(
            ended_at=at, shutdown_reason=reason, shutdown_seen=True
        )


def _transcript(
    conversation: Conversation, event: WebhookEvent, properties: Mapping[str, Any]
) -> Entries:
    turns = transcript_turns(properties.get("transcript"))
    if conversation.turns is not None and len(turns) <= conversation.turns:
        return []
    if conversation.turns is not None:
        Utterance.objects.filter(conversation=conversation).delete()
    Utterance.objects.bulk_create(
        Utterance(conversation=conversation, position=position, **turn)
        for position, turn in enumerate(turns)
    )
    Conversation.objects.filter(pk=conversation.pk).store(turns=len(turns))
    return [
        OutboxEntry.objects.draft(
            "transcript_ready", conversation, event=event, occasion=len(turns)
        )
    ]


# Webhooks say "assistant", messages in the room "replica" or "pal". The first "system" entry is
# the persona's prompt, later ones are what Tavus saw on camera: neither was said by anyone.
ROLES = {
    "user": UtteranceRole.USER,
    "assistant": UtteranceRole.REPLICA,
    "replica": UtteranceRole.REPLICA,
    "pal": UtteranceRole.REPLICA,
    "tool": UtteranceRole.TOOL,
}


def transcript_turns(transcript: object) -> list[dict[str, Any]]:
    """Return the spoken turns of a transcript as columns of ``Utterance``."""
    if not isinstance(transcript, list):
        return []
    return [
        {
            "role": ROLES[entry["role"]],
            "content": spoken_text(entry.get("content")),
            "spoken_at": _moment(entry.get("timestamp")),
            "seconds_from_start": _number(entry.get("seconds_from_start")),
            "duration": _number(entry.get("duration")),
        }
        for entry in transcript
        if isinstance(entry, dict) and isinstance(entry.get("role"), str) and entry["role"] in ROLES
    ]


def spoken_text(content: object) -> str:
    """Return the text of a turn, which may be null or a list of parts."""
    if isinstance(content, str):
        return mapping.clean_text(content)
    if isinstance(content, list):
        return " ".join(filter(None, map(spoken_text, content)))
    if isinstance(content, dict):
        return spoken_text(content.get("text"))
    return ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # JSON has integers of any length
        return None


def _moment(value: object) -> datetime | None:
    """Read a date; years at the edge of the calendar overflow where they are shown."""
    at = parse_datetime(value)
    return at if at is not None and 1970 <= at.year < 9999 else None


def _perception(
    conversation: Conversation, event: WebhookEvent, properties: Mapping[str, Any]
) -> Entries:
    analysis = mapping.text(properties.get("analysis"))
    row = Conversation.objects.filter(pk=conversation.pk, perception_analysis="")
    if not analysis or not row.store(perception_analysis=analysis):
        return []
    return [OutboxEntry.objects.draft("perception_ready", conversation, event=event)]


def _recording(
    conversation: Conversation, event: WebhookEvent, properties: Mapping[str, Any]
) -> Entries:
    """Store a recording once; ``s3_key`` is the older name, other clouds give a URI."""
    place = {
        "storage_provider": mapping.text(properties.get("storage_provider"), 32)
        or ("s3" if properties.get("s3_key") else ""),
        "bucket_name": mapping.text(properties.get("bucket_name"), 255),
        "key": mapping.text(properties.get("s3_key") or properties.get("key")),
        "uri": mapping.text(properties.get("storage_uri")),
    }
    if conversation.recordings.filter(**place, error_message="").exists():
        return []
    recording = Recording.objects.create(
        conversation=conversation, duration=_number(properties.get("duration")), **place
    )
    return [
        OutboxEntry.objects.draft(
            "recording_ready", conversation, event=event, occasion=recording.pk
        )
    ]


def _recording_failed(
    conversation: Conversation, event: WebhookEvent, properties: Mapping[str, Any]
) -> Entries:
    message = mapping.text(properties.get("error_message")) or "The recording could not be copied."
    if not conversation.recordings.filter(error_message=message).exists():
        Recording.objects.create(
            conversation=conversation,
            storage_provider=mapping.text(properties.get("storage_provider"), 32),
            bucket_name=mapping.text(properties.get("bucket_name"), 255),
            error_message=message,
        )
    return []


CONVERSATION_EFFECTS: dict[str, Effect] = {
    "system.replica_joined": _joined,
    "system.pal_joined": _joined,
    "system.shutdown": _shutdown,
    "application.transcription_ready": _transcript,
    "application.perception_analysis": _perception,
    "application.recording_ready": _recording,
    "application.recording_copy_failed": _recording_failed,
}
"""Every other type is kept and announced by ``webhook_received``, and changes nothing."""


# --- documents and replicas -------------------------------------------------------------------


def _apply_to_document(document: Document, event: WebhookEvent) -> Entries:
    body = _report(event)
    claimed = _claimed(body, "document_id", "uuid", "id")
    _check_id(document, claimed)
    values = mapping.document_values(body)
    known: dict[str, Any] = {
        name: values[name]
        for name in ("status", "progress", "error_message", "last_crawled_at")
        if name in body
    }
    if claimed and not document.tavus_id:
        known["tavus_id"] = claimed
    if not known:
        return []
    Document.objects.filter(pk=document.pk).store(**known)
    return _announce_change(document, document.status, known.get("status"), event, DOCUMENT_SIGNALS)


def _apply_to_replica(replica: Replica, event: WebhookEvent) -> Entries:
    body = _report(event)
    claimed = _claimed(body, "replica_id", "face_id")
    _check_id(replica, claimed)
    values = mapping.replica_values(body)
    known: dict[str, Any] = {
        name: values[name]
        for name in ("status", "training_progress", "error_message")
        if name in body
    }
    if claimed and not replica.tavus_id:
        known["tavus_id"] = claimed
    if not known:
        return []
    Replica.objects.filter(pk=replica.pk).store(**known)
    return _announce_change(replica, replica.status, known.get("status"), event, REPLICA_SIGNALS)


DOCUMENT_SIGNALS = {
    DocumentStatus.READY.value: "document_ready",
    DocumentStatus.ERROR.value: "document_failed",
}
REPLICA_SIGNALS = {
    ReplicaStatus.READY.value: "replica_ready",
    ReplicaStatus.ERROR.value: "replica_failed",
}


def _report(event: WebhookEvent) -> dict[str, Any]:
    """Return the members of a status report, which may lie below ``properties`` or ``data``."""
    body = dict(event.payload)
    for name in ("properties", "data"):
        if isinstance(body.get(name), dict):
            body = {**body[name], **body}
    return body


def _claimed(body: Mapping[str, Any], *names: str) -> str:
    """Return the first id among ``names``; a column holds 128 characters of it."""
    return next(filter(None, (mapping.text(body.get(name), 128) for name in names)), "")


def _check_id(row: Document | Replica, claimed: str) -> None:
    if claimed and row.tavus_id and claimed != row.tavus_id:
        raise RejectedError(f"It is about {claimed}, not about {row.tavus_id}.")


def _announce_change(
    row: Document | Replica,
    before: str,
    after: str | None,
    event: WebhookEvent,
    table: Mapping[str, str],
) -> Entries:
    """Announce that a final status was reached; a recrawl reaches it anew."""
    if after is None or after == before or after not in table:
        return []
    return [OutboxEntry.objects.draft(table[after], row, event=event, occasion=event.pk)]
