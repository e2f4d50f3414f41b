from __future__ import annotations

from typing import Any

import pytest

from django_tavus.client import ServerError, TavusClient
from django_tavus.client.vocabulary import renamed
from tests.client.wire import Wire


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"pal_id": "p1", "face_id": "r1"}, {"persona_id": "p1", "replica_id": "r1"}),
        ({"pal_name": "A", "pal_type": "user"}, {"persona_name": "A", "persona_type": "user"}),
        ({"face_name": "A", "face_type": "user"}, {"replica_name": "A", "replica_type": "user"}),
        ({"default_face_id": "r1"}, {"default_replica_id": "r1"}),
        ({"persona_id": "p1", "pal_id": "p2"}, {"persona_id": "p1"}),
        ({"pal_id": "p2", "persona_id": "p1"}, {"persona_id": "p1"}),
        ({"persona_id": None, "pal_id": "p2"}, {"persona_id": "p2"}),
        ({"pal_id": "p2", "persona_id": ""}, {"persona_id": "p2"}),
        ({"pal_id": None}, {"persona_id": None}),
        ({"persona_id": None, "pal_id": None}, {"persona_id": None}),
        ({"x": {"pal_id": "kept"}}, {"x": {"pal_id": "kept"}}),
    ],
)
def test_names(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert renamed(given) == wanted


OBJECTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("conversations", {"conversation_id": "x", "pal_id": "p"}, {"persona_id": "p"}),
    ("conversations", {"data": {"conversation_id": "x"}}, {}),
    ("personas", {"data": [{"persona_id": "x", "layers": {}}]}, {"layers": {}}),
    ("personas", {"data": {"pal_id": "x", "pal_name": "A"}}, {"persona_name": "A"}),
    ("personas", {"pal_id": "x"}, {}),
    ("replicas", {"face_id": "x", "status": "completed"}, {"status": "completed"}),
    ("documents", {"uuid": "x", "status": "ready"}, {"status": "ready"}),
    ("documents", {"id": "x"}, {}),
    ("documents", {"document_id": "x", "uuid": "y"}, {"uuid": "y"}),
    ("videos", {"video_id": "x", "data": {"script": "Hi"}}, {"data": {"script": "Hi"}}),
    ("objectives", {"data": {"objective_name": "a"}}, {"objective_name": "a"}),
    ("objectives", {"data": [{"objective_name": "a"}]}, {"data": [{"objective_name": "a"}]}),
    ("objectives", {"data": [{"objectives_id": "x", "name": "s"}]}, {"name": "s"}),
    ("guardrails", {"uuid": "x", "guardrail_name": "g"}, {"guardrail_name": "g"}),
    ("guardrails", {"guardrails_id": "x", "data": [{}]}, {"data": [{}]}),
    ("pronunciation_dictionaries", {"pronunciation_dictionary_id": "x"}, {}),
    ("tools", {"tool_id": "x"}, {}),
    ("transcriptions", {"transcription_id": "x"}, {}),
]


@pytest.mark.parametrize(("resource", "body", "rest"), OBJECTS)
def test_one_object_is_unwrapped_and_its_id_has_one_name(
    resource: str, body: Any, rest: dict[str, Any], tavus: TavusClient, wire: Wire
) -> None:
    wire.answers(200, body)
    collection = getattr(tavus, resource)
    assert collection.get("x") == {collection.facts.id_key: "x", **rest}


@pytest.mark.parametrize("body", [{}, [], {"data": []}, {"message": "ok"}, "x", None])
def test_an_object_without_an_id_is_no_object(body: Any, once: TavusClient, wire: Wire) -> None:
    wire.answers(200, body)
    with pytest.raises(ServerError) as caught:
        once.conversations.get("c1")
    assert caught.value.reason == "unreadable"


def test_rows_of_one_list_may_mix_both_vocabularies(tavus: TavusClient, wire: Wire) -> None:
    rows = [{"conversation_id": "a", "pal_id": "p"}, {"conversation_id": "b", "persona_id": "q"}]
    wire.answers(200, {"data": rows, "total_count": 2})
    assert [row["persona_id"] for row in tavus.conversations.list().data] == ["p", "q"]
