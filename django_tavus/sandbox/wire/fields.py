"""A small language for the fields of request bodies: tables in, problems out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MISSING = "Missing data for required field."
UNKNOWN = "Unknown field."
NULL = "Field may not be null."


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field; ``path`` leads to it, ``kind`` names the type that it lacks."""

    path: tuple[str, ...]
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Anything at all; the base of the others."""

    null: bool = False
    kind = "anything"

    def problems(self, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
        """Everything that is wrong with ``value``."""
        if value is None:
            if not self.null:
                yield Problem(path, NULL, self.kind)
        else:
            yield from self.check(value, path)

    def check(self, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
        """What is wrong with a value that is not null."""
        return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Field):
    """A string."""

    choices: tuple[str, ...] = ()
    maximum: int | None = None
    filled: bool = False
    pattern: str = ""
    hint: str = "Not a valid value."
    kind = "string"

    def check(self, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
        """A string, one of the choices, not too long, of the right form."""
        if not isinstance(value, str):
            yield Problem(path, "Not a valid string.", self.kind)
        elif self.choices and value not in self.choices:
            yield Problem(path, f"Must be one of: {', '.join(self.choices)}.", self.kind)
        elif self.filled and not value:
            yield Problem(path, MISSING, "required")
        elif self.maximum is not None and len(value) > self.maximum:
            yield Problem(path, f"Longer than maximum length {self.maximum}.", self.kind)
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield Problem(path, self.hint, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Field):
    """An integer, or any number."""

    minimum: float | None = None
    maximum: float | None = None
    whole: bool = True
    kind = "integer"

    def check(self, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
        """A number (True is none) within its bounds."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            yield Problem(path, f"Not a valid {'integer' if self.whole else 'number'}.", self.kind)
        elif self.minimum is not None and value < self.minimum:
            yield Problem(path, f"Must be greater than or equal to {self.minimum}.", self.kind)
        elif self.maximum is not None and value > self.maximum:
            yield Problem(path, f"Must be less than or equal to {self.maximum}.", self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Field):
    """A boolean; ``strings`` where the docs themselves write ``"false"``."""

    strings: bool = False
    kind = "boolean"

    def check(self, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
        """True or False, and not 0 or 1."""
        if not isinstance(value, bool) and not (self.strings and value in ("true", "false")):
            yield Problem(path, "Not a valid boolean.", self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Field):
    """A list."""

    item: Field = field(default_factory=Text)
    minimum: int = 0
    maximum: int | None = None
    kind = "list"

    def check(self, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
        """A list of the right length of the right things."""
        if not isinstance(value, list):
            yield Problem(path, "Not a valid list.", self.kind)
            return
        if len(value) < self.minimum:
            yield Problem(path, f"Shorter than minimum length {self.minimum}.", self.kind)
        if self.maximum is not None and len(value) > self.maximum:
            yield Problem(path, f"Longer than maximum length {self.maximum}.", self.kind)
        for index, item in enumerate(value):
            yield from self.item.problems(item, (*path, str(index)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Field):
    """An object with known members; others are refused."""

    members: Mapping[str, Field]
    required: tuple[str, ...] = ()
    kind = "object"

    def check(self, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
        """An object that has what is required and nothing unknown."""
        if not isinstance(value, dict):
            yield Problem(path, "Not a valid mapping type.", self.kind)
            return
        for name in self.required:
            if name not in value:
                yield Problem((*path, name), MISSING, "required")
        for name, item in value.items():
            if name in self.members:
                yield from self.members[name].problems(item, (*path, name))
            else:
                yield Problem((*path, name), UNKNOWN, "unknown")

    def renamed(self, names: Mapping[str, str]) -> Record:
        """The same object with some members called differently."""
        return replace(
            self,
            members={names.get(name, name): item for name, item in self.members.items()},
            required=tuple(names.get(name, name) for name in self.required),
        )

    def extended(self, **members: Field) -> Record:
        """The same object with more (or other) members."""
        return replace(self, members={**self.members, **members})


@dataclass(frozen=True, slots=True, kw_only=True)
class Free(Field):
    """An object with any members; with ``values``, all of that kind."""

    values: Field | None = None
    kind = "object"

    def check(self, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
        """An object."""
        if not isinstance(value, dict):
            yield Problem(path, "Not a valid mapping type.", self.kind)
        elif self.values is not None:
            for name, item in value.items():
                yield from self.values.problems(item, (*path, name))
