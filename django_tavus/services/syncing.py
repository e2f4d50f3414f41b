"""Syncing: remote lists to rows, a page at a time.

A page costs at most four statements while nothing is strange: the rows that are there, the keys
of their relations, one upsert of what differs, one write of links; a page without changes costs
two. Nothing is fetched object by object.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from django_tavus.client import Page, TavusClient, TavusError
from django_tavus.client.pagination import PAGE_SIZE, walk
from django_tavus.models import Conversation
from django_tavus.models.base import RemoteObject
from django_tavus.models.choices import ObjectType, SyncState
from django_tavus.services import importing, mirroring, polling
from django_tavus.services.clients import get_client
from django_tavus.services.editable import DOCUMENT, PERSONA, REPLICA, Editable
from django_tavus.services.mirroring import Owners
from django_tavus.services.reports import SyncReport

logger = logging.getLogger("django_tavus.syncing")

Body = Mapping[str, Any]
Progress = Callable[[int, int | None], object]
"""Told the objects seen so far and, where Tavus says it, those of the list at hand."""


@dataclass(frozen=True)
class Kind:
    """One kind of remote object: how it is listed, and what it becomes here.

    ``mirrored`` is ``None`` for conversations, which are imported (:mod:`importing`).
    """

    resource: str
    model: type[RemoteObject]
    mirrored: Editable | None = None

    @property
    def type_field(self) -> str:
        """The filter that tells the account's own objects from Tavus's stock."""
        return self.mirrored.type_field if self.mirrored else ""

    @property
    def filters(self) -> list[dict[str, str]]:
        """The queries that together list every object, the account's own first."""
        if not self.type_field:
            return [{}]
        return [{self.type_field: value} for value in (ObjectType.USER, ObjectType.SYSTEM)]

    def store(self, bodies: list[Body], report: SyncReport, owners: Owners) -> None:
        """Store one page of bodies."""
        if self.mirrored:
            mirroring.store_page(self.mirrored, bodies, report, owners)
            while report.outcomes:
                polling.feed(self.mirrored, *report.outcomes.pop())
        else:
            importing.store_page(bodies, report)


# In this order relations mostly find what they point to.
KINDS: dict[str, Kind] = {
    "replicas": Kind("replicas", REPLICA.model, REPLICA),
    "documents": Kind("documents", DOCUMENT.model, DOCUMENT),
    "personas": Kind("personas", PERSONA.model, PERSONA),
    "conversations": Kind("conversations", Conversation),
}


def sync_objects(
    kind: str,
    client: TavusClient | None = None,
    *,
    prune: bool = False,
    progress: Progress | None = None,
) -> SyncReport:
    """Mirror every remote object of ``kind`` (a key of ``KINDS``) and report what happened.

    What Tavus refuses ends the listing and is in the report (``error``); the pages before it are
    stored. With ``prune`` a row whose object is no longer listed becomes ``gone``, but only if
    the listing was complete and every object of it could be stored.

    Raises:
        KeyError: no such kind.
    """
    plan = KINDS[kind]
    report = SyncReport(kind)
    begun = timezone.now()
    try:
        _mirror(plan, client or get_client(), report, progress)
    except TavusError as error:
        report.error = error
        logger.warning("Listing %s ended early: %s", kind, error)
    if report.failed:
        logger.warning("%s that could not be stored: %s", kind, ", ".join(report.failed[:20]))
    if prune and report.is_complete:
        report.gone = _prune(plan, begun)
    return report


def _mirror(plan: Kind, client: TavusClient, report: SyncReport, progress: Progress | None) -> None:
    owners = Owners()
    for filters in plan.filters:
        owners.asked = filters.get(plan.type_field, "")
        for page in _pages(getattr(client, plan.resource), filters, report, progress):
            plan.store(page, report, owners)
    if owners.proven_users:
        rows = plan.model._default_manager.filter(tavus_id__in=owners.proven_users)
        rows.update(**{plan.type_field: ObjectType.USER, "updated_at": timezone.now()})


def _pages(
    resource: Any, filters: Mapping[str, str], report: SyncReport, progress: Progress | None
) -> Iterator[list[Body]]:
    before = _seen(report)

    def fetch(number: int, limit: int) -> Page:
        # Not strict: one strange row must not cost the others of its page.
        page: Page = resource.list(page=number, limit=limit, strict=False, **filters)
        if progress:
            total = page.total_count
            progress(_seen(report), None if total is None else before + total)
        return page

    yield from _batched(walk(fetch, facts=resource.facts, limit=PAGE_SIZE))


def _seen(report: SyncReport) -> int:
    return report.stored + len(report.failed)


def _batched(bodies: Iterable[Body]) -> Iterator[list[Body]]:
    iterator = iter(bodies)
    while page := list(islice(iterator, PAGE_SIZE)):
        yield page


def _prune(plan: Kind, begun: datetime) -> int:
    """Mark what was not seen since ``begun`` as gone; rows with edits to publish find out so."""
    unseen = Q(synced_at__lt=begun) | Q(synced_at__isnull=True, created_at__lt=begun)
    rows: QuerySet[Any] = plan.model._default_manager.filter(unseen, tavus_id__isnull=False)
    rows = rows.exclude(sync_state=SyncState.GONE)
    if plan.mirrored:
        rows = rows.filter(push_due_at__isnull=True)
    else:
        rows = Conversation.objects.over().filter(pk__in=rows.order_by().values("pk"))
    return rows.update(sync_state=SyncState.GONE, updated_at=timezone.now())
