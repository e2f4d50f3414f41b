"""What the resources can do beyond the OpenAPI file, and what they send for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_tavus.client import NotFound, ServerError, TavusClient
from tests.client.wire import Wire

Action = Callable[[TavusClient], Any]

# what is called, what is sent (line, query, body), what is answered, what is returned
VERBS: list[tuple[Action, tuple[str, dict[str, str], Any], Any, Any]] = [
    (
        lambda t: t.documents.tags(search="a", page=1, limit=5),
        ("GET /documents/tags", {"search": "a", "page": "1", "limit": "5"}, None),
        {"tags": ["a"], "total_count": 1},
        {"tags": ["a"], "total_count": 1},
    ),
    (
        lambda t: t.guardrails.tags(),
        ("GET /guardrails/tags", {}, None),
        {"tags": [], "total_count": 0},
        {"tags": [], "total_count": 0},
    ),
    (
        lambda t: t.objectives.validate(name="s", data=[]),
        ("POST /objectives/validate", {}, {"name": "s", "data": []}),
        {"valid": True},
        {"valid": True},
    ),
    (
        lambda t: t.tools.create(name="look_up", description="Looks up"),
        ("POST /tools", {}, {"name": "look_up", "description": "Looks up"}),
        {"tool_id": "t1"},
        {"tool_id": "t1"},
    ),
    (
        lambda t: t.tools.update("t1", description="Finds"),
        ("PATCH /tools/t1", {}, {"description": "Finds"}),
        {"tool_id": "t1", "description": "Finds"},
        {"tool_id": "t1", "description": "Finds"},
    ),
    (lambda t: t.tools.get("t1"), ("GET /tools/t1", {}, None), {"uuid": "t1"}, {"tool_id": "t1"}),
    (lambda t: t.tools.delete("t1"), ("DELETE /tools/t1", {}, None), None, None),
    (
        lambda t: t.tools.list(type="user", sort="asc").data,
        ("GET /tools", {"type": "user", "sort": "asc"}, None),
        {"data": [{"tool_id": "t1"}]},
        [{"tool_id": "t1"}],
    ),
    (
        lambda t: t.personas.tools.list("p1"),
        ("GET /pals/p1/tools", {}, None),
        {"data": []},
        {"data": []},
    ),
    (
        lambda t: t.personas.tools.attach("p1", ["t1", "t2"]),
        ("POST /pals/p1/tools", {}, {"tool_ids": ["t1", "t2"]}),
        {"ok": True},
        {"ok": True},
    ),
    (
        lambda t: t.personas.tools.detach("p1", "t1"),
        ("DELETE /pals/p1/tools/t1", {}, None),
        None,
        None,
    ),
    (lambda t: t.personas.skills.list("p1"), ("GET /pals/p1/skills", {}, None), [], []),
    (
        lambda t: t.personas.skills.get("p1", "presentation"),
        ("GET /pals/p1/skills/presentation", {}, None),
        {"config": {}},
        {"config": {}},
    ),
    (
        lambda t: t.personas.skills.put("p1", "presentation", {"slides": 3}),
        ("PUT /pals/p1/skills/presentation", {}, {"config": {"slides": 3}}),
        None,
        None,
    ),
    (
        lambda t: t.personas.skills.update("p1", "presentation", {"slides": 4}),
        ("PATCH /pals/p1/skills/presentation", {}, {"config": {"slides": 4}}),
        None,
        None,
    ),
    (
        lambda t: t.personas.skills.replace("p1", {"magic_canvas": {"config": {}}}),
        ("PUT /pals/p1/skills", {}, {"skills": {"magic_canvas": {"config": {}}}}),
        None,
        None,
    ),
    (
        lambda t: t.personas.skills.delete("p1", "presentation"),
        ("DELETE /pals/p1/skills/presentation", {}, None),
        None,
        None,
    ),
    (
        lambda t: t.documents.recrawl("d1", crawl={"depth": 2}),
        ("POST /documents/d1/recrawl", {}, {"crawl": {"depth": 2}}),
        {"status": "recrawling", "uuid": "d1"},
        {"status": "recrawling", "document_id": "d1"},
    ),
]


@pytest.mark.parametrize(("action", "request_", "answer", "result"), VERBS)
def test_verbs(
    action: Action,
    request_: tuple[str, dict[str, str], Any],
    answer: Any,
    result: Any,
    tavus: TavusClient,
    wire: Wire,
) -> None:
    wire.answers(200 if answer is not None else 204, answer)
    assert action(tavus) == result
    (sent,) = wire.sent
    assert (sent.line, sent.query, sent.body) == request_


@pytest.mark.parametrize("body", [None, [], "x"])
def test_tags_of_another_shape_are_an_error(body: Any, once: TavusClient, wire: Wire) -> None:
    wire.answers(200, body)
    with pytest.raises(ServerError):
        once.documents.tags()


def test_an_unknown_persona_of_a_tool_is_not_found(once: TavusClient, wire: Wire) -> None:
    wire.answers(400, {"error": "Invalid pal_id"})
    with pytest.raises(NotFound):
        once.personas.tools.detach("p1", "t1")


def test_a_deleted_object_answers_with_400(once: TavusClient, wire: Wire) -> None:
    wire.answers(400, {"error": "Invalid replica_uuid"})
    with pytest.raises(NotFound):
        once.replicas.get("r1")
