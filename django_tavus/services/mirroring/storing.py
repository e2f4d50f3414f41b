"""Storing: the door. A page is stored as a whole, else row by row."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from django.db import DatabaseError
from django.utils import timezone

from django_tavus.services.editable import Editable
from django_tavus.services.mirroring.comparing import Plan
from django_tavus.services.mirroring.ownership import Owners
from django_tavus.services.mirroring.reading import Body, Found, read_bodies, read_rows
from django_tavus.services.mirroring.writing import EditedMeanwhileError, write
from django_tavus.services.reports import SyncReport

logger = logging.getLogger("django_tavus.syncing")

TRIES = 3


def store_page(
    kind: Editable,
    bodies: Sequence[Body],
    report: SyncReport,
    owners: Owners | None = None,
    *,
    is_polled: bool = False,
) -> None:
    """Mirror one page of remote bodies; those that cannot be stored are named in ``report``.

    The outcome of a training or crawl is left to ``report.outcomes``, for the caller to announce,
    unless ``is_polled`` says that this was done.
    """
    owners = owners or Owners()
    found = read_bodies(kind, bodies, report)
    if not found:
        return
    try:
        _store(kind, found, owners, report, is_polled=is_polled)
    except (DatabaseError, EditedMeanwhileError) as error:
        logger.warning("A page of %s is stored row by row: %s", kind.resource, type(error).__name__)
        _store_each(kind, found, owners, report, is_polled=is_polled)
    else:
        report.stored += len(found)


def _store_each(
    kind: Editable,
    found: Mapping[str, Found],
    owners: Owners,
    report: SyncReport,
    *,
    is_polled: bool,
) -> None:
    """Store what can be stored, so that one row which no column can hold costs only itself."""
    for tavus_id, one in found.items():
        try:
            _store(kind, {tavus_id: one}, owners, report, is_polled=is_polled)
        except (DatabaseError, EditedMeanwhileError):
            report.failed.append(tavus_id)
        else:
            report.stored += 1


def _store(
    kind: Editable,
    found: Mapping[str, Found],
    owners: Owners,
    report: SyncReport,
    *,
    is_polled: bool,
) -> None:
    """Write what differs."""
    for _ in range(TRIES):
        plan = _plan(kind, found, owners, is_polled=is_polled)
        try:
            write(plan)
        except EditedMeanwhileError:
            continue
        report.written += len(plan.rows)
        report.outcomes += plan.outcomes
        return
    raise EditedMeanwhileError(kind.name)


def _plan(kind: Editable, found: Mapping[str, Found], owners: Owners, *, is_polled: bool) -> Plan:
    now = timezone.now()
    old = read_rows(kind, found)
    owners.set_types(kind, found, old)
    plan = Plan(kind, old, now, is_polled=is_polled)
    plan.compare(found.values())
    plan.relations.look_up(old)
    return plan
