from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from django_tavus.client import (
    Authentication,
    ConcurrencyLimit,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    OutOfCredits,
    RateLimited,
    ServerError,
    TavusClient,
    TavusError,
)
from tests.client.wire import KEY, Wire

CLASSES = [
    (NotFound, LookupError, "not_found"),
    (InvalidRequest, ValueError, "invalid_request"),
    (Authentication, PermissionError, "authentication"),
    (OutOfCredits, RuntimeError, "out_of_credits"),
    (ConcurrencyLimit, RuntimeError, "concurrency_limit"),
    (RateLimited, RuntimeError, "rate_limited"),
    (Conflict, RuntimeError, "conflict"),
    (ServerError, RuntimeError, "server_error"),
    (ConnectionFailed, ConnectionError, "connection_failed"),
    (OutcomeUnknown, TimeoutError, "outcome_unknown"),
]


@pytest.mark.parametrize(("error", "builtin", "code"), CLASSES)
def test_each_error_is_its_builtin_too(
    error: type[TavusError], builtin: type[Exception], code: str
) -> None:
    assert issubclass(error, TavusError)
    assert issubclass(error, builtin)
    assert error("x").code == code


@pytest.mark.parametrize(("error", "builtin", "code"), CLASSES)
def test_errors_survive_pickling(
    error: type[TavusError], builtin: type[Exception], code: str
) -> None:
    made = error("Sorry.", status=400, body={"a": 1}, request="GET /x", field="f", retry_after=2.0)
    copy = pickle.loads(pickle.dumps(made))
    assert (copy.message, copy.status, copy.body) == ("Sorry.", 400, {"a": 1})
    assert (copy.request, copy.field, copy.retry_after) == ("GET /x", "f", 2.0)
    assert str(copy) == "Sorry. [GET /x 400]"


CREATE = "create"
GET = "get"
PERSONA = "persona"
ACTIONS: dict[str, Callable[[TavusClient], object]] = {
    CREATE: lambda tavus: tavus.conversations.create(persona_id="p1"),
    GET: lambda tavus: tavus.conversations.get("c1"),
    PERSONA: lambda tavus: tavus.personas.create(default_replica_id="nope"),
}

# status, body, what is called, error, field
MEANINGS: list[tuple[int, Any, str, type[TavusError], str | None]] = [
    (401, {"message": "Invalid access token"}, GET, Authentication, None),
    (403, None, GET, Authentication, None),
    (400, {"error": "Invalid conversation_id"}, GET, NotFound, None),
    (404, {"message": "Document not found"}, GET, NotFound, None),
    (404, None, GET, NotFound, None),
    (400, {"error": "Invalid replica_uuid"}, CREATE, InvalidRequest, "replica_id"),
    (400, {"error": "Invalid face_id"}, CREATE, InvalidRequest, "replica_id"),
    (400, {"error": "Invalid persona_id"}, CREATE, InvalidRequest, "persona_id"),
    (400, {"error": "Invalid pal_id"}, CREATE, InvalidRequest, "persona_id"),
    (400, {"error": "Invalid conversation_id"}, CREATE, InvalidRequest, "conversation_id"),
    (400, {"error": "Invalid replica_uuid"}, PERSONA, InvalidRequest, "default_replica_id"),
    (400, {"error": "Invalid replica_uuid"}, GET, InvalidRequest, "replica_id"),
    (400, {"message": "objective_name is required"}, CREATE, InvalidRequest, "objective_name"),
    (
        400,
        {"error": "Invalid request: document_url is required"},
        CREATE,
        InvalidRequest,
        "document_url",
    ),
    (
        400,
        {"error": "Invalid request: limit must be a positive integer"},
        CREATE,
        InvalidRequest,
        "limit",
    ),
    (
        400,
        {"error": "Cannot have both persona_id and pal_id"},
        CREATE,
        InvalidRequest,
        "persona_id",
    ),
    (
        400,
        {"error": "Either train_video_url or train_image_url must be provided."},
        CREATE,
        InvalidRequest,
        "train_video_url",
    ),
    (
        400,
        {"message": {"properties": {"pipeline_mode": ["Unknown field."]}}},
        CREATE,
        InvalidRequest,
        "properties.pipeline_mode",
    ),
    (
        422,
        {"detail": [{"loc": ["body", "max_participants"], "msg": "too small"}]},
        CREATE,
        InvalidRequest,
        "max_participants",
    ),
    (
        400,
        {"message": "unknown field for properties.pipeline_mode"},
        CREATE,
        InvalidRequest,
        "properties.pipeline_mode",
    ),
    (400, {"error": "There was an error creating the conversation"}, CREATE, InvalidRequest, None),
    (402, None, CREATE, OutOfCredits, None),
    (409, {"conflict": "maker_changes"}, GET, Conflict, None),
    (405, b"<html><title>405 Not Allowed</title></html>", GET, InvalidRequest, None),
    (429, {"error": "Maximum concurrent crawls"}, GET, RateLimited, None),
    (501, {"error": "no"}, GET, ServerError, None),
    (304, None, GET, ServerError, None),
    (302, None, GET, ServerError, None),
    (600, None, GET, ServerError, None),
]


@pytest.mark.parametrize(("status", "body", "call", "error", "field"), MEANINGS)
def test_answers_mean(
    status: int,
    body: Any,
    call: str,
    error: type[TavusError],
    field: str | None,
    once: TavusClient,
    wire: Wire,
) -> None:
    raw = body if isinstance(body, bytes) else None
    wire.answers(status, None if raw else body, raw=raw)
    with pytest.raises(TavusError) as caught:
        ACTIONS[call](once)
    assert type(caught.value) is error
    assert caught.value.field == field
    assert caught.value.status == status
    assert caught.value.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "E", "message": "M"}, "E"),
        ({"message": "M", "detail": "D"}, "M"),
        ({"detail": "D"}, "D"),
        ({"error": {"message": {"text": "deep"}}}, "text: deep"),
        ({"message": {"a": ["x", "y"], "b": "z"}}, "a: x; a: y; b: z"),
        ({"unknown": "shape"}, "Tavus answered 400 Bad Request."),
        (["one", "two"], "one; two"),
        ("plain", "plain"),
        (7, "Tavus answered 400 Bad Request."),
        ({"error": ""}, "Tavus answered 400 Bad Request."),
    ],
)
def test_the_message_is_found_wherever_it_hides(
    body: Any, message: str, once: TavusClient, wire: Wire
) -> None:
    wire.answers(400, body)
    with pytest.raises(InvalidRequest) as caught:
        once.conversations.list()
    assert caught.value.message == message


def test_a_page_of_html_shrinks_to_its_title(once: TavusClient, wire: Wire) -> None:
    page = (
        b"<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head><body>x</body></html>"
    )
    wire.answers(502, raw=page, headers={"Content-Type": "text/html"})
    with pytest.raises(ServerError) as caught:
        once.conversations.get("c1")
    assert caught.value.message == "502 Bad Gateway"


def test_the_conflict_is_named(once: TavusClient, wire: Wire) -> None:
    wire.answers(409, {"conflict": "maker_changes", "message": "Unpublished edits"})
    with pytest.raises(Conflict) as caught:
        once.personas.update("p1", [{"op": "add", "path": "/context", "value": "x"}])
    assert caught.value.conflict == "maker_changes"


def test_a_wait_told_in_the_text_is_understood(once: TavusClient, wire: Wire) -> None:
    text = "Recrawl cooldown: please wait 45 minutes before recrawling this document."
    wire.answers(429, {"error": text})
    with pytest.raises(RateLimited) as caught:
        once.documents.recrawl("d1")
    assert caught.value.retry_after == 2700.0


def test_secrets_never_reach_an_error(once: TavusClient, wire: Wire) -> None:
    body = {
        "error": f"model refused llm-secret-1 of {KEY}",
        "webhook_url": "https://site.test/tavus/callbacks/ab:cd:ef/",
        "meeting_token": "mt",
    }
    wire.answers(400, body)
    with pytest.raises(InvalidRequest) as caught:
        once.personas.create(layers={"llm": {"api_key": "llm-secret-1"}})
    told = repr(caught.value) + str(caught.value) + repr(vars(caught.value))
    for secret in (KEY, "llm-secret-1", "ab:cd:ef", "'mt'"):
        assert secret not in told


def test_no_exception_of_requests_hangs_on_an_error(once: TavusClient, wire: Wire) -> None:
    """It would carry the request, and the request carries the key."""
    wire.fails(ConnectionResetError("reset"))
    with pytest.raises(ConnectionFailed) as caught:
        once.conversations.get("c1")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_long_error_body_is_cut(once: TavusClient, wire: Wire) -> None:
    wire.answers(400, {"error": "x" * 1_000_000})
    with pytest.raises(InvalidRequest) as caught:
        once.conversations.get("c1")
    assert len(caught.value.body) <= 4_000
    assert len(caught.value.message) <= 500
