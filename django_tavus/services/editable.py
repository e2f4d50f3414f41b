"""What can be edited here of each kind of object, as the provider names it.

A version is a JSON object of the editable members: of our columns, or of a remote body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django_tavus.models import Document, Persona, Replica
from django_tavus.models.base import PublishedObject
from django_tavus.services import mapping

Version = dict[str, Any]


@dataclass(frozen=True)
class Editable:
    """One kind of object: where it is at Tavus, and which of its members are edited here."""

    name: str
    """The model's name, which is the first argument of the task ``push_object``."""
    model: type[PublishedObject]
    resource: str
    """Attribute of the client."""
    id_key: str
    values: Callable[[Mapping[str, Any]], dict[str, Any]]
    columns: tuple[str, ...]
    """Editable columns that are called as their member."""
    relations: frozenset[str] = frozenset()
    """Editable members that name other objects by their Tavus ids."""
    type_field: str = ""

    @property
    def plain(self) -> frozenset[str]:
        """Members of ``remote`` that are kept as they are; see :func:`mapping.keep`."""
        return (frozenset(self.columns) | self.relations) - {"layers"}

    def of_body(self, body: Mapping[str, Any]) -> Version:
        """Return the editable members of a remote body."""
        values = self.values(body)
        version = {name: values[name] for name in self.columns if name in values}
        if "pipeline_mode" in self.columns:
            version.setdefault("pipeline_mode", "full")
        if "default_replica_id" in self.relations:
            version["default_replica_id"] = mapping.text(body.get("default_replica_id"), 128)
            version["document_ids"] = sorted(set(mapping.strings(body.get("document_ids"))))
        return version

    def of_columns(
        self, row: Any, *, default_replica_id: str = "", document_ids: Iterable[str] = ()
    ) -> Version:
        """Return the editable members of a row, whose relations are given by Tavus id."""
        version = {name: getattr(row, name) for name in self.columns}
        if self.relations:
            version["default_replica_id"] = default_replica_id
            version["document_ids"] = sorted(set(document_ids))
        return version

    def of_row(self, row: Any) -> Version:
        """Return the editable members of a row; a persona costs two queries."""
        if not isinstance(row, Persona):
            return self.of_columns(row)
        linked = row.documents.filter(tavus_id__isnull=False)
        return self.of_columns(
            row,
            default_replica_id=(row.default_replica and row.default_replica.tavus_id) or "",
            document_ids=[str(one) for one in linked.values_list("tavus_id", flat=True)],
        )

    def as_columns(self, version: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns, without relations, that hold ``version``; the rest is emptied."""
        empty = self.model()
        return {name: version.get(name, getattr(empty, name)) for name in self.columns}


PERSONA = Editable(
    "persona",
    Persona,
    "personas",
    "persona_id",
    mapping.persona_values,
    (
        "persona_name",
        "system_prompt",
        "context",
        "greeting",
        "pipeline_mode",
        "document_tags",
        "layers",
        "objectives_id",
        "guardrail_ids",
    ),
    frozenset({"default_replica_id", "document_ids"}),
    "persona_type",
)
DOCUMENT = Editable(
    "document",
    Document,
    "documents",
    "document_id",
    mapping.document_values,
    ("document_name", "tags"),
)
REPLICA = Editable(
    "replica",
    Replica,
    "replicas",
    "replica_id",
    mapping.replica_values,
    ("replica_name",),
    type_field="replica_type",
)
EDITABLES: dict[str, Editable] = {one.name: one for one in (PERSONA, DOCUMENT, REPLICA)}


def editable_of(obj: PublishedObject | type[PublishedObject]) -> Editable:
    """Return the kind that ``obj`` belongs to."""
    return EDITABLES[str(obj._meta.model_name)]
