"""Real sockets: servers that trickle, hang, flood, cut and close; and a well-behaved one."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests
from urllib3.util import connection as urllib3_connection

from django_tavus.client import (
    ConnectionFailed,
    OutcomeUnknown,
    RetryPolicy,
    ServerError,
    TavusClient,
)

Behavior = Callable[[socket.socket], None]

TIMEOUT = (0.5, 0.5)
PATIENCE = 3.0
"""Seconds: well beyond the second that both time-outs make, well below what the servers offer."""
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"conversation_id":"c1"}'


class Server:
    def __init__(self, behavior: Behavior) -> None:
        self.behavior = behavior
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v2"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                with connection, suppress(OSError):
                    self.behavior(connection)

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(timeout=10)


@contextmanager
def serving(behavior: Behavior) -> Iterator[Server]:
    server = Server(behavior)
    try:
        yield server
    finally:
        server.stop()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    return data


def trickle(connection: socket.socket, what: bytes, pause: float = 0.1) -> None:
    for byte in what:
        connection.sendall(bytes([byte]))
        time.sleep(pause)


def trickled_headers(connection: socket.socket) -> None:
    read_request(connection)
    trickle(connection, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 100)


def trickled_body(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
    trickle(connection, b" " * 200)


def trickled_chunks(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"1\r\n \r\n")
        time.sleep(0.1)


def silence(connection: socket.socket) -> None:
    read_request(connection)
    time.sleep(2)


def silence_after_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{")
    time.sleep(2)


SLOW = [trickled_headers, trickled_body, trickled_chunks, silence, silence_after_headers]


@contextmanager
def impatient(url: str, session: requests.Session | None = None) -> Iterator[TavusClient]:
    policy = RetryPolicy(tries=1)
    with TavusClient("key", base_url=url, timeout=TIMEOUT, session=session, retry=policy) as client:
        yield client


@pytest.mark.parametrize("behavior", SLOW)
def test_no_answer_takes_much_longer_than_the_time_outs(behavior: Behavior) -> None:
    with serving(behavior) as server, impatient(server.url) as client:
        begun = time.monotonic()
        with pytest.raises(ConnectionFailed) as caught:
            client.conversations.get("c1")
        assert time.monotonic() - begun < PATIENCE
        assert (caught.value.reason, caught.value.sent) == ("read_timeout", True)


@pytest.mark.parametrize("behavior", SLOW)
def test_a_create_without_an_answer_is_in_doubt_and_sent_once(behavior: Behavior) -> None:
    with serving(behavior) as server, impatient(server.url) as client:
        with pytest.raises(OutcomeUnknown):
            client.conversations.create(persona_id="p1")
        assert server.connections == 1


@pytest.mark.parametrize("behavior", [trickled_body, trickled_chunks])
def test_a_session_of_the_caller_does_not_hang_on_a_trickled_body(behavior: Behavior) -> None:
    with (
        requests.Session() as session,
        serving(behavior) as server,
        impatient(server.url, session) as client,
    ):
        begun = time.monotonic()
        with pytest.raises(ConnectionFailed):
            client.conversations.get("c1")
        assert time.monotonic() - begun < PATIENCE


def flood(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def test_a_flood_is_cut_off() -> None:
    with serving(flood) as server:
        client = TavusClient("key", base_url=server.url, retry=RetryPolicy(tries=1))
        with client, pytest.raises(ServerError) as caught:
            client.conversations.get("c1")
        assert caught.value.reason == "too_large"


def gzip_bomb(connection: socket.socket) -> None:
    read_request(connection)
    bomb = gzip.compress(b" " * 100_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    connection.sendall(head.encode() + bomb)


def test_a_compressed_flood_is_cut_off() -> None:
    with serving(gzip_bomb) as server:
        client = TavusClient("key", base_url=server.url, retry=RetryPolicy(tries=1))
        with client, pytest.raises(ServerError) as caught:
            client.conversations.get("c1")
        assert caught.value.reason == "too_large"


def redirected_flood(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /v2/x\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def test_the_body_of_a_redirect_is_no_way_round_the_limit() -> None:
    with serving(redirected_flood) as server:
        client = TavusClient("key", base_url=server.url, retry=RetryPolicy(tries=1))
        with client, pytest.raises(ServerError) as caught:
            client.conversations.get("c1")
        assert caught.value.reason == "too_large"


def hang_up(connection: socket.socket) -> None:
    read_request(connection)


def garbage(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")


def many_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n")


@pytest.mark.parametrize("behavior", [hang_up, garbage, many_headers])
def test_what_is_no_answer_is_a_cut(behavior: Behavior) -> None:
    with serving(behavior) as server, impatient(server.url) as client:
        with pytest.raises(ConnectionFailed) as caught:
            client.conversations.get("c1")
        assert (caught.value.reason, caught.value.sent) == ("cut", True)
        with pytest.raises(OutcomeUnknown):
            client.conversations.create(persona_id="p1")


def test_a_refused_connection_was_never_sent() -> None:
    with serving(hang_up) as server:
        url = server.url
    with impatient(url) as client, pytest.raises(ConnectionFailed) as caught:
        client.conversations.create(persona_id="p1")
    assert (caught.value.reason, caught.value.sent) == ("refused", False)


def keep_alive(connection: socket.socket) -> None:
    while read_request(connection):
        connection.sendall(OK)


def test_one_connection_serves_many_requests() -> None:
    with serving(keep_alive) as server, impatient(server.url) as client:
        for _ in range(5):
            assert client.conversations.get("c1") == {"conversation_id": "c1"}
        assert server.connections == 1
    # the connection of the client is closed, so that the server's loop ends too


def keep_alive_then_vanish(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(OK)
    read_request(connection)  # takes the next request and closes without a word


def test_a_kept_connection_that_dies_under_a_create_leaves_it_in_doubt() -> None:
    with serving(keep_alive_then_vanish) as server, impatient(server.url) as client:
        client.conversations.get("c1")
        with pytest.raises(OutcomeUnknown):
            client.conversations.create(persona_id="p1")
        assert server.connections == 1


def test_a_connection_made_after_the_deadline_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Several addresses, each with a connect time-out of its own, may use up all the time."""
    real = urllib3_connection.create_connection

    def slow(*args: Any, **kwargs: Any) -> socket.socket:
        time.sleep(1.2)
        return real(*args, **kwargs)

    received: list[bytes] = []
    with (
        serving(lambda connection: received.append(read_request(connection))) as server,
        impatient(server.url) as client,
    ):
        monkeypatch.setattr(urllib3_connection, "create_connection", slow)
        with pytest.raises(ConnectionFailed) as caught:
            client.conversations.create(persona_id="p1")
        assert (caught.value.reason, caught.value.sent) == ("connect_timeout", False)
    assert received in ([], [b""])
