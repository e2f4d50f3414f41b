"""Writing: a plan becomes rows, if nobody has edited one of them since it was read."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import transaction
from django.db.models import Q

from django_tavus.services.mirroring.comparing import Plan
from django_tavus.services.mirroring.reading import mirrored_columns
from django_tavus.services.upserting import upsert


class EditedMeanwhileError(Exception):
    """Somebody edited a row of the page after it was read."""


def write(plan: Plan) -> None:
    """Write what differs, in one transaction.

    Raises:
        EditedMeanwhileError: a row is not what was read; nothing was written.
    """
    with transaction.atomic():
        _touch(plan)
        if plan.rows:
            plan.relations.set_replicas(plan.rows)
            _upsert(plan)
            plan.relations.link_documents(plan.rows)


def _touch(plan: Plan) -> None:
    """Note that the rows were seen, if they are still what was read: the first write."""
    if not plan.old:
        return
    groups: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in plan.old.values():
        groups[row["revision"], row["sync_state"], row["push_due_at"]].append(row["pk"])
    unchanged = Q()
    for (revision, state, due), pks in groups.items():
        when = Q(push_due_at=due) if due else Q(push_due_at__isnull=True)
        unchanged |= Q(when, pk__in=pks, revision=revision, sync_state=state)
    rows = plan.kind.model._default_manager.filter(unchanged)
    if rows.update(synced_at=plan.now) != len(plan.old):
        raise EditedMeanwhileError(plan.kind.name)


def _upsert(plan: Plan) -> None:
    model = plan.kind.model
    columns = ["remote", "sync_state", "sync_error", "synced_at", "updated_at"]
    columns += mirrored_columns(plan.kind)
    upsert(model, plan.rows, [model._meta.get_field(name).name for name in columns])
