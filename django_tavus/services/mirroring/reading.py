"""Reading: the bodies of a page, and the rows that they meet here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django_tavus.models.choices import SyncState
from django_tavus.services import mapping
from django_tavus.services.editable import Editable
from django_tavus.services.mirroring.relations import UNTOLD, Targets, linked_documents
from django_tavus.services.reports import LONGEST_ID, SyncReport, describe, read_id

Body = Mapping[str, Any]
Old = dict[str, Any]
"""A row that is there, by column."""


# --- bodies -------------------------------------------------------------------------------------


@dataclass
class Found:
    """One remote object, read."""

    tavus_id: str
    kept: dict[str, Any]
    """What goes into ``remote``."""
    values: dict[str, Any]
    """What goes into columns."""
    targets: Targets


def read_bodies(kind: Editable, bodies: Iterable[Body], report: SyncReport) -> dict[str, Found]:
    """Read bodies by id; of two with the same id the later one counts."""
    found: dict[str, Found] = {}
    for body in bodies:
        try:
            tavus_id = read_id(body, kind.id_key)
            kept = mapping.keep(body, kind.plain)
            found[tavus_id] = Found(tavus_id, kept, kind.values(body), _targets(kind, body))
        except (RecursionError, ValueError, TypeError):
            report.failed.append(describe(body, kind.id_key))
    return found


def _targets(kind: Editable, body: Body) -> Targets:
    if not kind.relations:
        return UNTOLD
    replica_id = document_ids = None
    if "default_replica_id" in body:
        replica_id = mapping.text(body["default_replica_id"], LONGEST_ID)
    if "document_ids" in body:
        ids = mapping.strings(body["document_ids"])
        document_ids = [key for key in ids if 0 < len(key) <= LONGEST_ID]
    return Targets(replica_id, document_ids)


# --- rows ---------------------------------------------------------------------------------------

_COLUMNS = {
    "persona": mapping.PERSONA_COLUMNS,
    "document": mapping.DOCUMENT_COLUMNS,
    "replica": mapping.REPLICA_COLUMNS,
}


def mirrored_columns(kind: Editable) -> list[str]:
    """Return the columns that say what Tavus says, beside ``remote``."""
    columns = list(_COLUMNS[kind.name])
    if kind.type_field:
        columns.append(kind.type_field)
    if kind.relations:
        columns.append("default_replica_id")
    return columns


def read_rows(kind: Editable, tavus_ids: Iterable[str]) -> dict[str, Old]:
    """Return the rows that are there, by Tavus id; edited ones with their ``document_ids``."""
    columns = ["pk", "tavus_id", "remote", "sync_state", "sync_error", "revision", "push_due_at"]
    columns += mirrored_columns(kind)
    if kind.relations:
        columns.append("default_replica__tavus_id")
    rows = kind.model._default_manager.filter(tavus_id__in=tavus_ids).order_by()
    old = {row[1]: dict(zip(columns, row, strict=True)) for row in rows.values_list(*columns)}
    if kind.relations:
        edited = {row["pk"]: row for row in old.values() if is_edited(row)}
        linked = linked_documents(edited)
        for pk, row in edited.items():
            row["document_ids"] = sorted(linked[pk])
    return old


def is_edited(row: Old) -> bool:
    """Whether a row may hold edits that Tavus does not know."""
    return row["push_due_at"] is not None or row["sync_state"] == SyncState.FAILED
