"""What the account at Tavus holds in a test: the rows that the factories make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from django_tavus.models import Document, Persona, Replica
from django_tavus.sandbox import Sandbox

Row = TypeVar("Row", Document, Persona, Replica)

# By Tavus id. A row may be made before the sandbox is there; one that nobody holds any more
# belongs to a test that is over.
_made: WeakValueDictionary[str, Document | Persona | Replica] = WeakValueDictionary()
_sandboxes: list[Sandbox] = []


def remember(row: Row) -> Row:
    """Have ``row`` known to the sandboxes of now and later; return it."""
    if row.tavus_id:
        getattr(row, "default_replica", None)  # kept at the row: later there may be no database
        _made[row.tavus_id] = row
        for sandbox in _sandboxes:
            _show(sandbox, row)
    return row


@contextmanager
def shown_to(sandbox: Sandbox) -> Iterator[None]:
    """Have ``sandbox`` know the rows that are made before and during the block."""
    for row in list(_made.values()):
        _show(sandbox, row)
    _sandboxes.append(sandbox)
    try:
        yield
    finally:
        _sandboxes.remove(sandbox)


def _show(sandbox: Sandbox, row: Document | Persona | Replica) -> None:
    if isinstance(row, Document):
        _show_document(sandbox, row)
    elif isinstance(row, Persona):
        _show_persona(sandbox, row)
    else:
        sandbox.add_replica(replica_id=row.tavus_id, replica_name=row.replica_name)


def _show_document(sandbox: Sandbox, row: Document) -> None:
    names = {"document_name": row.document_name, "document_url": row.document_url}
    sandbox.add_document(document_id=row.tavus_id, status=row.status, **names)


def _show_persona(sandbox: Sandbox, row: Persona) -> None:
    replica = row.default_replica
    sandbox.add_persona(
        persona_id=row.tavus_id,
        persona_name=row.persona_name,
        system_prompt=row.system_prompt,
        default_replica_id=replica.tavus_id if replica else None,
    )
