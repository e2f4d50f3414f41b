"""Retention: what was said is removed in time, and everything about a person on request."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from django_tavus.client import NotFound
from django_tavus.conf import get_settings
from django_tavus.models import Conversation, OutboxEntry, Recording, Utterance, WebhookEvent
from django_tavus.models.conversation import ConversationQuerySet
from django_tavus.services.clients import get_client
from django_tavus.services.ending import end_conversation
from django_tavus.services.enqueue import enqueue

logger = logging.getLogger("django_tavus.retention")

BATCH = 200
# SQLite has one writer at a time, and whoever waits looks again every 0.1 s: long batches that
# follow each other without a pause would keep callbacks out until they are answered 503.
ONE_WRITER_BATCH = 50
PAUSE = 0.2  # seconds


@dataclass
class PruneReport:
    """What a prune removed, or would remove."""

    conversations: int = 0
    utterances: int = 0
    payloads: int = 0


def prune(
    now: datetime | None = None, *, days: int | None = None, dry_run: bool = False
) -> PruneReport:
    """Remove transcripts, perception and payloads older than ``days`` (default RETENTION_DAYS).

    The conversations stay, for the usage figures. Batches are small and committed one by one, so
    that callbacks are taken in meanwhile; a prune that was interrupted goes on with the next run.

    Raises:
        ValueError: ``days`` is less than 1.
    """
    days = days if days is not None else get_settings().RETENTION_DAYS
    report = PruneReport()
    if days is None:
        return report
    if days < 1:  # less would remove what was said in every call that is over
        raise ValueError(f"The age of what is pruned must be 1 or more days, not {days}.")
    due = Conversation.objects.prunable((now or timezone.now()) - timedelta(days=days))
    if dry_run:
        return _count(due, report)
    many_write = connection.features.has_select_for_update
    size = BATCH if many_write else ONE_WRITER_BATCH
    while pks := list(due.order_by("created_at").values_list("pk", flat=True)[:size]):
        _prune_batch(pks, report)
        if not many_write:
            time.sleep(PAUSE)
    return report


def _count(due: Any, report: PruneReport) -> PruneReport:
    report.conversations = due.count()
    report.utterances = Utterance.objects.filter(conversation__in=due).count()
    report.payloads = WebhookEvent.objects.filter(conversation__in=due).exclude(payload={}).count()
    return report


def _prune_batch(pks: list[uuid.UUID], report: PruneReport) -> None:
    """Prune some conversations; their events keep their keys, so that nothing comes twice."""
    with transaction.atomic():
        rows = Conversation.objects.filter(pk__in=pks)
        report.conversations += rows.store(
            perception_analysis="", pruned_at=timezone.now(), next_check_at=None
        )
        for row in rows.filter(remote__has_key="events").only("remote"):
            del row.remote["events"]  # those of a verbose GET hold the transcript
            rows.filter(pk=row.pk).store(remote=row.remote)
        report.utterances += Utterance.objects.filter(conversation_id__in=pks).delete()[0]
        Recording.objects.filter(conversation_id__in=pks).delete()
        events = WebhookEvent.objects.filter(conversation_id__in=pks)
        report.payloads += events.exclude(payload={}).update(payload={}, error="")
        sent = OutboxEntry.objects.filter(conversation_id__in=pks, sent_at__isnull=False)
        sent.delete()


def erase_user(user: Any) -> int:
    """Erase every conversation of ``user``, here and at Tavus; return how many will be.

    What is live is ended first. The wishes are stored at once, so an interrupted erasure is
    resumed by the sweep.
    """
    conversations = list(Conversation.objects.for_user(user))
    _store_wishes(Conversation.objects.for_user(user))
    for conversation in conversations:
        _begin_erasure(conversation)
    return len(conversations)


def request_erasure(conversation: Conversation) -> None:
    """Store that ``conversation`` is to be erased here and at Tavus; a task carries it out."""
    _store_wishes(Conversation.objects.filter(pk=conversation.pk))
    _begin_erasure(conversation)


def _store_wishes(rows: ConversationQuerySet) -> None:
    """Store both wishes: a call that nobody ends would be erased only when it ends by itself."""
    now = timezone.now()
    with transaction.atomic():
        rows.filter(erase_requested_at__isnull=True).store(erase_requested_at=now)
        rows.live().filter(end_requested_at__isnull=True).store(end_requested_at=now)


def _begin_erasure(conversation: Conversation) -> None:
    if not conversation.is_over:
        end_conversation(conversation)
    enqueue("erase_conversation", str(conversation.pk))


def erase(pk: uuid.UUID | str) -> None:
    """Erase a conversation at Tavus first, then here; does nothing unless that was requested.

    Raises:
        TavusError: Tavus did not answer; the row stays, and the sweep comes again.
    """
    # While an end is owed a room may be running, which deleting does not stop (observed) and
    # which nobody would know any more.
    wanted = Conversation.objects.over().filter(erase_requested_at__isnull=False, end_owed=False)
    conversation = wanted.filter(pk=pk).first()
    if conversation is None:
        return
    client = get_client()
    for tavus_id in filter(None, [conversation.tavus_id, *conversation.orphan_ids]):
        try:
            client.conversations.delete(tavus_id, hard=True)
        except NotFound:
            continue  # erased by an earlier try, or by hand
    conversation.delete()
    logger.info("Conversation %s was erased here and at Tavus", pk)
