"""Relations: a persona's default replica and its documents, which Tavus names by their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Value

from django_tavus.models import Document, Persona, Replica
from django_tavus.services.upserting import make_stubs, select_keys, union

_Through: Any = Persona.documents.through


class Targets(NamedTuple):
    """What a persona points to, by Tavus ids; ``None`` where that is not told."""

    replica_id: str | None
    """Empty: it has no default replica."""
    document_ids: Collection[str] | None


NOTHING = Targets("", ())
UNTOLD = Targets(None, None)


def linked_documents(persona_pks: Collection[int]) -> defaultdict[int, set[str]]:
    """Return the Tavus ids of the documents that each of the personas has."""
    linked: defaultdict[int, set[str]] = defaultdict(set)
    if persona_pks:
        for pk, tavus_id in _links(persona_pks).values_list("persona_id", "document__tavus_id"):
            linked[pk].add(tavus_id)
    return linked


def _links(persona_pks: Iterable[int]) -> QuerySet[Any]:
    """Return links by persona; documents not published yet have no id and are nobody's business."""
    rows: QuerySet[Any] = _Through.objects.filter(persona_id__in=list(persona_pks))
    return rows.filter(document__tavus_id__isnull=False).order_by()


class Relations:
    """What the personas of a page are to point to, where that changes.

    First ``move`` notes it, then ``look_up`` reads the keys that it takes; in the transaction
    ``set_replicas`` comes before the rows are written and ``link_documents`` after.
    """

    def __init__(self) -> None:
        self._replica_of: dict[str, str] = {}  # Tavus ids; empty for no replica
        self._documents_of: dict[str, Collection[str]] = {}
        self._personas: dict[str, int] = {}  # primary keys by Tavus id
        self._replicas: dict[str, int] = {}
        self._documents: dict[str, int] = {}
        self._linked: defaultdict[int, set[str]] = defaultdict(set)

    def move(self, persona: str, to: Targets, before: Targets = NOTHING) -> None:
        """Note what a persona is to point to; what is not told does not change."""
        if to.replica_id is not None and to.replica_id != before.replica_id:
            self._replica_of[persona] = to.replica_id
        if to.document_ids is not None and set(to.document_ids) != set(before.document_ids or ()):
            self._documents_of[persona] = to.document_ids

    def look_up(self, old: Mapping[str, Mapping[str, Any]]) -> None:
        """Look up every key that is needed, in one statement."""
        self._personas = {key: old[key]["pk"] for key in self._documents_of if key in old}
        keys = {"replica": self._replicas, "document": self._documents}
        parts = select_keys({Replica: self._replica_ids, Document: self._document_ids})
        if self._personas:
            links = _links(self._personas.values())
            parts.append(links.values_list(Value("link"), "document__tavus_id", "persona_id"))
        for name, tavus_id, pk in union(parts):
            if name == "link":
                self._linked[pk].add(tavus_id)
            else:
                keys[name][tavus_id] = pk

    @property
    def _replica_ids(self) -> set[str]:
        return {tavus_id for tavus_id in self._replica_of.values() if tavus_id}

    @property
    def _document_ids(self) -> set[str]:
        return {tavus_id for ids in self._documents_of.values() for tavus_id in ids}

    def set_replicas(self, rows: Iterable[Any]) -> None:
        """Point rows that are about to be written to their replicas."""
        self._replicas |= make_stubs(Replica, self._replica_ids - self._replicas.keys())
        for row in rows:
            if row.tavus_id in self._replica_of:
                row.default_replica_id = self._replicas.get(self._replica_of[row.tavus_id])

    def link_documents(self, rows: Iterable[Any]) -> None:
        """Make each persona's documents those of its body; documents not published yet stay."""
        if not self._documents_of:
            return
        self._know_personas(rows)
        self._documents |= make_stubs(Document, self._document_ids - self._documents.keys())
        stale, fresh = Q(), []
        for persona, ids in self._documents_of.items():
            pk = self._personas[persona]
            if dropped := self._linked[pk] - set(ids):
                stale |= Q(persona_id=pk, document__tavus_id__in=dropped)
            fresh += [(pk, self._documents[key]) for key in set(ids) - self._linked[pk]]
        if stale:
            _Through.objects.filter(stale).delete()
        if fresh:
            links = [_Through(persona_id=pk, document_id=document) for pk, document in fresh]
            _Through.objects.bulk_create(links, ignore_conflicts=True)

    def _know_personas(self, rows: Iterable[Any]) -> None:
        """Add the keys of new personas; SQLite before 3.35 does not return them."""
        self._personas = {row.tavus_id: row.pk for row in rows if row.pk} | self._personas
        if missing := self._documents_of.keys() - self._personas.keys():
            found = Persona.objects.filter(tavus_id__in=missing)
            self._personas |= {str(key): pk for key, pk in found.values_list("tavus_id", "pk")}
