"""Ending: a call is billed by the minute until Tavus has been told."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from django_tavus.client import Conflict, InvalidRequest, NotFound, TavusClient
from django_tavus.conf import get_settings
from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus
from django_tavus.models.conversation import LIVE, OVER
from django_tavus.services import recognizing
from django_tavus.services.announcing import announce
from django_tavus.services.clients import get_client
from django_tavus.services.enqueue import enqueue

logger = logging.getLogger("django_tavus.ending")

END_REASON = "end_conversation_endpoint_hit"  # what Tavus reports after its end endpoint


def end_conversation(conversation: Conversation) -> None:
    """Store that ``conversation`` is to end; a task tells Tavus. Idempotent, talks no HTTP.

    A queued one ends at once as ``cancelled``. While the create is in flight the wish is stored
    and carried out when the room is known.
    """
    rows = Conversation.objects.filter(pk=conversation.pk).exclude(status__in=OVER)
    rows.filter(end_requested_at__isnull=True).store(end_requested_at=timezone.now())
    queued = Conversation.objects.filter(pk=conversation.pk, status=ConversationStatus.QUEUED)
    if queued.exists():
        # A launch that claims the row at this moment wins, and then carries out the end.
        cancel(conversation.pk, sources=(ConversationStatus.QUEUED,))
    if rows.exists():
        enqueue("end_conversation", str(conversation.pk))
    conversation.refresh_from_db(
        fields=["status", "end_requested_at", "ended_at", "shutdown_reason", "updated_at"]
    )


def owed(now: datetime | None = None) -> Q:
    """Condition for conversations of which Tavus has yet to be told that they are over."""
    now = now or timezone.now()
    free = Q(ending_at__isnull=True) | Q(ending_at__lt=now - recognizing.attempt_window())
    wished = Q(status=ConversationStatus.ACTIVE, end_requested_at__isnull=False)
    return free & (Q(end_owed=True) | wished)


def carry_out(pk: uuid.UUID | str) -> None:
    """End at Tavus what is owed for one conversation: its room, and orphans made for it.

    Raises:
        TavusError: Tavus did not answer; the sweep comes again.
    """
    now = timezone.now()
    if not Conversation.objects.filter(owed(now), pk=pk).update(ending_at=now):
        return
    conversation = Conversation.objects.get(pk=pk)
    client = get_client()
    wanted = conversation.is_over or conversation.end_requested_at is not None
    if conversation.tavus_id and wanted:  # first: an orphan that cannot be ended must not keep it
        _end_room(client, conversation)
    for orphan in conversation.orphan_ids:
        if orphan != conversation.tavus_id:
            _end_orphan(client, conversation, orphan)
    done = Conversation.objects.filter(pk=pk, orphan_ids=conversation.orphan_ids)
    if not wanted:  # over by now, perhaps by a forged callback: then its room is still owed a look
        done = done.filter(status__in=LIVE)
    if not done.store(end_owed=False, ending_at=None, orphan_ids=[]):
        Conversation.objects.filter(pk=pk, end_owed=True).update(ending_at=None)
    enqueue("start_queued")


def _end_room(client: TavusClient, conversation: Conversation) -> None:
    if conversation.is_over:
        # Told by a callback, which may be forged: our clock must not stop while theirs runs.
        if remote_is_active(client, str(conversation.tavus_id)):
            end_remote(client, str(conversation.tavus_id))
        return
    end_remote(client, str(conversation.tavus_id))
    now = timezone.now()
    entry = Conversation.objects.transition(
        conversation.pk,
        ConversationStatus.ENDED,
        ended_at=now,
        shutdown_reason=END_REASON,
        next_check_at=now + timedelta(seconds=get_settings().RECONCILE_AFTER),
    )
    announce([entry])


def _end_orphan(client: TavusClient, conversation: Conversation, tavus_id: str) -> None:
    """End a room made for ``conversation`` that is not its room; only if it really is ours."""
    try:
        body = client.conversations.get(tavus_id)
    except NotFound:
        return
    if body.get("status") == "ended" or recognizing.is_anothers(conversation, body):
        return
    if recognizing.is_ours(conversation, body) or recognizing.was_answered(conversation, body):
        logger.warning("Ending the orphan %s of conversation %s", tavus_id, conversation.pk)
        end_remote(client, tavus_id)


def end_remote(client: TavusClient, tavus_id: str) -> None:
    """Tell Tavus to end a room; a room that is over or gone already is fine.

    Tavus answers 400 both for an unknown id and for a room that has ended, so a refusal is
    checked with a GET.
    """
    try:
        client.conversations.end(tavus_id)
    except (Conflict, InvalidRequest, NotFound):
        if remote_is_active(client, tavus_id):
            raise


def remote_is_active(client: TavusClient, tavus_id: str) -> bool:
    """Whether Tavus still counts the minutes of a room."""
    try:
        return client.conversations.get(tavus_id).get("status") == "active"
    except NotFound:
        return False


def cancel(pk: uuid.UUID, sources: Iterable[str] = LIVE) -> None:
    """End a conversation for which Tavus has no room, if it is in one of ``sources``."""
    entry = Conversation.objects.filter(tavus_id__isnull=True, status__in=sources).transition(
        pk,
        ConversationStatus.ENDED,
        ended_at=timezone.now(),
        shutdown_reason="cancelled",
        error_code="",
        error_message="",
        next_check_at=None,
    )
    announce([entry])
    enqueue("start_queued")
