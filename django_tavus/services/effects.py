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
from django_tavus.models.choices import ConversationStatus, EventSource
from django_tavus.services import adopting, claims, mapping, recognizing, status_reports
from django_tavus.services.claims import RejectedError
from django_tavus.services.enqueue import enqueue
from django_tavus.services.moments import moment
from django_tavus.services.transcripts import number, transcript_turns

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


def apply(subject: Conversation | Document | Replica, event: WebhookEvent) -> Entries:
    """Apply ``event`` to its locked ``subject`` in the caller's transaction.

    The caller stores those of the returned entries that are drafts.

    Raises:
        RejectedError: the body names another object.
    """
    if not isinstance(subject, Conversation):
        return status_reports.apply_report(subject, event)
    entries = _identify(subject, event)
    properties = event.payload.get("properties")
    effect = CONVERSATION_EFFECTS.get(event.event_type)
    if effect is not None:
        entries += effect(subject, event, properties if isinstance(properties, dict) else {})
    return entries


def _identify(conversation: Conversation, event: WebhookEvent) -> Entries:
    """Compare the id in the body with the row's; adopt it where the row has none yet."""
    claimed = claims.claimed_id("conversation", event.payload)
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
    at = moment(event.payload.get("timestamp")) or event.received_at
    asked = conversation.attempted_at or conversation.created_at
    return min(max(at, asked - recognizing.CLOCK_SKEW), event.received_at)


def ended_at(conversation: Conversation, at: datetime | None) -> datetime:
    """Return an end that a GET shows, within the call: minutes are counted up to it."""
    now = timezone.now()
    return min(max(at or now, conversation.launched_at or conversation.created_at), now)


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
    at, properties = moment(told.get("timestamp")), told.get("properties")
    row = Conversation.objects.filter(pk=pk, status=ConversationStatus.ENDED).first()
    if row is None or row.ended_at is None or at is None:
        return
    is_same = timedelta(0) <= row.ended_at - at < timedelta(seconds=1)
    at = row.ended_at if is_same else ended_at(row, at)
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
        conversation=conversation, duration=number(properties.get("duration")), **place
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
