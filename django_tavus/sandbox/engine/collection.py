"""A resource of the account: objects by id, readable like a dict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from django_tavus.sandbox.engine.world import World

Owner = Literal["user", "system"]


@dataclass
class Stored:
    """An object of the account: ``owner`` is ``user``, or ``system`` for the provider's stock."""

    id: str
    owner: Owner
    created_at: datetime
    updated_at: datetime
    body: dict[str, Any] = field(default_factory=dict)
    """What was sent when it was made, with defaults filled in."""


S = TypeVar("S", bound=Stored)


class Collection(Mapping[str, S], Generic[S]):
    """The objects of one kind; subclasses add what can be done with them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._objects: dict[str, S] = {}

    def __getitem__(self, key: str) -> S:
        return self._objects[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def clear(self) -> None:
        """Forget everything."""
        self._objects.clear()

    def put(self, stored: S) -> S:
        """Add an object, or replace the one with its id."""
        self._objects[stored.id] = stored
        return stored

    def remove(self, key: str) -> None:
        """Forget one object."""
        del self._objects[key]

    def touch(self, stored: S) -> None:
        """Note that an object has just changed."""
        stored.updated_at = self.world.now()

    def owned_by(self, owner: str | None) -> list[S]:
        """The objects of one owner, or of all for None and ``all``; oldest first."""
        rows = (row for row in self._objects.values() if owner in (None, "all", row.owner))
        return sorted(rows, key=lambda row: row.created_at)


def matches(needle: str | None, *texts: str | None) -> bool:
    """The ``name_or_uuid`` filter: part of a name or an id, in any case of letters."""
    return not needle or any(needle.lower() in (text or "").lower() for text in texts)


def tagged(stored: Stored, tags: str | None) -> bool:
    """The ``tags`` filter: any of the comma-separated ones."""
    wanted = {tag.strip() for tag in (tags or "").split(",") if tag.strip()}
    return not wanted or bool(wanted & set(stored.body.get("tags") or ()))
