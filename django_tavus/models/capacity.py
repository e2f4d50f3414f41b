"""The row that serializes the claiming of slots, and knows when a sweep last ran."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F


class CapacityLock(models.Model):
    """One row, made by the migration; whoever updates it first claims slots first."""

    claims = models.PositiveBigIntegerField(default=0)
    swept_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "capacity lock"
        verbose_name_plural = "capacity locks"

    def __str__(self) -> str:
        return "capacity lock"

    @classmethod
    def note_sweep(cls, now: datetime) -> None:
        """Write down that a sweep ran; the admin warns when none has for a while."""
        rows = cls._default_manager.filter(pk=1)
        if not rows.update(swept_at=now):
            cls._default_manager.get_or_create(pk=1, defaults={"swept_at": now})

    @classmethod
    def last_sweep(cls) -> datetime | None:
        """When a sweep last ran."""
        return cls._default_manager.filter(pk=1).values_list("swept_at", flat=True).first()

    @classmethod
    def acquire(cls, using: str | None = None) -> None:
        """Hold the lock until the surrounding transaction ends.

        An UPDATE, not SELECT FOR UPDATE: SQLite knows no row locks and cannot turn a read lock
        into a write lock. The row is made anew where a test flushed the table.
        """
        rows = cls._default_manager.using(using)
        if not rows.filter(pk=1).update(claims=F("claims") + 1):
            rows.get_or_create(pk=1)
            rows.filter(pk=1).update(claims=F("claims") + 1)
