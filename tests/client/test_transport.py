from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest
import requests

from django_tavus import __version__
from django_tavus.client import (
    ConnectionFailed,
    InvalidRequest,
    OutcomeUnknown,
    ServerError,
    TavusClient,
    new_session,
)
from django_tavus.client.deadlines import PunctualAdapter
from tests.client.wire import KEY, URL, Wire

HTML = b"<html><body>Sign in to the wi-fi</body></html>"


def test_the_client_knows_neither_django_nor_celery() -> None:
    code = (
        "import sys, django_tavus.client;"
        "print([m for m in ('django', 'celery', 'rest_framework') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_key_travels_in_its_header_and_is_shown_nowhere(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(200, {"conversation_id": "c1"})
    tavus.conversations.get("c1")
    assert wire.sent[0].headers["x-api-key"] == KEY
    assert KEY not in repr(tavus)
    assert KEY not in repr(tavus.conversations)
    assert KEY not in str(tavus._transport._session.headers)


def test_requests_are_plain_json_without_a_trailing_slash(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(200, {"objectives_id": "o1"})
    tavus.objectives.create(data=[])
    sent = wire.sent[0]
    assert sent.url == f"{URL}/objectives"
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.body == {"data": []}


def test_booleans_of_the_query_are_in_lower_case(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(200, {"data": []})
    tavus.replicas.list(verbose=True, replica_ids=["a", "b"], model_name=None)
    assert wire.sent[0].query == {"verbose": "true", "replica_ids": "a,b"}


def test_the_default_session_names_the_package() -> None:
    with TavusClient("key") as client:
        agent = client._transport._session.headers["User-Agent"]
    assert agent == f"django-tavus/{__version__}"


def test_a_session_of_the_callers_own_can_be_as_punctual() -> None:
    with new_session() as session:
        assert {type(adapter) for adapter in session.adapters.values()} == {PunctualAdapter}


def test_a_given_session_stays_open(wire: Wire) -> None:
    with TavusClient("key", session=wire.session()):
        pass
    assert not wire.closed


@pytest.mark.parametrize("timeout", [(2, 7), [2, 7], (2.0, 7.0)])
def test_both_time_outs_go_with_every_request(timeout: Any, wire: Wire) -> None:
    client = TavusClient("key", base_url=URL, timeout=timeout, session=wire.session())
    wire.answers(200, {"conversation_id": "c1"})
    client.conversations.get("c1")
    assert wire.sent[0].timeout == pytest.approx((2, 7), abs=0.5)


@pytest.mark.parametrize(
    "timeout", [5, (5,), (1, 2, 3), None, (0, 1), (-1, 1), ("a", "b"), (float("nan"), 1)]
)
def test_a_time_out_is_two_positive_numbers(timeout: Any) -> None:
    with pytest.raises(ValueError, match="two positive numbers"):
        TavusClient("key", timeout=timeout)


@pytest.mark.parametrize("key", ["", None, "a b", "secret\n", "schlüssel", b"bytes", "\x00"])
def test_a_key_no_header_can_hold_is_refused_without_quoting_it(key: Any) -> None:
    with pytest.raises(ValueError, match="API key") as caught:
        TavusClient(key)
    assert not key or str(key).strip("\x00") not in str(caught.value) or key == "\x00"


@pytest.mark.parametrize("url", ["", "tavusapi.com/v2", "ftp://x/v2", "https://", "https://x/?a=b"])
def test_the_base_url_is_checked(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        TavusClient("key", base_url=url)


@pytest.mark.parametrize("tavus_id", ["", "  ", ".", "..", None, 5, "\ud800"])
def test_an_id_that_would_change_the_path_is_refused(
    tavus_id: Any, tavus: TavusClient, wire: Wire
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        tavus.conversations.delete(tavus_id)
    assert caught.value.field == "conversation_id"
    assert wire.sent == []


@pytest.mark.parametrize(
    ("tavus_id", "path"),
    [("a/b", "a%2Fb"), ("../x", "..%2Fx"), ("a?b#c", "a%3Fb%23c"), ("ä", "%C3%A4")],
)
def test_an_id_is_one_segment_of_the_path(
    tavus_id: str, path: str, tavus: TavusClient, wire: Wire
) -> None:
    wire.answers(204)
    tavus.conversations.delete(tavus_id)
    assert wire.sent[0].url == f"{URL}/conversations/{path}"


def test_a_get_follows_a_redirect_on_its_own_host(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(307, headers={"Location": "/v2/conversations/c1/?x=1"})
    wire.answers(200, {"conversation_id": "c1"})
    assert tavus.conversations.get("c1", verbose=True) == {"conversation_id": "c1"}
    assert wire.sent[1].url == f"{URL}/conversations/c1/?x=1"
    assert wire.sent[1].headers["x-api-key"] == KEY


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.test/v2/conversations/c1",
        "http://tavus.test/v2/conversations/c1",
        "https://tavus.test:8443/v2/conversations/c1",
        "https://tavus.test@evil.test/",
        "//evil.test/",
        "https://[bad",
        "",
    ],
)
def test_the_key_never_follows_a_redirect_elsewhere(
    location: str, once: TavusClient, wire: Wire
) -> None:
    wire.answers(302, headers={"Location": location})
    with pytest.raises(ServerError):
        once.conversations.get("c1")
    assert len(wire.sent) == 1


def test_a_circle_of_redirects_ends(once: TavusClient, wire: Wire) -> None:
    wire.answers(302, headers={"Location": "/v2/conversations/c1"})
    with pytest.raises(ServerError) as caught:
        once.conversations.get("c1")
    assert caught.value.reason == "redirected"
    assert len(wire.sent) == 4


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_what_is_no_get_is_never_redirected(status: int, once: TavusClient, wire: Wire) -> None:
    wire.answers(status, headers={"Location": "/v2/conversations/c1/end/"})
    for act in (once.conversations.end, once.conversations.delete):
        with pytest.raises(ServerError):
            act("c1")
    assert len(wire.sent) == 2


@pytest.mark.parametrize("status", [200, 202, 204])
@pytest.mark.parametrize("raw", [b"", b"{}", b'{"message": "ok"}', b"OK"])
def test_end_accepts_any_success(status: int, raw: bytes, once: TavusClient, wire: Wire) -> None:
    wire.answers(status, raw=raw)
    once.conversations.end("c1")
    assert wire.sent[0].line == "POST /conversations/c1/end"
    assert wire.sent[0].body is None


def test_a_page_of_html_ended_nothing(once: TavusClient, wire: Wire) -> None:
    wire.answers(200, raw=HTML)
    for act in (once.conversations.end, once.conversations.delete):
        with pytest.raises(ServerError) as caught:
            act("c1")
        assert caught.value.reason == "unreadable"


def test_json_counts_whatever_the_content_type_says(once: TavusClient, wire: Wire) -> None:
    wire.answers(200, {"conversation_id": "c1"}, headers={"Content-Type": "text/html"})
    assert once.conversations.get("c1") == {"conversation_id": "c1"}


def test_numbers_json_cannot_hold_are_read_as_null(once: TavusClient, wire: Wire) -> None:
    raw = b'\xef\xbb\xbf{"conversation_id": "c1", "a": NaN, "b": -Infinity, "c": 1e999, "d": 1.5}'
    wire.answers(200, raw=raw)
    row = once.conversations.get("c1")
    assert row == {"conversation_id": "c1", "a": None, "b": None, "c": None, "d": 1.5}


@pytest.mark.parametrize("depth", [101, 900, 5_000, 200_000])
def test_deep_nesting_is_an_error_and_no_recursion(
    depth: int, once: TavusClient, wire: Wire
) -> None:
    raw = b'{"conversation_id": "c1", "x": ' + b"[" * depth + b"]" * depth + b"}"
    wire.answers(200, raw=raw)
    with pytest.raises(ServerError):
        once.conversations.get("c1")
    with pytest.raises(OutcomeUnknown):
        once.conversations.create(persona_id="p1")


@pytest.mark.parametrize("declared", [True, False])
def test_ten_megabytes_are_too_much(declared: bool, once: TavusClient, wire: Wire) -> None:
    raw = b'{"conversation_id": "' + b"c" * 10_000_000 + b'"}'
    wire.answers(200, raw=raw, headers={"Content-Length": str(len(raw))} if declared else {})
    with pytest.raises(ServerError) as caught:
        once.conversations.get("c1")
    assert caught.value.reason == "too_large"
    with pytest.raises(OutcomeUnknown):
        once.conversations.create(persona_id="p1")


def test_a_truncated_answer_is_a_cut(once: TavusClient, wire: Wire) -> None:
    wire.answers(200, raw=b'{"conversation_id": "c1"}', headers={"Content-Length": "500"})
    with pytest.raises(ConnectionFailed) as caught:
        once.conversations.get("c1")
    assert (caught.value.reason, caught.value.sent) == ("cut", True)


def test_a_broken_compression_is_a_cut(once: TavusClient, wire: Wire) -> None:
    wire.answers(200, raw=b"no gzip at all", headers={"Content-Encoding": "gzip"})
    with pytest.raises(ConnectionFailed):
        once.conversations.get("c1")


def test_one_line_is_logged_without_secrets(
    once: TavusClient, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "django_tavus.client")
    wire.answers(200, {"conversation_id": "c1", "meeting_token": "mt-secret"})
    once.conversations.create(callback_url="https://site.test/callbacks/tok-secret/")
    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert record.getMessage().startswith("POST /conversations: 200 in ")
    assert not any(secret in caplog.text for secret in (KEY, "mt-secret", "tok-secret"))


@pytest.mark.parametrize("failure", [400, 500, requests.ReadTimeout(), ConnectionResetError()])
def test_failures_are_warnings(
    failure: Any, once: TavusClient, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    _ = wire.answers(failure) if isinstance(failure, int) else wire.fails(failure)
    with pytest.raises(Exception, match=r"."):
        once.conversations.get("c1")
    (record,) = [record for record in caplog.records if record.name == "django_tavus.client"]
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("GET /conversations/c1: ")
