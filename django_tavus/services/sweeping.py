"""The sweep: every intent lies in a row, and what a lost message forgot is found here.

With Redis an unacknowledged message comes back after an hour, and an embedded broker forgets it
on ``kill -9``. So messages only make things fast; this makes them certain.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from django_tavus.models import CapacityLock, Conversation, WebhookEvent
from django_tavus.models.choices import ConversationStatus
from django_tavus.services import (
    announcing,
    doubting,
    ending,
    leaving,
    pushing,
    recognizing,
)
from django_tavus.services.enqueue import enqueue

BATCH = 500
RESEND = timedelta(seconds=30)  # until a message that was sent again counts as lost too
FRESH = timedelta(seconds=5)  # for so long the message that was sent may still be on its way


def sweep(now: datetime | None = None) -> None:
    """Enqueue the work for every stored intent, and send the signals that are still owed."""
    now = now or timezone.now()
    sweep_events(now)
    sweep_ends(now)
    sweep_lost_attempts(now)
    cancel_unwanted()
    leaving.end_left(now)
    sweep_erasures(now)
    pushing.sweep_pushes(now)
    announcing.announce_owed(now)
    enqueue("start_queued")
    CapacityLock.note_sweep(now)


def sweep_events(now: datetime) -> None:
    """Events that were stored and not processed; each is sent again only after a while.

    A worker that is busy with a backlog must not find every sweep's copy of it in its queue.
    """
    due = WebhookEvent.objects.due(now).filter(received_at__lt=now - FRESH).order_by("pk")
    pks = list(due.values_list("pk", flat=True)[:BATCH])
    WebhookEvent.objects.due(now).filter(pk__in=pks).update(next_attempt_at=now + RESEND)
    for pk in pks:
        enqueue("process_event", pk)


def sweep_ends(now: datetime) -> None:
    """Conversations of which Tavus has yet to be told that they are over."""
    for pk in Conversation.objects.filter(ending.owed(now)).values_list("pk", flat=True)[:BATCH]:
        enqueue("end_conversation", str(pk))


def sweep_lost_attempts(now: datetime) -> None:
    """Attempts whose worker is gone: nobody waits for their answer any more."""
    lost = Conversation.objects.filter(
        Q(attempted_at__lt=now - recognizing.attempt_window()),
        status=ConversationStatus.LAUNCHING,
        tavus_id__isnull=True,
        next_check_at__isnull=True,
    )
    for conversation in lost[:BATCH]:
        doubting.open_doubt(conversation, "the worker that asked is gone", due=now)


def sweep_erasures(now: datetime) -> None:
    """Conversations that are to be erased here and at Tavus."""
    wanted = Conversation.objects.over().filter(erase_requested_at__lt=now - FRESH)
    for pk in wanted.values_list("pk", flat=True)[:BATCH]:
        enqueue("erase_conversation", str(pk))


def cancel_unwanted() -> None:
    """Queued conversations whose end was requested when a process died."""
    unwanted = Conversation.objects.queue().filter(end_requested_at__isnull=False)
    for pk in unwanted.values_list("pk", flat=True)[:BATCH]:
        ending.cancel(pk, sources=(ConversationStatus.QUEUED,))
