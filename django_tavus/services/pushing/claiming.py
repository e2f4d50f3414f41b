"""Claiming: a row is one worker's for a while, and is let go with what became of its push."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from django_tavus.conf import get_settings
from django_tavus.models import Document
from django_tavus.models.base import RemoteObjectQuerySet
from django_tavus.models.choices import SyncState
from django_tavus.services.clients import get_client
from django_tavus.services.editable import Editable
from django_tavus.services.enqueue import enqueue

logger = logging.getLogger("django_tavus.publishing")

BACKOFF = (10, 30, 120, 600, 1800, 3600)  # seconds before the next try
MAX_ATTEMPTS = 8


def is_free(now: datetime) -> Q:
    """Rows that no worker holds."""
    return Q(pushing_until__isnull=True) | Q(pushing_until__lt=now)


@dataclass(frozen=True)
class Claim:
    """A row that is to be pushed by this worker and, until the claim runs out, by no other."""

    kind: Editable
    row: Any
    """As it was when it was claimed; ``rows`` is as it is now."""
    resource: Any
    """The part of the client that speaks of such objects."""

    @classmethod
    def take(cls, kind: Editable, pk: int) -> Claim | None:
        """Take a row for as long as the slowest push may last; ``None`` if it is not to be had."""
        now = timezone.now()
        # Up to three requests, each of which may be repeated twice and told to wait.
        lease = timedelta(seconds=9 * (get_settings().request_seconds + 30))
        rows = kind.model._default_manager.filter(pk=pk)
        claimed = rows.filter(is_free(now), push_due_at__lte=now).update(
            pushing_until=now + lease, push_attempts=F("push_attempts") + 1
        )
        row = rows.first() if claimed else None
        return cls(kind, row, getattr(get_client(), kind.resource)) if row else None

    @property
    def rows(self) -> RemoteObjectQuerySet[Any]:
        """The row in the database."""
        rows: RemoteObjectQuerySet[Any] = type(self.row)._default_manager.filter(pk=self.row.pk)
        return rows

    @property
    def unmade(self) -> RemoteObjectQuerySet[Any]:
        """The row, unless it has got an id at Tavus."""
        return self.rows.filter(tavus_id__isnull=True)

    def release(self, **values: Any) -> None:
        """Let go of the row and store ``values``, unless a newer edit is to be pushed at once."""
        unedited = self.rows.filter(revision=self.row.revision)
        if not unedited.store(pushing_until=None, **values):
            self.push_again()

    def push_again(self, **values: Any) -> None:
        """Let go of a row that was edited meanwhile; the edit keeps its own due date."""
        self.rows.store(pushing_until=None, **values)
        enqueue("push_object", self.kind.name, self.row.pk)

    def postpone(self, message: str, wait: float | None) -> None:
        """Try again after ``wait`` seconds or more, and not for ever."""
        attempts = self.row.push_attempts
        if attempts >= MAX_ATTEMPTS:
            self.fail(message)
            return
        seconds = max(BACKOFF[min(attempts, len(BACKOFF)) - 1], wait or 0)
        self.release(push_due_at=_in(seconds), sync_error=message)

    def doubt(self, message: str) -> None:
        """Look in a while whether Tavus has made it."""
        due = _in(get_settings().RECONCILE_AFTER)
        self.release(push_due_at=due, sync_error=f"outcome_unknown: {message}")

    def fail(self, message: str, conflicts: list[dict[str, Any]] | None = None) -> None:
        """Leave it to a person."""
        logger.warning("%s %s could not be published: %s", self.kind.name, self.row.pk, message)
        unwished = {"recrawl_requested_at": None} if isinstance(self.row, Document) else {}
        self.release(
            sync_state=SyncState.FAILED,
            sync_error=message,
            conflicts=conflicts or [],
            push_due_at=None,
            **unwished,
        )


def _in(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)
