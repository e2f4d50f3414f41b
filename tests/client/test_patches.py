from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given, strategies as st

from django_tavus.client import InvalidRequest, TavusClient, diff
from django_tavus.client.patches import same
from tests.client.sizes import few
from tests.client.wire import Wire

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3)
names = st.sampled_from(["a", "b", "llm", "~", "/", "a/b", "~1", ""])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(names, values, max_size=5)


@few
@given(documents, documents)
def test_the_patch_leads_from_before_to_after(before: Any, after: Any) -> None:
    originals = copy.deepcopy((before, after))
    patched = jsonpatch.JsonPatch(diff(before, after)).apply(copy.deepcopy(before))
    assert same(patched, after)
    assert (before, after) == originals


@few
@given(documents)
def test_equal_documents_need_no_patch(document: Any) -> None:
    assert diff(document, copy.deepcopy(document)) == []


@few
@given(documents, documents)
def test_every_operation_is_needed(before: Any, after: Any) -> None:
    operations = diff(before, after)
    for index in range(len(operations)):
        rest = operations[:index] + operations[index + 1 :]
        assert not same(jsonpatch.JsonPatch(rest).apply(copy.deepcopy(before)), after)


@few
@given(documents, documents, st.integers())
def test_edits_made_elsewhere_survive(before: Any, after: Any, theirs: int) -> None:
    operations = diff(before, after)
    patched = jsonpatch.JsonPatch(operations).apply({**copy.deepcopy(before), "theirs": theirs})
    assert patched["theirs"] == theirs


@pytest.mark.parametrize(
    ("before", "after", "operations"),
    [
        ({"a": 1}, {"a": 2}, [("replace", "/a", 2)]),
        ({}, {"a": None}, [("add", "/a", None)]),
        ({"a": 1}, {"a": None}, [("replace", "/a", None)]),
        ({"a": 1}, {}, [("remove", "/a")]),
        ({"a": None}, {"a": "x"}, [("add", "/a", "x")]),
        ({"a": ""}, {"a": "x"}, [("add", "/a", "x")]),
        ({"layers": None}, {"layers": {"llm": {}}}, [("add", "/layers", {"llm": {}})]),
        (
            {"layers": {"llm": {"model": "a", "tools": []}}},
            {"layers": {"llm": {"model": "b", "tools": []}}},
            [("replace", "/layers/llm/model", "b")],
        ),
        ({"layers": {}}, {"layers": {"tts": {"a": 1}}}, [("add", "/layers", {"tts": {"a": 1}})]),
        ({"a": True}, {"a": 1}, [("replace", "/a", 1)]),
        ({"a": 0}, {"a": False}, [("replace", "/a", False)]),
        ({"ids": ["a", "b"]}, {"ids": ["b", "a"]}, [("replace", "/ids", ["b", "a"])]),
        (
            {"data": [{"n": "a", "p": 1}, {"n": "b"}]},
            {"data": [{"n": "a", "p": 2}, {"n": "b"}]},
            [("replace", "/data/0/p", 2)],
        ),
        ({"data": [{"n": 1}]}, {"data": []}, [("replace", "/data", [])]),
        ({"a/b": 1, "c~d": 1}, {"a/b": 2}, [("remove", "/c~0d"), ("replace", "/a~1b", 2)]),
        (1, 2, [("replace", "", 2)]),
    ],
)
def test_differences(before: Any, after: Any, operations: list[tuple[Any, ...]]) -> None:
    wanted = [dict(zip(("op", "path", "value"), parts, strict=False)) for parts in operations]
    assert diff(before, after) == wanted


def test_304_means_unchanged(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(304)
    assert tavus.personas.update("p1", diff({"a": 1}, {"a": 2})) is False


@pytest.mark.parametrize("raw", [b"", b"{}", b"OK"])
def test_200_means_changed_whatever_it_says(raw: bytes, tavus: TavusClient, wire: Wire) -> None:
    wire.answers(200, raw=raw)
    assert tavus.personas.update("p1", diff({"a": 1}, {"a": 2})) is True


def test_an_empty_patch_is_not_sent(tavus: TavusClient, wire: Wire) -> None:
    assert tavus.personas.update("p1", []) is False
    assert wire.sent == []


@pytest.mark.parametrize("operations", [{}, {"persona_name": "x"}, "add", [{"op": "add"}], [1]])
def test_a_plain_object_is_no_patch(operations: Any, tavus: TavusClient, wire: Wire) -> None:
    with pytest.raises(InvalidRequest):
        tavus.personas.update("p1", operations)
    assert wire.sent == []
