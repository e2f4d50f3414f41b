"""Leaving: a browser says that its page is going, which may be a closing or a reload.

``pagehide`` cannot tell the two apart. So the moment is stored, and the end follows only if no
page of that room has shown itself again: a page that was reloaded polls at once, and then every
few seconds.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from django_tavus.models import Conversation
from django_tavus.services.ending import end_conversation

AWAY = timedelta(seconds=8)  # from the beacon to the end, unless somebody comes back
# A poll that was on its way when the page went arrives just after the beacon, and says nothing.
UNDER_WAY = timedelta(seconds=1)
BATCH = 200


def record_leave(pk: uuid.UUID, now: datetime | None = None) -> bool:
    """Store that the page of a conversation has gone; ``False`` if there is no such row.

    One over already stays as it is.
    """
    rows = Conversation.objects.filter(pk=pk)
    # Not store(): that a page went changes nothing that anybody is shown.
    if rows.live().update(left_at=now or timezone.now()):
        return True
    return rows.exists()


def record_poll(conversation: Conversation, now: datetime | None = None) -> None:
    """Store that a page of the room is open; a write only while a departure is pending."""
    now = now or timezone.now()
    left_at = conversation.left_at
    if left_at is None or conversation.is_over or now < left_at + UNDER_WAY:
        return
    rows = Conversation.objects.filter(pk=conversation.pk)
    rows.filter(left_for_good()).update(polled_at=now)


def left_for_good(before: datetime | None = None) -> Q:
    """Condition for rooms that were left (``before`` some moment) and not come back to."""
    left = Q(left_at__isnull=False) if before is None else Q(left_at__lte=before)
    return left & (Q(polled_at__isnull=True) | Q(polled_at__lt=F("left_at")))


def end_left(now: datetime | None = None) -> int:
    """End the conversations whose page has been gone for ``AWAY``; return how many.

    A waiting one gives up its place: it would be launched, and paid for, for nobody.
    """
    gone = Conversation.objects.live().filter(
        left_for_good((now or timezone.now()) - AWAY), end_requested_at__isnull=True
    )
    left = list(gone.order_by("left_at")[:BATCH])
    for conversation in left:
        end_conversation(conversation)
    return len(left)
