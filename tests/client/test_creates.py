"""A create costs money: when it is repeated, when it is in doubt, when it surely did not happen."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.util import Retry

from django_tavus.client import (
    Authentication,
    ConcurrencyLimit,
    ConnectionFailed,
    InvalidRequest,
    OutcomeUnknown,
    OutOfCredits,
    RateLimited,
    TavusClient,
    TavusError,
)
from tests.client.wire import Wire

CREATED = {"conversation_id": "c1", "conversation_url": "https://tavus.daily.co/c1"}


def wrapped(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/v2/conversations", reason))  # type: ignore[arg-type]


def unresolved() -> requests.ConnectionError:
    error = NameResolutionError("tavus.test", None, socket.gaierror())  # type: ignore[arg-type]
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    return wrapped(error)


NEVER_SENT = {
    "refused": wrapped(NewConnectionError(None, "refused")),  # type: ignore[arg-type]
    "dns": unresolved(),
    "connect_timeout": requests.ConnectTimeout(
        MaxRetryError(None, "/", ConnectTimeoutError())  # type: ignore[arg-type]
    ),
    "tls": requests.exceptions.SSLError(
        MaxRetryError(None, "/", ssl.SSLCertVerificationError("expired"))  # type: ignore[arg-type]
    ),
    "bad_url": requests.exceptions.InvalidURL("bad"),
}
PERHAPS_SENT = {
    "read time-out": requests.ReadTimeout(ReadTimeoutError(None, "/", "slow")),  # type: ignore[arg-type]
    "cut": requests.ConnectionError(ProtocolError("aborted", ConnectionResetError(104, "reset"))),
    "stale kept-alive": requests.ConnectionError(ProtocolError("aborted", BrokenPipeError())),
    "no status line": requests.ConnectionError(
        ProtocolError("aborted", OSError("Remote end closed connection without response"))
    ),
    "tls in the middle": requests.exceptions.SSLError(ssl.SSLError("bad record mac")),
    "chunk": requests.exceptions.ChunkedEncodingError("broken"),
    "bare": ConnectionResetError(104, "reset"),
}


def create(client: TavusClient) -> dict[str, Any]:
    return client.conversations.create(persona_id="p1")


@pytest.mark.parametrize("reason", NEVER_SENT)
def test_a_create_that_never_left_is_tried_once_more(
    reason: str, tavus: TavusClient, wire: Wire, sleeps: list[float]
) -> None:
    wire.fails(NEVER_SENT[reason]).answers(200, CREATED)
    assert create(tavus) == CREATED
    assert len(wire.sent) == 2
    assert len(sleeps) == 1


@pytest.mark.parametrize("reason", NEVER_SENT)
def test_a_create_that_never_leaves_is_no_doubt(
    reason: str, tavus: TavusClient, wire: Wire
) -> None:
    wire.fails(NEVER_SENT[reason])
    with pytest.raises(ConnectionFailed) as caught:
        create(tavus)
    assert caught.value.reason == reason
    assert caught.value.sent is False
    assert len(wire.sent) == 2


@pytest.mark.parametrize("fault", PERHAPS_SENT)
def test_a_create_that_may_have_arrived_is_in_doubt_and_not_repeated(
    fault: str, tavus: TavusClient, wire: Wire
) -> None:
    wire.fails(PERHAPS_SENT[fault])
    with pytest.raises(OutcomeUnknown) as caught:
        create(tavus)
    assert len(wire.sent) == 1
    assert caught.value.code == "outcome_unknown"
    assert caught.value.status is None
    assert caught.value.request == "POST /conversations"


@pytest.mark.parametrize(
    "status", [301, 302, 303, 307, 308, 304, 408, 425, 499, 500, 502, 503, 520]
)
def test_statuses_that_leave_a_create_in_doubt(status: int, tavus: TavusClient, wire: Wire) -> None:
    wire.answers(status, {"error": "x"}, headers={"Location": "/v2/other", "Retry-After": "1"})
    with pytest.raises(OutcomeUnknown) as caught:
        create(tavus)
    assert caught.value.status == status
    assert len(wire.sent) == 1


UNREADABLE = [
    b"",
    b"{",
    b"\xff",
    b"<html>ok</html>",
    b"[]",
    b"null",
    b'"c1"',
    b"{}",
    b'{"data": []}',
    b'{"error": "nothing"}',
    b'{"conversation_id": ""}',
    b'{"conversation_id": 7}',
    b'{"conversation_id": "c1", "conversation_url": {}}',
    b"[" * 50_000,
]


@pytest.mark.parametrize("content", UNREADABLE)
def test_a_success_without_a_readable_object_is_in_doubt(
    content: bytes, tavus: TavusClient, wire: Wire
) -> None:
    wire.answers(200, raw=content)
    with pytest.raises(OutcomeUnknown) as caught:
        create(tavus)
    assert caught.value.reason == "unreadable"
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "There was an error creating the conversation"}, InvalidRequest),
        (400, {"message": "User has reached maximum concurrent conversations"}, ConcurrencyLimit),
        (429, {"message": "User has reached maximum concurrent conversations"}, ConcurrencyLimit),
        (401, {"message": "Invalid access token"}, Authentication),
        (402, {"message": "The user is out of conversational credits"}, OutOfCredits),
        (422, {"message": "bad"}, InvalidRequest),
        (429, {"error": "Too many requests"}, RateLimited),
    ],
)
def test_clear_refusals_are_no_doubt_and_not_repeated(
    status: int, body: object, error: type[TavusError], tavus: TavusClient, wire: Wire
) -> None:
    wire.answers(status, body)
    with pytest.raises(error) as caught:
        create(tavus)
    assert type(caught.value) is error
    assert len(wire.sent) == 1


def test_a_rate_limited_create_waits_as_told_and_tries_once_more(
    tavus: TavusClient, wire: Wire, sleeps: list[float]
) -> None:
    wire.answers(429, {}, headers={"Retry-After": "3"}).answers(200, CREATED)
    assert create(tavus) == CREATED
    assert sleeps == [3.0]


def test_a_create_never_outlasts_its_time_outs(wire: Wire, sleeps: list[float]) -> None:
    """Whoever looks for a lost create counts from its beginning: a long wait must not follow."""
    client = TavusClient("key", timeout=[1, 4], session=wire.session(), sleep=sleeps.append)
    wire.answers(429, {}, headers={"Retry-After": "20"})
    with pytest.raises(RateLimited) as caught:
        create(client)
    assert caught.value.retry_after == 20.0
    assert sleeps == []


def test_a_rate_limit_beyond_the_cap_is_raised_at_once(
    tavus: TavusClient, wire: Wire, sleeps: list[float]
) -> None:
    wire.answers(429, {}, headers={"Retry-After": "31"})
    with pytest.raises(RateLimited) as caught:
        create(tavus)
    assert caught.value.retry_after == 31.0
    assert sleeps == []


def test_the_default_session_repeats_nothing_by_itself() -> None:
    with TavusClient("key") as client:
        session = client._transport._session
        assert all(adapter.max_retries.total == 0 for adapter in session.adapters.values())
    assert Retry(0).total == 0


@pytest.mark.parametrize("pair", [("persona_id", "pal_id"), ("replica_id", "face_id")])
def test_two_names_of_one_thing_are_refused_before_sending(
    pair: tuple[str, str], tavus: TavusClient, wire: Wire
) -> None:
    with pytest.raises(InvalidRequest):
        tavus.conversations.create(**dict.fromkeys(pair, "x"))
    assert wire.sent == []


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()])
def test_what_json_cannot_express_is_refused_before_sending(
    value: object, tavus: TavusClient, wire: Wire
) -> None:
    with pytest.raises(InvalidRequest):
        tavus.conversations.create(properties={"x": value})
    assert wire.sent == []
