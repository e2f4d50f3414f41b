from __future__ import annotations

from datetime import UTC, datetime

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
    RetryPolicy,
    ServerError,
    TavusClient,
    TavusError,
)
from django_tavus.client.retry import Kind, read_retry_after
from tests.client.wire import Wire

SAFE, CREATE, CHANGE = Kind.SAFE, Kind.CREATE, Kind.CHANGE
NO_DICE = 0.0

# error, attempt, wait of a safe request, of a create, of a change (None: give up)
TABLE: list[tuple[TavusError, int, float | None, float | None, float | None]] = [
    (ConnectionFailed(sent=False), 1, 0.25, 0.25, 0.25),
    (ConnectionFailed(sent=False), 2, 0.5, None, None),
    (ConnectionFailed(sent=False), 3, None, None, None),
    (ConnectionFailed(sent=True), 1, 0.25, None, None),
    (ServerError(status=500), 1, 0.25, None, None),
    (ServerError(status=502), 1, 0.25, None, None),
    (ServerError(status=503), 2, 0.5, None, None),
    (ServerError(status=503, retry_after=7.0), 1, 7.0, None, None),
    (ServerError(status=504), 3, None, None, None),
    (ServerError(status=501), 1, None, None, None),
    (ServerError(status=200, reason="unreadable"), 1, None, None, None),
    (RateLimited(status=429), 1, 0.25, None, None),
    (RateLimited(status=429, retry_after=0.0), 1, 0.0, 0.0, 0.0),
    (RateLimited(status=429, retry_after=30.0), 1, 30.0, 30.0, 30.0),
    (RateLimited(status=429, retry_after=30.1), 1, None, None, None),
    (RateLimited(status=429, retry_after=5.0), 2, 5.0, None, None),
    (OutcomeUnknown(), 1, None, None, None),
    (ConcurrencyLimit(retry_after=1.0), 1, None, None, None),
    (OutOfCredits(), 1, None, None, None),
    (NotFound(), 1, None, None, None),
    (InvalidRequest(), 1, None, None, None),
    (Authentication(), 1, None, None, None),
    (Conflict(), 1, None, None, None),
]


@pytest.mark.parametrize(("error", "attempt", "safe", "create", "change"), TABLE)
def test_policy(
    error: TavusError,
    attempt: int,
    safe: float | None,
    create: float | None,
    change: float | None,
) -> None:
    policy = RetryPolicy()
    waits = [policy.delay(kind, attempt, error, NO_DICE) for kind in (SAFE, CREATE, CHANGE)]
    assert waits == [safe, create, change]


@pytest.mark.parametrize(
    ("attempt", "dice", "wait"),
    [(1, 0.0, 0.25), (1, 1.0, 0.5), (2, 1.0, 1.0), (5, 1.0, 8.0), (5, 0.0, 4.0), (5000, 1.0, 8.0)],
)
def test_backoff_doubles_jitters_and_is_capped(attempt: int, dice: float, wait: float) -> None:
    policy = RetryPolicy(tries=10_000)
    assert policy.delay(SAFE, attempt, ServerError(status=503), dice) == wait


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("-3", None),
        ("9" * 400, 86400.0),
        ("Sun, 22 Nov 2026 12:00:20 GMT", 20.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 22 Nov 2030 11:00:00 GMT", 86400.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1_0", None),
        (".", None),
        ("Sun, 99 Nov 2026", None),
        ("²", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert read_retry_after(header, now=NOW) == seconds


def test_safe_requests_are_tried_three_times(
    tavus: TavusClient, wire: Wire, sleeps: list[float]
) -> None:
    wire.answers(503).answers(502).answers(200, {"conversation_id": "c1"})
    assert tavus.conversations.get("c1") == {"conversation_id": "c1"}
    assert len(wire.sent) == 3
    assert 0.25 <= sleeps[0] <= 0.5 <= sleeps[1] <= 1.0


def test_safe_requests_give_up(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(503, {"error": "busy"})
    with pytest.raises(ServerError):
        tavus.conversations.get("c1")
    assert len(wire.sent) == 3


def test_ending_is_repeated_after_a_cut(tavus: TavusClient, wire: Wire) -> None:
    wire.fails(ConnectionResetError()).answers(200)
    tavus.conversations.end("c1")
    assert [sent.line for sent in wire.sent] == ["POST /conversations/c1/end"] * 2


def test_a_delete_whose_answer_was_lost_is_done_when_the_object_is_gone(
    tavus: TavusClient, wire: Wire
) -> None:
    wire.fails(ConnectionResetError()).answers(400, {"error": "Invalid conversation_id"})
    tavus.conversations.delete("c1", hard=True)
    assert len(wire.sent) == 2


def test_a_delete_of_what_never_was_is_not_found(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(400, {"error": "Invalid conversation_id"})
    with pytest.raises(NotFound):
        tavus.conversations.delete("c1")
    assert len(wire.sent) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_patch_is_not_repeated_when_it_may_have_worked(
    status: int, tavus: TavusClient, wire: Wire
) -> None:
    wire.answers(status)
    with pytest.raises(ServerError):
        tavus.personas.update("p1", [{"op": "add", "path": "/document_tags/-", "value": "x"}])
    assert len(wire.sent) == 1
