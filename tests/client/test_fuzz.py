"""Whatever comes over the wire, only typed errors and well-formed objects come out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import event, given, strategies as st

from django_tavus.client import (
    ConnectionFailed,
    OutcomeUnknown,
    Page,
    RetryPolicy,
    TavusClient,
    TavusError,
)
from tests.client.sizes import FUZZ_EXAMPLES, full
from tests.client.wire import KEY, URL, Wire

NAMES = st.sampled_from(
    [
        *("conversation_id", "pal_id", "persona_id", "uuid", "id", "status", "conversation_url"),
        *("data", "total_count", "page", "limit", "error", "message", "detail", "errors", "loc"),
        *("msg", "conflict", "tags", "op", "path", "value", "webhook_url", "api_key"),
    ]
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            *("Invalid conversation_id", "Invalid replica_uuid", "maximum concurrent", KEY),
            *("please wait 99 minutes", "x is required", "<html><title>", "http://[", "\ud800"),
        ]
    ),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXTS, inner, max_size=5),
    max_leaves=15,
)
JSON_BODIES = VALUES.map(lambda value: json.dumps(value).encode())
BODIES = st.one_of(
    JSON_BODIES,
    st.binary(max_size=60),
    JSON_BODIES.flatmap(lambda raw: st.integers(0, len(raw)).map(lambda end: raw[:end])),
    st.sampled_from(
        [
            b"",
            b"\xff\xfe",
            b"<html><body><h1>502 Bad Gateway</h1></body></html>",
            b"[" * 100_000,
            b'{"a":' * 5_000,
            b"1" * 6_000,
            b'{"conversation_id": "c1"} trailing',
            b'\xef\xbb\xbf{"conversation_id": "c1"}',
        ]
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "Retry-After", "Location", "Content-Length", "Content-Encoding"]
    ),
    st.one_of(
        st.sampled_from(
            [
                *("text/html", "application/json; charset=utf-16", "gzip", "deflate", "identity"),
                *("0", "5", "-1", "1e9", "99999999999999999999", "Sun, 22 Nov 2026 12:00:20 GMT"),
                *("https://evil.test/", "//evil", "/v2/x", "http://[", "../.."),
            ]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
    ),
    max_size=3,
)
STATUSES = st.one_of(
    st.sampled_from([200, 201, 202, 204, 301, 302, 304, 307, 400, 401, 402, 404, 409, 422, 429]),
    st.integers(100, 999),
)
FAULTS: list[Exception] = [ConnectionResetError(), TimeoutError(), OSError("odd"), UnicodeError()]

ACTIONS: dict[str, Callable[[TavusClient], Any]] = {
    "create": lambda t: t.conversations.create(persona_id="p1", properties={"language": "x"}),
    "get": lambda t: t.conversations.get("c1", verbose=True),
    "list": lambda t: t.conversations.list(),
    "iterate": lambda t: list(t.documents.iterate(limit=2)),
    "end": lambda t: t.conversations.end("c1"),
    "delete": lambda t: t.conversations.delete("c1", hard=True),
    "patch": lambda t: t.personas.update("p1", [{"op": "add", "path": "/a", "value": 1}]),
    "rename": lambda t: t.replicas.rename("r1", "x"),
    "recrawl": lambda t: t.documents.recrawl("d1"),
    "objective": lambda t: t.objectives.get("o1"),
    "tags": lambda t: t.guardrails.tags(),
    "skills": lambda t: t.personas.skills.list("p1"),
}


def play(action: str, wire: Wire) -> tuple[object, TavusError | None]:
    policy = RetryPolicy(tries=2)
    client = TavusClient(
        KEY, base_url=URL, session=wire.session(), retry=policy, sleep=lambda _: None
    )
    try:
        return ACTIONS[action](client), None
    except TavusError as error:
        return None, error


def check(action: str, result: object, error: TavusError | None, requests: int) -> None:
    if error is not None:
        told = f"{error!r} {error} {vars(error)!r}"
        assert KEY not in told
        assert isinstance(error.message, str)
        assert error.message
        json.dumps(error.body)
        assert action != "create" or not isinstance(error, ConnectionFailed) or not error.sent
        assert not isinstance(error, OutcomeUnknown) or requests == 1
    elif action == "create":
        assert isinstance(result, dict)
        assert isinstance(result["conversation_id"], str)
        assert result["conversation_id"]
    elif action == "list":
        assert isinstance(result, Page)
        assert all(isinstance(row, dict) for row in result.data)


@full
@given(action=st.sampled_from(sorted(ACTIONS)), status=STATUSES, body=BODIES, headers=HEADERS)
def test_hostile_answers_give_typed_errors_only(
    action: str, status: int, body: bytes, headers: dict[str, str]
) -> None:
    wire = Wire().answers(status, raw=body, headers=headers)
    result, error = play(action, wire)
    event(f"{action}: {type(error).__name__ if error else 'fine'}")
    check(action, result, error, len(wire.sent))


@full
@given(
    action=st.sampled_from(sorted(ACTIONS)),
    fault=st.sampled_from(FAULTS),
    body=BODIES,
    status=STATUSES,
)
def test_faults_followed_by_anything_give_typed_errors_only(
    action: str, fault: Exception, body: bytes, status: int
) -> None:
    wire = Wire().fails(fault).answers(status, raw=body)
    result, error = play(action, wire)
    check(action, result, error, len(wire.sent))
    if action == "create":
        assert isinstance(error, OutcomeUnknown)
        assert len(wire.sent) == 1


def test_the_size_is_said(record_property: Any, capsys: Any) -> None:
    record_property("fuzz_examples", FUZZ_EXAMPLES)
    with capsys.disabled():
        print(f"\nclient fuzz: {FUZZ_EXAMPLES} hostile answers")
    assert FUZZ_EXAMPLES > 0
