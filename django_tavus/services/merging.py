"""Two-way edits: three versions of an object in, one out, or the members that are in conflict.

Pure. A version is a JSON object of the members that can be edited. Objects are compared member by
member and everything else as a whole; missing, null and empty are the same, since Tavus leaves
empty members out of what it stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django_tavus.client.patches import pointer, same

Version = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A member that both sides changed, differently; null stands for empty."""

    path: str
    """JSON pointer, such as ``/layers/llm/model``."""
    base: Any
    ours: Any
    theirs: Any

    def as_json(self) -> dict[str, Any]:
        """The conflict as it is stored and shown."""
        return {"path": self.path, "base": self.base, "ours": self.ours, "theirs": self.theirs}


@dataclass(slots=True)
class Merge:
    """The outcome: ``merged`` holds ours wherever there is a conflict."""

    merged: dict[str, Any] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


def merge(base: Version, ours: Version, theirs: Version) -> Merge:
    """Merge two versions that come from ``base``."""
    outcome = Merge()
    outcome.merged = _merge_objects(base, ours, theirs, (), outcome.conflicts)
    return outcome


def is_empty(value: Any) -> bool:
    """Whether ``value`` says nothing: null, or an empty text, list or object."""
    return value is None or value in ("", [], {})


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same where missing, null and empty are."""
    if is_empty(one) or is_empty(other):
        return is_empty(one) == is_empty(other) or (_is_hollow(one) and _is_hollow(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(alike(one.get(name), other.get(name)) for name in one.keys() | other.keys())
    return same(one, other)


def _is_hollow(value: Any) -> bool:
    """Whether nothing is left of ``value`` without its empty members."""
    if isinstance(value, Mapping):
        return all(map(_is_hollow, value.values()))
    return is_empty(value)


def member(version: Any, path: str) -> Any:
    """Return what ``path`` points to; ``None`` where there is nothing."""
    for name in names(path):
        if isinstance(version, Mapping):
            version = version.get(name)
        elif isinstance(version, list) and name.isdigit() and int(name) < len(version):
            version = version[int(name)]
        else:
            return None
    return version


def agreed(base: Version, ours: Version, theirs: Version) -> dict[str, Any]:
    """Return ``base`` moved on to what both sides have in common by now."""
    agreement = {}
    for name in base.keys() | ours.keys() | theirs.keys():
        sides = [side.get(name) for side in (base, ours, theirs)]
        if alike(sides[1], sides[2]):
            agreement[name] = sides[2]
        elif all(isinstance(side, Mapping) for side in sides):
            agreement[name] = agreed(*sides)  # type: ignore[arg-type]
        else:
            agreement[name] = sides[0]
    return {name: value for name, value in agreement.items() if not is_empty(value)}


def graft(onto: Mapping[str, Any], version: Version) -> dict[str, Any]:
    """Return ``onto`` changed into ``version`` where they differ, and only there.

    What is empty on both sides stays as it is, so that no patch speaks of it.
    """
    grafted = dict(onto)
    for name in onto.keys() | version.keys():
        old, new = onto.get(name), version.get(name)
        if alike(old, new):
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            grafted[name] = graft(old, new)
        elif is_empty(new):
            grafted.pop(name, None)
        else:
            grafted[name] = new
    return grafted


def names(path: str) -> list[str]:
    """Return the names in a JSON pointer."""
    return [name.replace("~1", "/").replace("~0", "~") for name in path.split("/")[1:]]


def put(version: Any, path: str, value: Any) -> Any:
    """Return a copy of ``version`` with ``value`` at ``path``; an empty one takes it away."""
    return _put(version, names(path), value)


def _put(version: Any, steps: list[str], value: Any) -> Any:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(version, list) and step.isdigit() and int(step) < len(version):
        copied = list(version)
        copied[int(step)] = _put(copied[int(step)], rest, value)
        return copied
    kept = dict(version) if isinstance(version, Mapping) else {}
    placed = _put(kept.get(step), rest, value)
    if is_empty(placed):
        kept.pop(step, None)
    else:
        kept[step] = placed
    return kept


def _merge_objects(
    base: Any, ours: Any, theirs: Any, path: tuple[str, ...], conflicts: list[Conflict]
) -> dict[str, Any]:
    old, mine, other = (_as_object(side) for side in (base, ours, theirs))
    # Their order first: what is not touched stays where it is.
    merged = {
        name: _merge_values(
            old.get(name), mine.get(name), other.get(name), (*path, name), conflicts
        )
        for name in dict.fromkeys([*other, *mine, *old])
    }
    return {name: value for name, value in merged.items() if not is_empty(value)}


def _as_object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _merge_values(
    base: Any, ours: Any, theirs: Any, path: tuple[str, ...], conflicts: list[Conflict]
) -> Any:
    if alike(ours, theirs) or alike(base, ours):
        return theirs
    if alike(base, theirs):
        return ours
    if all(isinstance(side, Mapping) or is_empty(side) for side in (base, ours, theirs)):
        return _merge_objects(base, ours, theirs, path, conflicts)
    conflicts.append(Conflict(pointer(*path), base, ours, theirs))
    return ours
