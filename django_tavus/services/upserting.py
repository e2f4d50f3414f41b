"""Upserting by Tavus id: rows are written whether or not they are there already.

An object that is pointed to before it is mirrored gets a stub: a row that is nothing but its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connections, router
from django.db.models import Model, Value


def upsert(model: type[Any], rows: Sequence[Any], fields: Sequence[str]) -> None:
    """Insert ``rows``; of one that is there already, only ``fields`` are written."""
    model._default_manager.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=fields,
        unique_fields=conflict_target(model),
    )


def conflict_target(model: type[Model]) -> list[str] | None:
    """Return ``unique_fields`` for an upsert of ``model`` by Tavus id."""
    # MariaDB finds the conflicting unique key by itself and refuses to be told.
    features = connections[router.db_for_write(model)].features
    return ["tavus_id"] if features.supports_update_conflicts_with_target else None


def ensure_rows(wanted: Mapping[type[Any], Iterable[str]]) -> dict[type[Any], dict[str, int]]:
    """Return the keys of rows by model and Tavus id, after making stubs for those missing.

    One SELECT, whatever the number of models.
    """
    ids = {model: {key for key in keys if key} for model, keys in wanted.items()}
    found: dict[type[Any], dict[str, int]] = {model: {} for model in ids}
    by_name = {model._meta.model_name: keys for model, keys in found.items()}
    for name, tavus_id, pk in union(select_keys(ids)):
        by_name[name][tavus_id] = pk
    for model, keys in ids.items():
        found[model] |= make_stubs(model, keys - found[model].keys())
    return found


def make_stubs(model: type[Any], tavus_ids: Iterable[str]) -> dict[str, int]:
    """Make rows for objects that are not mirrored yet, and return their keys by Tavus id."""
    stubs = [model(tavus_id=tavus_id) for tavus_id in sorted(tavus_ids)]
    if not stubs:
        return {}
    upsert(model, stubs, ["tavus_id"])
    if all(stub.pk for stub in stubs):
        return {stub.tavus_id: stub.pk for stub in stubs}
    # SQLite before 3.35 does not return the keys of what it writes.
    rows = model._default_manager.filter(tavus_id__in=[stub.tavus_id for stub in stubs])
    return dict(rows.values_list("tavus_id", "pk"))


def select_keys(wanted: Mapping[type[Any], set[str]]) -> list[Any]:
    """Return parts for :func:`union` that select model name, Tavus id and primary key."""
    return [
        model._default_manager.filter(tavus_id__in=tavus_ids)
        .order_by()
        .values_list(Value(model._meta.model_name), "tavus_id", "pk")
        for model, tavus_ids in wanted.items()
        if tavus_ids
    ]


def union(parts: Sequence[Any]) -> Any:
    """Return the rows of several SELECTs, in one statement."""
    if not parts:
        return ()
    first, *others = parts
    # Django 6.1 would order the whole by the first one's Meta, which it does not select.
    return first.union(*others, all=True).order_by() if others else first
