"""Slots and budgets: who may start now, who waits, who is refused."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.conf import TavusSettings, get_settings
from django_tavus.models import CapacityLock, Conversation
from django_tavus.models.choices import ConversationStatus
from django_tavus.models.conversation import ConversationQuerySet
from django_tavus.services.errors import LaunchRefusedError

MAX_QUEUED_PER_USER = 50
DEFAULT_CALL_SECONDS = 3600  # what Tavus takes where max_call_duration is not sent
DAY = timedelta(days=1)
QUEUE_SCAN = 500


def claim(pk: uuid.UUID, now: datetime, **values: Any) -> bool:
    """Take a slot for a queued conversation and commit the attempt, before anything is sent.

    ``values`` are stored with the attempt. False: it is not queued any more, or must wait.
    """
    settings = get_settings()
    if settings.MAX_CONCURRENT is None and settings.MAX_CONCURRENT_PER_USER is None:
        return Conversation.objects.filter(_ready(now)).begin_attempt(pk, now, **values)
    with transaction.atomic():
        CapacityLock.acquire()
        if pk not in startable(now, settings):
            return False
        return Conversation.objects.begin_attempt(pk, now, **values)


def startable(now: datetime, settings: TavusSettings | None = None) -> list[uuid.UUID]:
    """Return the queued conversations that may start now, first come first.

    Those that only their owner's cap holds back are skipped; they do not hold up the others.
    """
    settings = settings or get_settings()
    held = Counter(
        Conversation.objects.holding_slot().order_by().values_list("owner_id", flat=True)
    )
    free = QUEUE_SCAN if settings.MAX_CONCURRENT is None else settings.MAX_CONCURRENT - held.total()
    chosen: list[uuid.UUID] = []
    # A scan has an end: it must not be full of those who are held back.
    full = [owner for owner in held if _held_back(owner, held, settings.MAX_CONCURRENT_PER_USER)]
    rows = waiting(now).exclude(owner_id__in=full)
    for pk, owner_id in rows.values_list("pk", "owner_id")[:QUEUE_SCAN]:
        if len(chosen) >= free:
            break
        if _held_back(owner_id, held, settings.MAX_CONCURRENT_PER_USER):
            continue
        held[owner_id] += 1
        chosen.append(pk)
    return chosen


def waiting(now: datetime) -> ConversationQuerySet:
    """Queued conversations that are not backing off, first come first."""
    return Conversation.objects.queue().filter(_ready(now), end_requested_at__isnull=True)


def _ready(now: datetime) -> Q:
    return Q(not_before__isnull=True) | Q(not_before__lte=now)


def _held_back(owner_id: object, held: Counter[Any], cap: int | None) -> bool:
    return cap is not None and owner_id is not None and held[owner_id] >= cap


def check_admission(owner: Any, now: datetime | None = None) -> None:
    """Refuse a launch that has no place in the queue or no minutes left.

    Raises:
        LaunchRefusedError: ``concurrency_limit`` or ``budget_exhausted``.
    """
    settings = get_settings()
    now = now or timezone.now()
    if owner is not None:
        _check_queue(owner)
        own = Conversation.objects.for_user(owner)
        _check_budget(own, settings.DAILY_MINUTES_PER_USER, now)
    _check_budget(Conversation.objects.all(), settings.DAILY_MINUTES, now)


def admit(owner: Any) -> None:
    """Check the budget again, one launch at a time, in the transaction that inserts the row.

    Requests that come at once would all be let in for the same last minute.
    """
    settings = get_settings()
    if settings.DAILY_MINUTES is not None or settings.DAILY_MINUTES_PER_USER is not None:
        CapacityLock.acquire()
        check_admission(owner)


def _check_queue(owner: Any) -> None:
    if Conversation.objects.queue().for_user(owner).count() >= MAX_QUEUED_PER_USER:
        raise LaunchRefusedError(
            "concurrency_limit",
            _("You have %(n)d conversations waiting already. Wait until one of them has started.")
            % {"n": MAX_QUEUED_PER_USER},
            retry_after=30,
        )


def _check_budget(rows: ConversationQuerySet, minutes: float | None, now: datetime) -> None:
    if minutes is None:
        return
    used, oldest = _used(rows, now)
    if used >= timedelta(minutes=minutes):
        retry_after = max(60, int((oldest + DAY - now).total_seconds())) if oldest else 3600
        raise LaunchRefusedError(
            "budget_exhausted",
            _("The budget of %(minutes)g call minutes in 24 hours is used up. Try again later.")
            % {"minutes": minutes},
            retry_after=retry_after,
        )


def _used(rows: ConversationQuerySet, now: datetime) -> tuple[timedelta, datetime | None]:
    """Call time since yesterday; live calls count with what they may still use."""
    since = now - DAY
    total = timedelta()
    oldest: datetime | None = None
    ended = rows.filter(status=ConversationStatus.ENDED, ended_at__gt=since)
    for row in ended.order_by().only("launched_at", "ended_at").iterator():
        if row.launched_at is None or row.ended_at is None:
            continue
        total += max(timedelta(), min(row.ended_at, now) - max(row.launched_at, since))
        oldest = min(oldest, row.ended_at) if oldest else row.ended_at
    for row in rows.live().exclude(test_mode=True):  # those cost nothing
        began = row.launched_at or row.attempted_at or row.created_at
        # One that was forgotten may run longer than it may, and longer than a day.
        until = max(began + timedelta(seconds=call_seconds(row)), now)
        total += until - max(began, since)
    return total, oldest


def call_seconds(conversation: Conversation) -> int:
    """The longest that a call may last, in seconds."""
    seconds = conversation.properties.get("max_call_duration", DEFAULT_CALL_SECONDS)
    return seconds if isinstance(seconds, int) else DEFAULT_CALL_SECONDS
