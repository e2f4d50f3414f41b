"""How Tavus says no: a status, a sentence, and the key the sentence stands under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Key = Literal["error", "message"]


@dataclass
class Refusal(Exception):  # noqa: N818 - it is an answer of the remote, not an error of ours
    """A request that the account or the engine refuses.

    ``status`` is the HTTP status, ``detail`` the sentence (or mapping of fields), ``key`` the
    member of the body that carries it: Tavus uses two and is not consistent about which.
    """

    status: int
    detail: str | Mapping[str, Any]
    key: Key = "error"
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.detail}"

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {self.key: self.detail, **self.extra}


class RoomRefusal(Exception):  # noqa: N818 - see Refusal
    """Something that cannot be done in a room: it is over, full, private, or nobody is there."""


def invalid(name: str) -> Refusal:
    """An id nobody knows. Mostly 400 and not 404 (Tavus docs, every resource but a few)."""
    return Refusal(400, f"Invalid {name}")


def not_found(what: str, key: Key = "message") -> Refusal:
    """The few resources that do answer 404."""
    return Refusal(404, f"{what} not found", key)
