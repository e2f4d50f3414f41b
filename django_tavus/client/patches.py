"""Differences between two JSON documents as JSON Patch (RFC 6902)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Operation = dict[str, Any]
"""One operation: `op`, `path` and, but for a removal, `value`."""


def diff(before: Any, after: Any) -> list[Operation]:
    """Return the operations that turn `before` into `after`, none if they are equal.

    Only members that differ are touched, so edits made elsewhere in the meantime survive. Lists
    of the same length are compared item by item, others are replaced whole. Members that are
    missing, null or empty are set with `add`, which creates or sets: Tavus leaves empty members
    out of what it stores, and `replace` fails on a path that is not there.
    """
    return list(_differences(before, after, ""))


def pointer(*names: object) -> str:
    """Return the JSON pointer (RFC 6901) to the member reached by `names`."""
    return "".join("/" + str(name).replace("~", "~0").replace("/", "~1") for name in names)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; unlike in Python, true is not 1 and false is not 0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _differences(before: Any, after: Any, path: str) -> Iterator[Operation]:
    if same(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_objects(before, after, path)
    elif _item_by_item(before, after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{path}/{index}")
    else:
        yield {"op": "replace", "path": path, "value": after}


def _of_objects(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str
) -> Iterator[Operation]:
    for key in before:
        if key not in after:
            yield {"op": "remove", "path": path + pointer(key)}
    for key, value in after.items():
        if _is_empty(before.get(key)) and not same(before.get(key, _MISSING), value):
            yield {"op": "add", "path": path + pointer(key), "value": value}
        elif key in before:
            yield from _differences(before[key], value, path + pointer(key))


_MISSING = object()


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _item_by_item(before: Any, after: Any) -> bool:
    """Lists of as many objects: the steps of objectives, say. Lists of ids are replaced whole."""
    return (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
        and all(isinstance(item, Mapping) for item in (*before, *after))
    )
