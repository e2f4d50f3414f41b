"""Polling: documents and replicas that Tavus works on are asked about until they are done.

Callbacks come once, twice or never, and without ``PUBLIC_URL`` not at all. What a GET shows walks
in through the door of the callbacks. An object in a final state is never asked about again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.client import NotFound, TavusClient, TavusError
from django_tavus.models import WebhookEvent
from django_tavus.models.choices import (
    DocumentStatus,
    EventSource,
    EventStatus,
    ReplicaStatus,
    SyncState,
)
from django_tavus.services import events, integrity, mirroring
from django_tavus.services.clients import get_client
from django_tavus.services.editable import DOCUMENT, REPLICA, Editable
from django_tavus.services.reports import SyncReport
from django_tavus.services.tokens import Subject

logger = logging.getLogger("django_tavus.polling")

BATCH = 100
"""Objects of one kind in a round: a round must be over before the next one begins."""
SHORTEST = timedelta(seconds=60)
LONGEST = timedelta(minutes=30)
GROWTH = 1.3  # documents take minutes, replicas hours

FINAL: dict[str, tuple[str, ...]] = {
    DOCUMENT.name: (DocumentStatus.READY, DocumentStatus.ERROR),
    REPLICA.name: (ReplicaStatus.READY, ReplicaStatus.ERROR),
}


def poll_objects(now: datetime | None = None) -> int:
    """Ask Tavus about every document and replica that is due; return how many were asked about."""
    now = now or timezone.now()
    asked = 0
    for kind in (DOCUMENT, REPLICA):
        for pk in _due(kind, now):
            if row := _claim(kind, pk, now):
                poll(kind, row, get_client())
                asked += 1
    return asked


def _open(kind: Editable, now: datetime) -> Any:
    rows = kind.model._default_manager.filter(
        Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=now), tavus_id__isnull=False
    )
    done: Any = {"status__in": FINAL[kind.name]}
    return rows.exclude(**done).exclude(sync_state=SyncState.GONE)


def _due(kind: Editable, now: datetime) -> list[int]:
    rows = _open(kind, now).order_by(F("next_poll_at").asc(nulls_first=True), "pk")
    return list(rows.values_list("pk", flat=True)[:BATCH])


def _claim(kind: Editable, pk: int, now: datetime) -> Any:
    """Put the next poll off, which also keeps a second worker from making this one."""
    row = kind.model._default_manager.filter(pk=pk).first()
    if row is None:
        return None
    later = now + interval(row.polls)  # type: ignore[attr-defined]
    claimed = _open(kind, now).filter(pk=pk).update(next_poll_at=later, polls=F("polls") + 1)
    return row if claimed else None


def interval(polls: int) -> timedelta:
    """Return the pause after an object has been asked about ``polls`` times before."""
    return min(LONGEST, SHORTEST * GROWTH ** min(polls, 30))


def poll(kind: Editable, row: Any, client: TavusClient) -> None:
    """Ask about one object, and store what is new."""
    try:
        body = getattr(client, kind.resource).get(row.tavus_id)
    except NotFound:
        _gone(kind, row)
    except TavusError as error:
        logger.warning("Could not ask about %s %s: %s", kind.name, row.pk, error)
    else:
        _take(kind, row, body)


def _take(kind: Editable, row: Any, body: Mapping[str, Any]) -> None:
    if kind.values(body).get("status", row.status) != row.status:
        feed(kind, row.pk, body)
        if _is_awaited(kind, row):
            return
    mirroring.store_page(kind, [body], SyncReport(kind.resource), is_polled=True)


def _is_awaited(kind: Editable, row: Any) -> bool:
    """Whether an event of ``row`` waits: told by the mirror first, its news would be none."""
    about: Any = {kind.name: row.pk}
    return WebhookEvent.objects.filter(status=EventStatus.RECEIVED, **about).exists()


def feed(kind: Editable, pk: int, body: Mapping[str, Any]) -> None:
    """Take in what a body reports about a row, as if Tavus had called back with it."""
    try:
        event = events.record(Subject(kind.name, pk), dict(body), source=EventSource.RECONCILE)
    except IntegrityError as error:
        if integrity.reason(error) is None:
            raise
        return
    events.process(event.pk)


def _gone(kind: Editable, row: Any) -> None:
    kind.model._default_manager.filter(pk=row.pk).update(
        sync_state=SyncState.GONE,
        sync_error=_("This no longer exists at Tavus."),
        updated_at=timezone.now(),
    )
