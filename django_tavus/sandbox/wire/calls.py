"""A request as a handler sees it, and the answer that it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django_tavus.sandbox.engine import Engine
from django_tavus.sandbox.engine.refusals import Refusal
from django_tavus.sandbox.wire.fields import Field
from django_tavus.sandbox.wire.validation import Style, by_field, validate
from django_tavus.sandbox.wire.vocabulary import OLD, Vocabulary

EMPTY = object()
"""The body of an answer that has none, which is not ``null``."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: ``body`` is JSON, or `EMPTY`."""

    body: Any = EMPTY
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


NO_CONTENT = Reply(status=204)
NOT_MODIFIED = Reply(status=304)
OK = Reply()


@dataclass(frozen=True, slots=True)
class Query:
    """The query string, read with Tavus's tolerance and intolerance."""

    values: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """A parameter, or None where it is absent or empty."""
        return self.values.get(name) or None

    def whole(self, name: str) -> int | None:
        """An integer."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except ValueError:
            raise Refusal(400, f"Invalid request: {name} must be a positive integer") from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean: lower-case words, as the official clients send them."""
        word = self.choice(name, ("true", "false"))
        return default if word is None else word == "true"

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """One of several words."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise Refusal(400, f"Invalid request: {name} must be one of {', '.join(choices)}")
        return value

    def descending(self, *, default: bool = False) -> bool:
        """``sort``, under the four words that are in use for its two directions."""
        word = self.choice("sort", ("asc", "desc", "ascending", "descending"))
        return default if word is None else word.startswith("desc")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the API."""

    engine: Engine
    ids: Mapping[str, str]
    query: Query
    body: Any
    vocabulary: Vocabulary
    rooms: str
    """URL below which the rooms of new conversations are."""

    def __getitem__(self, name: str) -> str:
        return self.ids[name]


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One operation of the API."""

    method: str
    path: str
    handler: Handler
    schema: Field | None = None
    style: Style = by_field
    vocabulary: Vocabulary = OLD
    open: bool = False
    """Whether it is answered without a key."""

    def check(self, body: Any) -> None:
        """Refuse a body that does not fit the schema."""
        if self.schema is not None:
            validate(self.schema, body, self.style)
