"""What a sync did and what it could not do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django_tavus.client import TavusError
from django_tavus.services import mapping

NAMES = ("persona_name", "replica_name", "document_name", "conversation_name")


@dataclass
class SyncReport:
    """What one sync of one kind did, in numbers of objects."""

    kind: str = ""
    stored: int = 0
    """Objects that are mirrored now, the unchanged ones included."""
    written: int = 0
    """Of these, objects that were new or changed."""
    gone: int = 0
    """Rows whose object Tavus no longer lists."""
    failed: list[str] = field(default_factory=list)
    """The objects that could not be stored, by id or what else is known of them."""
    outcomes: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    """Row and body of what is done by now, and still has to be announced."""
    error: TavusError | None = None
    """Why the listing ended early, if it did."""

    @property
    def is_complete(self) -> bool:
        """Whether every object was listed and stored."""
        return self.error is None and not self.failed


LONGEST_ID = 128


def read_id(body: Mapping[str, Any], id_key: str) -> str:
    """Return the id of a remote object.

    Raises:
        ValueError: it has none that can be stored.
    """
    tavus_id = mapping.text(body.get(id_key))
    if not 0 < len(tavus_id) <= LONGEST_ID:
        raise ValueError(id_key)
    return tavus_id


def describe(body: Mapping[str, Any], id_key: str) -> str:
    """Return a short name for a remote object that cannot be stored."""
    known = [body.get(name) for name in (id_key, *NAMES)]
    texts = [mapping.text(value, 60) for value in known if isinstance(value, str) and value]
    if texts:
        return " ".join(texts)
    try:
        return str(mapping.keep(body))[:80]
    except (RecursionError, ValueError):
        return "an object that cannot be read"
