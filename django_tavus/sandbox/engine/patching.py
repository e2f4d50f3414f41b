"""JSON Patch (RFC 6902), applied to a copy: all or nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from django_tavus.sandbox.engine.refusals import Refusal

INVALID_OPERATION = Refusal(400, "Invalid patch operation")
OPERATIONS = ("add", "remove", "replace", "copy", "move", "test")


class PatchFailed(ValueError):  # noqa: N818 - it is a verdict about a patch
    """A well-formed operation that does not fit the document."""


def apply_patch(document: Any, operations: Sequence[dict[str, Any]]) -> Any:
    """A patched copy of ``document``. Raises `PatchFailed`."""
    root = {"": copy.deepcopy(document)}
    for operation in operations:
        try:
            _APPLY[operation["op"]](root, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise PatchFailed(str(operation["path"])) from error
    if "" not in root:
        raise PatchFailed("the document itself was removed")
    return root[""]


def checked_operations(body: Any) -> list[dict[str, Any]]:
    """The operations of a body, or 422: the classic mistake is to send a plain object."""
    if isinstance(body, list) and all(_is_operation(item) for item in body):
        return body
    raise Refusal(422, "Invalid JSON patch format", "message")


def lenient_operations(body: Any) -> list[dict[str, Any]]:
    """The operations of a patch of objectives or guardrails, where a malformed one is 400."""
    try:
        return checked_operations(body)
    except Refusal:
        raise INVALID_OPERATION from None


def rooted(operation: dict[str, Any]) -> dict[str, Any]:
    """An operation on a set of objectives or guardrails, as the set really lies.

    The docs patch both ``/data/0/objective_name`` and ``/objective_name``; the first is real.
    """
    moved = dict(operation)
    for member in ("path", "from"):
        pointer = moved.get(member)
        if pointer and not pointer.startswith(("/data", "/name")):
            moved[member] = f"/data/0{pointer}"
    return moved


def _is_operation(item: Any) -> bool:
    if not isinstance(item, dict) or item.get("op") not in OPERATIONS:
        return False
    pointers = [item.get("path")]
    if item["op"] in ("move", "copy"):
        pointers.append(item.get("from"))
    needs_value = item["op"] in ("add", "replace", "test")
    return all(_is_pointer(pointer) for pointer in pointers) and (
        "value" in item or not needs_value
    )


def _is_pointer(pointer: Any) -> bool:
    return isinstance(pointer, str) and (not pointer or pointer.startswith("/"))


def _parts(pointer: str) -> list[str]:
    # The document hangs under "" in a root of its own, so that even "" has a parent.
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]


def _parent(root: Any, pointer: str) -> tuple[Any, str]:
    *parents, last = _parts(pointer)
    for part in parents:
        root = root[_index(root, part)] if isinstance(root, list) else root[part]
    if not isinstance(root, dict | list):
        raise TypeError(pointer)
    return root, last


def _index(items: list[Any], part: str, *, end: bool = False) -> int:
    if end and part == "-":
        return len(items)
    index = int(part)
    if part != str(index) or not 0 <= index < len(items) + end:
        raise IndexError(part)
    return index


def _get(root: Any, pointer: str) -> Any:
    parent, last = _parent(root, pointer)
    return parent[_index(parent, last)] if isinstance(parent, list) else parent[last]


def _put(root: Any, pointer: str, value: Any) -> None:
    parent, last = _parent(root, pointer)
    if isinstance(parent, list):
        parent.insert(_index(parent, last, end=True), value)
    else:
        parent[last] = value


def _take(root: Any, pointer: str) -> Any:
    parent, last = _parent(root, pointer)
    return parent.pop(_index(parent, last)) if isinstance(parent, list) else parent.pop(last)


def _add(root: Any, operation: dict[str, Any]) -> None:
    _put(root, operation["path"], copy.deepcopy(operation["value"]))


def _remove(root: Any, operation: dict[str, Any]) -> None:
    _take(root, operation["path"])


def _replace(root: Any, operation: dict[str, Any]) -> None:
    _get(root, operation["path"])
    parent, last = _parent(root, operation["path"])
    parent[_index(parent, last) if isinstance(parent, list) else last] = copy.deepcopy(
        operation["value"]
    )


def _copy(root: Any, operation: dict[str, Any]) -> None:
    _put(root, operation["path"], copy.deepcopy(_get(root, operation["from"])))


def _move(root: Any, operation: dict[str, Any]) -> None:
    source, target = operation["from"], operation["path"]
    if target != source and target.startswith(source + "/"):
        raise ValueError("An object cannot be moved into itself.")
    _put(root, target, _take(root, source))


def _test(root: Any, operation: dict[str, Any]) -> None:
    if not _same(_get(root, operation["path"]), operation["value"]):
        raise ValueError("The tested value differs.")


def _same(ours: Any, theirs: Any) -> bool:
    # Python calls True and 1 equal; JSON does not.
    if isinstance(ours, bool) is not isinstance(theirs, bool):
        return False
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return bool(ours == theirs)


same = _same
"""Whether two JSON values are the same (``True`` is not ``1``)."""

_APPLY: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "copy": _copy,
    "move": _move,
    "test": _test,
}
