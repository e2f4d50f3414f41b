"""Whom an event is about: what its body claims, which is believed only after a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_tavus.services import mapping

Body = Mapping[str, Any]

# Where the ids of an object stand, in the order in which they are believed.
CLAIMED_IDS: dict[str, tuple[str, ...]] = {
    "conversation": ("conversation_id",),
    "document": ("document_id", "uuid", "id"),
    "replica": ("replica_id", "face_id"),
}
LONGEST_ID = 128


class RejectedError(Exception):
    """The event is about another object than the token that it came with.

    ``orphan`` is the id of a room that may have been made for the token's conversation without
    being its room; it is ended if Tavus shows our key on it.
    """

    def __init__(self, message: str, *, orphan: str = "") -> None:
        super().__init__(message)
        self.orphan = orphan


def flat(body: Body) -> dict[str, Any]:
    """Return the members of a status report, which may lie below ``properties`` or ``data``.

    The shape of document callbacks is undocumented.
    """
    members = dict(body)
    for name in ("properties", "data"):
        if isinstance(members.get(name), dict):
            members = {**members[name], **members}
    return members


def claimed_id(kind: str, body: Body) -> str:
    """Return the id of the object that ``body`` says it is about; empty if it says nothing."""
    members = body if kind == "conversation" else flat(body)
    claims = (mapping.text(members.get(name), LONGEST_ID) for name in CLAIMED_IDS[kind])
    return next(filter(None, claims), "")
