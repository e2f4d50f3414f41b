from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import jsonpointer
import pytest
from hypothesis import given, strategies as st

from django_tavus.sandbox.engine.patching import PatchFailed, apply_patch

SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.text("ab/~", max_size=2)
KEYS = st.sampled_from(["a", "b", "0", "-", "a/b", "~"])
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)
POINTERS = st.lists(
    st.sampled_from(["a", "b", "0", "1", "-", "a~1b", "~0", "01", "-1"]), min_size=1, max_size=3
).map(lambda parts: "/" + "/".join(parts))
OPERATIONS = st.one_of(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "replace", "test"]),
            "path": POINTERS,
            "value": SCALARS | DOCUMENTS,
        }
    ),
    st.fixed_dictionaries({"op": st.just("remove"), "path": POINTERS}),
    st.fixed_dictionaries(
        {"op": st.sampled_from(["move", "copy"]), "from": POINTERS, "path": POINTERS}
    ),
)


def by_the_library(document: Any, operations: list[dict[str, Any]]) -> Any:
    try:
        return jsonpatch.apply_patch(copy.deepcopy(document), copy.deepcopy(operations))
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError):
        return PatchFailed


def by_us(document: Any, operations: list[dict[str, Any]]) -> Any:
    try:
        return apply_patch(document, operations)
    except PatchFailed:
        return PatchFailed


def differs_by_type(operations: list[dict[str, Any]]) -> bool:
    # The library compares with Python's ==, for which True is 1.
    return any(operation["op"] == "test" for operation in operations)


def into_itself(operations: list[dict[str, Any]]) -> bool:
    return any(
        operation["op"] == "move" and operation["path"].startswith(operation["from"] + "/")
        for operation in operations
    )


@given(DOCUMENTS, st.lists(OPERATIONS, min_size=1, max_size=4))
def test_patches_as_the_library_does(document: Any, operations: list[dict[str, Any]]) -> None:
    before = copy.deepcopy(document)
    ours = by_us(document, operations)
    assert document == before
    if not differs_by_type(operations) and not into_itself(operations):
        assert ours == by_the_library(document, operations)


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ({"op": "test", "path": "/one", "value": 1}, {"one": 1, "list": [1, 2]}),
        ({"op": "test", "path": "/list", "value": [1, 2.0]}, {"one": 1, "list": [1, 2]}),
        ({"op": "test", "path": "/one", "value": True}, PatchFailed),
        ({"op": "test", "path": "/list/0", "value": 2}, PatchFailed),
        ({"op": "add", "path": "/list/-", "value": 3}, {"one": 1, "list": [1, 2, 3]}),
        ({"op": "add", "path": "/list/3", "value": 3}, PatchFailed),
        ({"op": "replace", "path": "/two", "value": 3}, PatchFailed),
        ({"op": "remove", "path": "/list/-"}, PatchFailed),
        ({"op": "replace", "path": "", "value": 3}, 3),
        ({"op": "move", "from": "/list", "path": "/list/0"}, PatchFailed),
    ],
)
def test_operation(operation: dict[str, Any], after: Any) -> None:
    assert by_us({"one": 1, "list": [1, 2]}, [operation]) == after
