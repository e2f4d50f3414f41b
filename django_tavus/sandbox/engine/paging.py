"""Pages of lists: each resource counts its pages in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django_tavus.sandbox.engine.refusals import Refusal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paging:
    """How one resource is paged."""

    first: int
    """Number of the first page."""
    maximum: int | None = None
    """Largest documented ``limit``."""
    echoes: bool = False
    """Whether ``page`` and ``limit`` stand in the answer."""
    default: int = 10


PAGING: dict[str, Paging] = {
    # Where the docs give a first page, they disagree between resources; page 0 of a resource
    # that counts from 1 is tolerated (the provider's own health check asks for it).
    "conversations": Paging(first=1),
    "personas": Paging(first=1),
    "replicas": Paging(first=1),
    "voices": Paging(first=1, maximum=100, echoes=True),
    "documents": Paging(first=0, echoes=True),
    "dictionaries": Paging(first=0, maximum=100, echoes=True),
    "videos": Paging(first=0),
    "objectives": Paging(first=1),
    "guardrails": Paging(first=1),
    "tools": Paging(first=1),
    "transcriptions": Paging(first=1),
}
"""The paging of every list."""


def cut_page(
    resource: str, rows: Sequence[T], limit: int | None, page: int | None
) -> tuple[list[T], dict[str, Any]]:
    """The rows of one page, and the members of the envelope beside ``data``."""
    paging = PAGING[resource]
    limit = paging.default if limit is None else limit
    if limit < 1 or (paging.maximum is not None and limit > paging.maximum):
        raise Refusal(400, "Invalid request: limit must be a positive integer")
    page = paging.first if page is None else page
    if page < 0:
        raise Refusal(400, "Invalid request: page must not be negative")
    start = max(page - paging.first, 0) * limit
    envelope: dict[str, Any] = {"total_count": len(rows)}
    if paging.echoes:
        envelope |= {"page": page, "limit": limit}
    return list(rows[start : start + limit]), envelope
