"""The outbox: owed signals are sent after commit, marked, and swept."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from django_tavus.client import redact
from django_tavus.models import OutboxEntry
from django_tavus.services import mapping

logger = logging.getLogger("django_tavus.signals")

# Whoever wrote an entry sends it; another process may only after this, when the writer must be
# dead. Receivers that together take longer than this see a signal twice.
LEASE = timedelta(minutes=2)


def announce(entries: Iterable[OutboxEntry | None]) -> None:
    """Send freshly written ``entries`` after commit, in order; ``None`` among them is skipped."""
    owed = [entry for entry in entries if entry is not None and entry.sent_at is None]
    if owed:
        transaction.on_commit(partial(_send_all, owed))


def announce_owed(now: datetime | None = None, *, limit: int = 500) -> int:
    """Send what a dead process left behind; return how many entries were sent."""
    now = now or timezone.now()
    free = Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - LEASE)
    left = OutboxEntry.objects.filter(free, sent_at__isnull=True).order_by("pk")
    sent = 0
    for entry in left[:limit]:
        # One by one: a receiver that ends the process must not keep those behind it waiting.
        if left.filter(pk=entry.pk).update(claimed_at=now):
            entry.claimed_at = now
            _send_all([entry])
            sent += 1
    return sent


def _send_all(entries: Iterable[OutboxEntry]) -> None:
    unheard: list[int] = []
    for entry in entries:
        if not _holds(entry):
            continue
        if entry.is_heard:
            _send(entry)
        else:
            unheard.append(entry.pk)
    if unheard:
        OutboxEntry.objects.filter(pk__in=unheard).update(sent_at=timezone.now())


def _holds(entry: OutboxEntry) -> bool:
    """Whether the claim on ``entry`` is still ours; one that may have run out is renewed.

    It runs out while a host's long transaction keeps the entry from being sent, or while the
    receivers of the entries before it take their time.
    """
    now = timezone.now()
    if entry.claimed_at is not None and now - entry.claimed_at < LEASE / 2:
        return True
    own = OutboxEntry.objects.filter(pk=entry.pk, claimed_at=entry.claimed_at, sent_at__isnull=True)
    return bool(own.update(claimed_at=now))


def _send(entry: OutboxEntry) -> None:
    """Send one signal with a fresh copy of its subject, and mark it as sent."""
    field, model = entry.subject_field, entry.subject_model
    try:
        subject = model._default_manager.get(pk=getattr(entry, f"{field}_id"))
    except model.DoesNotExist:  # erased meanwhile, and this entry with it
        return
    if entry.event is not None:  # what it knows of its subject is from before the effect
        setattr(entry.event, field, subject)
    answers = entry.source.send_robust(sender=model, event=entry.event, **{field: subject})
    failures = [(receiver, error) for receiver, error in answers if isinstance(error, Exception)]
    for receiver, error in failures:
        logger.error("Receiver %s of %s failed", _name(receiver), entry.signal, exc_info=error)
    OutboxEntry.objects.filter(pk=entry.pk).update(
        sent_at=timezone.now(),
        error="\n".join(f"{_name(who)}: {describe(error)}" for who, error in failures),
    )


def _name(receiver: object) -> str:
    return str(getattr(receiver, "__qualname__", receiver))


def describe(error: Exception) -> str:
    """Return type and text of ``error`` as a column can hold them: short, and without secrets."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - the class is the host's, and so is how it becomes a text
        said = ""
    told: str = redact(mapping.clean_text(f"{type(error).__name__}: {said}"))
    return told[:2000]
