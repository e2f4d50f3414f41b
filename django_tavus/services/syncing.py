"""Syncing: remote lists to rows, a page at a time.

A page becomes one upsert (and one statement for relations). Relations go by Tavus id with stub
rows; nothing is fetched object by object.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connections, router, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from django_tavus.client import TavusClient
from django_tavus.models import Document, Persona, Replica
from django_tavus.models.base import RemoteObject
from django_tavus.models.choices import ObjectType, SyncState
from django_tavus.services import mapping
from django_tavus.services.clients import get_client

logger = logging.getLogger("django_tavus.syncing")

PAGE = 100
Body = Mapping[str, Any]


@dataclass
class SyncReport:
    """What one sync did: numbers of objects, and the ids of those that could not be stored."""

    stored: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """How one kind of remote object is listed and stored.

    ``filters`` are the queries that together list all; personas and replicas do not say whose
    they are, so the query that found them is remembered.
    """

    model: type[RemoteObject]
    id_key: str
    values: Callable[[Body], dict[str, Any]]
    resource: str
    type_field: str = ""

    @property
    def filters(self) -> list[dict[str, str]]:
        """The queries that together list every object."""
        if not self.type_field:
            return [{}]
        return [{self.type_field: value} for value in ObjectType.values]


KINDS: dict[str, Kind] = {
    "replicas": Kind(Replica, "replica_id", mapping.replica_values, "replicas", "replica_type"),
    "documents": Kind(Document, "document_id", mapping.document_values, "documents"),
    "personas": Kind(Persona, "persona_id", mapping.persona_values, "personas", "persona_type"),
}


def sync_objects(kind: str, client: TavusClient | None = None) -> SyncReport:
    """Mirror every remote object of ``kind`` (a key of ``KINDS``).

    Raises:
        TavusError: a page could not be fetched; the pages before it are stored.
        KeyError: no such kind.
    """
    plan = KINDS[kind]
    resource = getattr(client or get_client(), plan.resource)
    report = SyncReport()
    for filters in plan.filters:
        for page in _pages(resource.iterate(**filters)):
            store_page(plan, page, filters, report)
    return report


def _pages(bodies: Iterable[Body]) -> Iterator[list[Body]]:
    iterator = iter(bodies)
    while page := list(islice(iterator, PAGE)):
        yield page


def store_page(plan: Kind, bodies: list[Body], extra: Body, report: SyncReport) -> None:
    """Upsert one page of remote bodies of one kind."""
    rows: dict[str, RemoteObject] = {}
    for body in bodies:
        tavus_id = mapping.text(body.get(plan.id_key), 128)
        if tavus_id:
            rows[tavus_id] = _row(plan, tavus_id, {**plan.values(body), **extra})
        else:
            report.failed.append(str(body)[:80])
    with transaction.atomic():
        if plan.model is Persona:
            _link_default_replicas(bodies, rows)
        _upsert(plan.model, rows.values())
        if plan.model is Persona:
            _link_documents(bodies)
    report.stored += len(rows)


def _row(plan: Kind, tavus_id: str, values: dict[str, Any]) -> RemoteObject:
    now = timezone.now()
    return plan.model(
        tavus_id=tavus_id, sync_state=SyncState.IN_SYNC, synced_at=now, updated_at=now, **values
    )


# What an upsert leaves alone: what only we know, or what a list does not tell.
OURS = {
    "id",
    "tavus_id",
    "created_at",
    "heard_at",
    "file",
    "voice_name",
    "train_video_url",
    "train_image_url",
    "consent_video_url",
}


def _upsert(model: type[RemoteObject], rows: Iterable[RemoteObject]) -> None:
    columns = [f.name for f in model._meta.concrete_fields if f.name not in OURS]
    # MariaDB finds the conflicting unique key by itself and refuses to be told.
    unique = ["tavus_id"] if _names_conflict_target(model) else None
    model._default_manager.bulk_create(
        rows, update_conflicts=True, update_fields=columns, unique_fields=unique
    )


def _names_conflict_target(model: type[Model]) -> bool:
    features = connections[router.db_for_write(model)].features
    return bool(features.supports_update_conflicts_with_target)


def _link_default_replicas(bodies: list[Body], rows: dict[str, RemoteObject]) -> None:
    """Point personas at their default replicas, with stub rows for those not listed yet."""
    wanted = {
        mapping.text(body.get("persona_id"), 128): mapping.text(body.get("default_replica_id"), 128)
        for body in bodies
    }
    keys = ensure_rows(Replica, [replica_id for replica_id in wanted.values() if replica_id])
    for persona_id, row in rows.items():
        row.default_replica_id = keys.get(wanted.get(persona_id, ""))  # type: ignore[attr-defined]


def ensure_rows(model: type[RemoteObject], tavus_ids: Iterable[str]) -> dict[str, int]:
    """Return the keys of the rows with ``tavus_ids``, after making stubs for those missing."""
    ids = sorted(set(tavus_ids))
    if not ids:
        return {}
    rows = model._default_manager.filter(tavus_id__in=ids)
    found = _keys(rows)
    if missing := [tavus_id for tavus_id in ids if tavus_id not in found]:
        stubs = [model(tavus_id=tavus_id) for tavus_id in missing]
        model._default_manager.bulk_create(stubs, ignore_conflicts=True)
        found = _keys(rows)
    return found


def _keys(rows: QuerySet[Any]) -> dict[str, int]:
    return {str(tavus_id): pk for tavus_id, pk in rows.values_list("tavus_id", "pk")}


def _link_documents(bodies: list[Body]) -> None:
    """Make each persona's documents those of its body."""
    wanted = {
        mapping.text(body.get("persona_id"), 128): mapping.strings(body.get("document_ids"))
        for body in bodies
    }
    personas = _keys(Persona.objects.filter(tavus_id__in=wanted))
    documents = ensure_rows(Document, [d for ids in wanted.values() for d in ids])
    through: Any = Persona.documents.through
    links = {
        (personas[persona_id], documents[d])
        for persona_id, ids in wanted.items()
        if persona_id in personas
        for d in ids
    }
    stale = through.objects.filter(persona_id__in=personas.values())
    have = set(stale.values_list("persona_id", "document_id"))
    for persona_id, document_id in have - links:
        stale.filter(persona_id=persona_id, document_id=document_id).delete()
    through.objects.bulk_create(
        (through(persona_id=p, document_id=d) for p, d in links - have), ignore_conflicts=True
    )
