"""Comparing: what a page finds, beside the rows that are there, becomes a plan of what to write.

Pure: nothing is read and nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django_tavus.models.choices import SyncState
from django_tavus.services import mapping
from django_tavus.services.editable import Editable, Version
from django_tavus.services.merging import merge
from django_tavus.services.mirroring.reading import Found, Old, is_edited, mirrored_columns
from django_tavus.services.mirroring.relations import Relations, Targets
from django_tavus.services.status_reports import without_outcome


@dataclass
class Plan:
    """What a page changes."""

    kind: Editable
    old: Mapping[str, Old]
    """The rows that are there, by Tavus id."""
    now: datetime
    rows: list[Any] = field(default_factory=list)
    """Instances of what is new or differs."""
    relations: Relations = field(default_factory=Relations)
    is_polled: bool = False
    """Whether what the bodies report was announced before."""
    outcomes: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    """See ``SyncReport.outcomes``."""

    def compare(self, found: Iterable[Found]) -> None:
        """Plan what has to be written for these objects."""
        for one in found:
            before = self.old.get(one.tavus_id)
            if before is None:
                self._create(one)
            elif is_edited(before):
                self._merge(one, before)
            else:
                self._update(one, before)

    def _create(self, one: Found) -> None:
        self._add(one, {**one.values, "remote": one.kept})
        self.relations.move(one.tavus_id, one.targets)

    def _update(self, one: Found, before: Old) -> None:
        values = self._values(one, before)
        remote = {**before["remote"], **one.kept}
        replica_id = before.get("default_replica__tavus_id") or ""
        if (
            before["sync_state"] == SyncState.IN_SYNC
            and one.targets.replica_id in (None, replica_id)
            and remote == before["remote"]
            and all(before[name] == value for name, value in values.items())
        ):
            return
        self._add(one, {**self._columns(before), **values, "remote": remote})
        # What has not changed at Tavus since it was last linked is linked.
        linked = mapping.strings(before["remote"].get("document_ids"))
        self.relations.move(one.tavus_id, one.targets, Targets(replica_id, linked))

    def _merge(self, one: Found, before: Old) -> None:
        """Take over what only Tavus changed; with a conflict nothing moves, not even the base."""
        remote = {**before["remote"], **one.kept}
        ours = self._version(before)
        outcome = merge(self.kind.of_body(before["remote"]), ours, self.kind.of_body(remote))
        if outcome.conflicts:
            return
        merged = outcome.merged
        values = {**self._columns(before), **self._values(one, before)}
        values |= self.kind.as_columns(merged)
        state, error = before["sync_state"], before["sync_error"]
        self._add(one, {**values, "remote": remote}, state, error)
        self.relations.move(one.tavus_id, _targets(merged), _targets(ours))

    def _values(self, one: Found, before: Old) -> Mapping[str, Any]:
        if self.is_polled:
            return one.values
        values = without_outcome(self.kind.name, before.get("status", ""), one.values)
        if values is not one.values:
            self.outcomes.append((before["pk"], one.kept))
        return values

    def _columns(self, before: Old) -> dict[str, Any]:
        return {name: before[name] for name in mirrored_columns(self.kind)}

    def _version(self, before: Old) -> Version:
        """Return the editable members of a row that was edited here."""
        version = {name: before[name] for name in self.kind.columns}
        if self.kind.relations:
            version["default_replica_id"] = before["default_replica__tavus_id"] or ""
            version["document_ids"] = before["document_ids"]
        return version

    def _add(
        self,
        one: Found,
        fields: dict[str, Any],
        state: str = SyncState.IN_SYNC,
        error: str = "",
    ) -> None:
        row = self.kind.model(
            tavus_id=one.tavus_id,
            sync_state=state,
            sync_error=error,
            synced_at=self.now,
            updated_at=self.now,
            **fields,
        )
        self.rows.append(row)


def _targets(version: Version) -> Targets:
    return Targets(version.get("default_replica_id", ""), version.get("document_ids", ()))
