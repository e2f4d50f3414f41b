"""Mirroring: a page of remote objects becomes rows, in a handful of statements.

Read what is there, compare, write only what differs. A row is never overwritten in what somebody
edited here: unpublished edits are merged three-way (:mod:`merging`), and the write happens only
if no edit came in between; otherwise the page is read again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connections, router, transaction
from django.db.models import Model, Q, Value
from django.utils import timezone

from django_tavus.models import Document, Persona, Replica
from django_tavus.models.choices import ObjectType, SyncState
from django_tavus.services import mapping
from django_tavus.services.editable import Editable
from django_tavus.services.merging import merge
from django_tavus.services.reports import LONGEST_ID, SyncReport, describe, read_id

logger = logging.getLogger("django_tavus.syncing")

Body = Mapping[str, Any]
Old = dict[str, Any]
TRIES = 3


class Owners:
    """Whose the objects of one sync are: Tavus's stock or the account's.

    Most rows do not say it, so the filter that finds them does. A Tavus that does not heed the
    filter shows everything under both: then a type that was stored before stays, and what is new
    has none, for wrongly typed as ``user`` it could be edited, and as ``system`` it could not.
    """

    def __init__(self) -> None:
        self.asked: str = ""
        """The filter of the page at hand."""
        self._users: dict[str, str] = {}  # id -> the type stored before this sync
        self._doubted: set[str] = set()

    def type_of(self, tavus_id: str, stored: str, told: object) -> str:
        """Return the type of one object found by ``asked``."""
        claim = told.strip("' ") if isinstance(told, str) else ""
        if claim in ObjectType.values:
            return claim
        if self.asked == ObjectType.USER:
            return self._user(tavus_id, self._users.setdefault(tavus_id, stored))
        if self.asked == ObjectType.SYSTEM:
            self._doubted.discard(tavus_id)
            return self._users.get(tavus_id, self.asked)
        return stored

    def _user(self, tavus_id: str, stored: str) -> str:
        if stored == ObjectType.SYSTEM:
            self._doubted.add(tavus_id)
            return stored
        return ObjectType.USER.value

    @property
    def proven_users(self) -> set[str]:
        """After a complete sync: ids stored as stock that are found only among the user's."""
        return self._doubted


@dataclass
class Found:
    """One remote object, read."""

    tavus_id: str
    kept: dict[str, Any]
    values: dict[str, Any]
    type: str = ""
    default_replica_id: str | None = None
    """``None``: the body does not speak of it."""
    document_ids: list[str] | None = None


@dataclass
class Plan:
    """What a page changes."""

    rows: list[Any] = field(default_factory=list)
    links: dict[str, list[str]] = field(default_factory=dict)
    """Tavus id of a persona: the documents that it is to have."""
    replicas: dict[str, str] = field(default_factory=dict)
    """Tavus id of a persona: the default replica that it is to have, empty for none."""


@dataclass
class Keys:
    """Primary keys by Tavus id, and the links that exist."""

    replicas: dict[str, int] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)
    links: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))


class EditedMeanwhileError(Exception):
    """Somebody edited a row of the page after it was read."""


def store_page(
    kind: Editable, bodies: Sequence[Body], report: SyncReport, owners: Owners | None = None
) -> None:
    """Mirror one page of remote bodies; those that cannot be stored are named in ``report``."""
    found = _read(kind, bodies, report)
    if not found:
        return
    try:
        report.written += _store(kind, found, owners or Owners())
    except (DatabaseError, EditedMeanwhileError) as error:
        logger.warning("A page of %s is stored row by row: %s", kind.resource, type(error).__name__)
        _store_each(kind, found, owners or Owners(), report)
    else:
        report.stored += len(found)


def _store_each(
    kind: Editable, found: Mapping[str, Found], owners: Owners, report: SyncReport
) -> None:
    """Store what can be stored, so that one row which no column can hold costs only itself."""
    for tavus_id, one in found.items():
        try:
            report.written += _store(kind, {tavus_id: one}, owners)
        except (DatabaseError, EditedMeanwhileError):
            report.failed.append(tavus_id)
        else:
            report.stored += 1


def _read(kind: Editable, bodies: Iterable[Body], report: SyncReport) -> dict[str, Found]:
    """Read bodies by id; of two with the same id the later one counts."""
    found: dict[str, Found] = {}
    for body in bodies:
        try:
            tavus_id = read_id(body, kind.id_key)
            found[tavus_id] = _read_one(kind, tavus_id, body)
        except (RecursionError, ValueError, TypeError):
            report.failed.append(describe(body, kind.id_key))
    return found


def _read_one(kind: Editable, tavus_id: str, body: Body) -> Found:
    one = Found(tavus_id, mapping.keep(body, kind.plain), kind.values(body))
    if kind.relations:
        if "default_replica_id" in body:
            one.default_replica_id = mapping.text(body["default_replica_id"], LONGEST_ID)
        if "document_ids" in body:
            ids = mapping.strings(body["document_ids"])
            one.document_ids = [key for key in ids if 0 < len(key) <= LONGEST_ID]
    return one


# --- compare ------------------------------------------------------------------------------------


def _store(kind: Editable, found: Mapping[str, Found], owners: Owners) -> int:
    """Write what differs; return the number of rows written."""
    for _ in range(TRIES):
        now = timezone.now()
        old = _old_rows(kind, found)
        plan = _plan(kind, found, old, owners, now)
        keys = _keys(plan, old)
        try:
            with transaction.atomic():
                _touch(kind, old, now)
                _write(kind, plan, keys, old)
        except EditedMeanwhileError:
            continue
        return len(plan.rows)
    raise EditedMeanwhileError(kind.name)


def _state_columns(kind: Editable) -> list[str]:
    columns = ["pk", "tavus_id", "remote", "sync_state", "sync_error", "revision", "push_due_at"]
    if kind.type_field:
        columns.append(kind.type_field)
    if kind.relations:
        columns += ["default_replica_id", "default_replica__tavus_id"]
    return columns


def _value_columns(kind: Editable) -> list[str]:
    return list(_COLUMNS[kind.name])


_COLUMNS = {
    "persona": mapping.PERSONA_COLUMNS,
    "document": mapping.DOCUMENT_COLUMNS,
    "replica": mapping.REPLICA_COLUMNS,
}


def _old_rows(kind: Editable, found: Mapping[str, Found]) -> dict[str, Old]:
    columns = [*_state_columns(kind), *_value_columns(kind)]
    rows = kind.model._default_manager.filter(tavus_id__in=found).order_by()
    return {row[1]: dict(zip(columns, row, strict=True)) for row in rows.values_list(*columns)}


def is_edited(old: Mapping[str, Any]) -> bool:
    """Whether a row may hold edits that Tavus does not know."""
    return old["push_due_at"] is not None or old["sync_state"] == SyncState.FAILED


def _plan(
    kind: Editable,
    found: Mapping[str, Found],
    old: Mapping[str, Old],
    owners: Owners,
    now: datetime,
) -> Plan:
    plan = Plan()
    edited = [row["pk"] for row in old.values() if is_edited(row)] if kind.relations else []
    linked = _linked_documents(edited)
    for tavus_id, one in found.items():
        before = old.get(tavus_id)
        if kind.type_field:
            stored = "" if before is None else before[kind.type_field]
            one.type = owners.type_of(tavus_id, stored, one.kept.get(kind.type_field))
        if before is None:
            _plan_new(kind, plan, one, now)
        elif is_edited(before):
            _plan_edited(kind, plan, one, before, linked, now)
        else:
            _plan_known(kind, plan, one, before, now)
    return plan


def _plan_new(kind: Editable, plan: Plan, one: Found, now: datetime) -> None:
    fields = {**one.values, "remote": one.kept}
    plan.rows.append(_row(kind, one, fields, SyncState.IN_SYNC, "", now))
    if one.default_replica_id:
        plan.replicas[one.tavus_id] = one.default_replica_id
    if one.document_ids:
        plan.links[one.tavus_id] = one.document_ids


def _plan_known(kind: Editable, plan: Plan, one: Found, before: Old, now: datetime) -> None:
    remote = {**before["remote"], **one.kept}
    relinked = _relinked(one, before)
    if not (
        relinked
        or remote != before["remote"]
        or before["sync_state"] != SyncState.IN_SYNC
        or any(before[name] != value for name, value in one.values.items())
        or (kind.type_field and before[kind.type_field] != one.type)
    ):
        return
    fields = {name: before[name] for name in _value_columns(kind)} | one.values
    fields["remote"] = remote
    if kind.relations:
        fields["default_replica_id"] = before["default_replica_id"]
    plan.rows.append(_row(kind, one, fields, SyncState.IN_SYNC, "", now))
    _relink(plan, one, before, one.default_replica_id, one.document_ids)


def _relinked(one: Found, before: Old) -> bool:
    return one.default_replica_id is not None and one.default_replica_id != (
        before["default_replica__tavus_id"] or ""
    )


def _relink(
    plan: Plan,
    one: Found,
    before: Old,
    default_replica_id: str | None,
    document_ids: list[str] | None,
) -> None:
    if default_replica_id is not None and default_replica_id != (
        before["default_replica__tavus_id"] or ""
    ):
        plan.replicas[one.tavus_id] = default_replica_id
    # What has not changed at Tavus since it was last linked is linked.
    if document_ids is not None and set(document_ids) != set(
        mapping.strings(before["remote"].get("document_ids"))
    ):
        plan.links[one.tavus_id] = document_ids


def _plan_edited(
    kind: Editable,
    plan: Plan,
    one: Found,
    before: Old,
    linked: Mapping[int, set[str]],
    now: datetime,
) -> None:
    """Take over what only Tavus changed; with a conflict nothing moves, not even the base."""
    remote = {**before["remote"], **one.kept}
    columns = {name: before[name] for name in kind.columns}
    ours = dict(columns)
    if kind.relations:
        ours["default_replica_id"] = before["default_replica__tavus_id"] or ""
        ours["document_ids"] = sorted(linked.get(before["pk"], ()))
    merged = merge(kind.of_body(before["remote"]), ours, kind.of_body(remote))
    if merged.conflicts:
        return
    fields = {name: before[name] for name in _value_columns(kind)} | one.values
    fields |= kind.as_columns(merged.merged)
    fields["remote"] = remote
    if kind.relations:
        fields["default_replica_id"] = before["default_replica_id"]
    plan.rows.append(_row(kind, one, fields, before["sync_state"], before["sync_error"], now))
    if kind.relations:
        replica_id = merged.merged.get("default_replica_id", "")
        if replica_id != ours["default_replica_id"]:
            plan.replicas[one.tavus_id] = replica_id
        documents = merged.merged.get("document_ids", [])
        if set(documents) != set(ours["document_ids"]):
            plan.links[one.tavus_id] = documents


def _row(
    kind: Editable, one: Found, fields: dict[str, Any], state: str, error: str, now: datetime
) -> Any:
    if kind.type_field:
        fields[kind.type_field] = one.type
    return kind.model(
        tavus_id=one.tavus_id,
        sync_state=state,
        sync_error=error,
        synced_at=now,
        updated_at=now,
        **fields,
    )


# --- relations ----------------------------------------------------------------------------------


def _linked_documents(persona_pks: Sequence[int]) -> dict[int, set[str]]:
    if not persona_pks:
        return {}
    linked: defaultdict[int, set[str]] = defaultdict(set)
    through: Any = Persona.documents.through
    rows = through.objects.filter(persona_id__in=persona_pks, document__tavus_id__isnull=False)
    for persona_pk, tavus_id in rows.values_list("persona_id", "document__tavus_id"):
        linked[persona_pk].add(tavus_id)
    return linked


def _keys(plan: Plan, old: Mapping[str, Old]) -> Keys:
    """Look up every key that the page's relations need, in one statement."""
    keys = Keys()
    replica_ids = {tavus_id for tavus_id in plan.replicas.values() if tavus_id}
    document_ids = {tavus_id for ids in plan.links.values() for tavus_id in ids}
    persona_pks = [old[tavus_id]["pk"] for tavus_id in plan.links if tavus_id in old]
    through: Any = Persona.documents.through
    parts: list[Any] = []
    if replica_ids:
        rows = Replica.objects.filter(tavus_id__in=replica_ids).order_by()
        parts.append(rows.values_list(Value("replica"), "tavus_id", "pk"))
    if document_ids:
        documents = Document.objects.filter(tavus_id__in=document_ids).order_by()
        parts.append(documents.values_list(Value("document"), "tavus_id", "pk"))
    if persona_pks:
        links = through.objects.filter(persona_id__in=persona_pks)
        links = links.filter(document__tavus_id__isnull=False).order_by()
        parts.append(links.values_list(Value("link"), "document__tavus_id", "persona_id"))
    if parts:
        for name, tavus_id, pk in _union(parts):
            if name == "link":
                keys.links[pk].add(tavus_id)
            else:
                (keys.replicas if name == "replica" else keys.documents)[tavus_id] = pk
    return keys


def ensure_rows(wanted: Mapping[type[Any], Iterable[str]]) -> dict[type[Any], dict[str, int]]:
    """Return the keys of rows by model and Tavus id, after making stubs for those missing.

    One SELECT, whatever the number of models.
    """
    ids = {model: {key for key in keys if key} for model, keys in wanted.items()}
    found: dict[type[Any], dict[str, int]] = {model: {} for model in ids}
    parts = [
        model._default_manager.filter(tavus_id__in=keys)
        .order_by()
        .values_list(Value(model._meta.model_name), "tavus_id", "pk")
        for model, keys in ids.items()
        if keys
    ]
    by_name = {model._meta.model_name: model for model in ids}
    if parts:
        for name, tavus_id, pk in _union(parts):
            found[by_name[name]][tavus_id] = pk
    for model, keys in ids.items():
        found[model] |= _make_stubs(model, keys - found[model].keys())
    return found


def _union(parts: list[Any]) -> Any:
    first, *others = parts
    # Django 6.1 would order the whole by the first one's Meta, which it does not select.
    return first.union(*others, all=True).order_by() if others else first


def _make_stubs(model: type[Any], tavus_ids: Iterable[str]) -> dict[str, int]:
    """Make rows that are nothing but an id, for objects that are not mirrored yet."""
    stubs = [model(tavus_id=tavus_id) for tavus_id in sorted(tavus_ids)]
    if not stubs:
        return {}
    model._default_manager.bulk_create(
        stubs,
        update_conflicts=True,
        update_fields=["tavus_id"],
        unique_fields=conflict_target(model),
    )
    if all(stub.pk for stub in stubs):
        return {stub.tavus_id: stub.pk for stub in stubs}
    rows = model._default_manager.filter(tavus_id__in=[stub.tavus_id for stub in stubs])
    return dict(rows.values_list("tavus_id", "pk"))


def conflict_target(model: type[Model]) -> list[str] | None:
    """Return ``unique_fields`` for an upsert of ``model`` by Tavus id."""
    # MariaDB finds the conflicting unique key by itself and refuses to be told.
    features = connections[router.db_for_write(model)].features
    return ["tavus_id"] if features.supports_update_conflicts_with_target else None


# --- write --------------------------------------------------------------------------------------


def _touch(kind: Editable, old: Mapping[str, Old], now: datetime) -> None:
    """Note that the rows were seen, if they are still what was read: the first write of the page.

    Raises:
        EditedMeanwhileError: one of them is not.
    """
    if not old:
        return
    groups: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in old.values():
        groups[row["revision"], row["sync_state"], row["push_due_at"]].append(row["pk"])
    unchanged = Q()
    for (revision, state, due), pks in groups.items():
        when = Q(push_due_at=due) if due else Q(push_due_at__isnull=True)
        unchanged |= Q(when, pk__in=pks, revision=revision, sync_state=state)
    if kind.model._default_manager.filter(unchanged).update(synced_at=now) != len(old):
        raise EditedMeanwhileError(kind.name)


def _write(kind: Editable, plan: Plan, keys: Keys, old: Mapping[str, Old]) -> None:
    if not plan.rows:
        return
    wanted = {tavus_id for tavus_id in plan.replicas.values() if tavus_id}
    keys.replicas |= _make_stubs(Replica, wanted - keys.replicas.keys())
    for row in plan.rows:
        if row.tavus_id in plan.replicas:
            row.default_replica_id = keys.replicas.get(plan.replicas[row.tavus_id])
    columns = ["remote", "sync_state", "sync_error", "synced_at", "updated_at"]
    columns += _value_columns(kind)
    columns += [kind.type_field] if kind.type_field else []
    columns += ["default_replica_id"] if kind.relations else []
    fields = [kind.model._meta.get_field(name).name for name in columns]
    kind.model._default_manager.bulk_create(
        plan.rows,
        update_conflicts=True,
        update_fields=fields,
        unique_fields=conflict_target(kind.model),
    )
    if plan.links:
        _write_links(plan, keys, old)


def _write_links(plan: Plan, keys: Keys, old: Mapping[str, Old]) -> None:
    """Make each persona's documents those of its body; documents not published yet stay."""
    personas = {row.tavus_id: row.pk for row in plan.rows if row.pk}
    personas |= {tavus_id: old[tavus_id]["pk"] for tavus_id in plan.links if tavus_id in old}
    if missing := plan.links.keys() - personas.keys():
        rows = Persona.objects.filter(tavus_id__in=missing)
        personas |= {str(tavus_id): pk for tavus_id, pk in rows.values_list("tavus_id", "pk")}
    wanted = {tavus_id for ids in plan.links.values() for tavus_id in ids}
    keys.documents |= _make_stubs(Document, wanted - keys.documents.keys())
    through: Any = Persona.documents.through
    stale, fresh = Q(), []
    for tavus_id, ids in plan.links.items():
        pk = personas[tavus_id]
        if dropped := keys.links[pk] - set(ids):
            stale |= Q(persona_id=pk, document__tavus_id__in=dropped)
        fresh += [(pk, keys.documents[key]) for key in set(ids) - keys.links[pk]]
    if stale:
        through.objects.filter(stale).delete()
    if fresh:
        links = [through(persona_id=persona, document_id=document) for persona, document in fresh]
        through.objects.bulk_create(links, ignore_conflicts=True)
