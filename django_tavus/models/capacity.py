"""The row that serializes the claiming of slots."""

from __future__ import annotations

from django.db import models
from django.db.models import F


class CapacityLock(models.Model):
    """One row, made by the migration; whoever updates it first claims slots first."""

    claims = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = "capacity lock"
        verbose_name_plural = "capacity locks"

    def __str__(self) -> str:
        return "capacity lock"

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
