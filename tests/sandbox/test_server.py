from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from django_tavus.sandbox import Callback, Sandbox
from django_tavus.sandbox.server import SandboxServer
from tests.sandbox.conftest import PERSONA, Api

HEADERS = {"x-api-key": "k"}


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


class Receiver:
    """A site that receives callbacks."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(json.loads(content))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/callbacks/secret/"

    @property
    def names(self) -> list[str]:
        return [body["event_type"] for body in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,))
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


def test_callbacks_are_posted_in_order(served: Api, receiver: Receiver) -> None:
    conversation_id = served.converse(callback_url=receiver.url)["conversation_id"]
    served.sandbox.advance(1)
    served.sandbox.join(conversation_id)
    served.sandbox.leave(conversation_id)
    served.sandbox.advance(10)
    until(lambda: len(receiver.received) == 5)
    assert receiver.names == [
        "system.replica_joined",
        "system.pal_joined",
        "system.shutdown",
        "application.transcription_ready",
        "application.perception_analysis",
    ]


def test_time_passes_by_itself(receiver: Receiver) -> None:
    with SandboxServer(Sandbox(seed=1)) as server:
        body = {"persona_id": PERSONA, "callback_url": receiver.url}
        requests.post(f"{server.url}/v2/conversations", json=body, headers=HEADERS, timeout=5)
        until(lambda: len(receiver.received) == 2)


def test_refused_callback_is_not_sent_again(served: Api, receiver: Receiver) -> None:
    receiver.status = 500
    served.converse(callback_url=receiver.url)
    served.sandbox.advance(1)
    until(lambda: len(receiver.received) == 2)
    time.sleep(0.2)
    assert len(receiver.received) == 2


def test_callback_to_nowhere_is_reported_and_forgotten(sandbox: Sandbox) -> None:
    outcomes: list[tuple[str, str]] = []

    def report(callback: Callback, outcome: str) -> None:
        outcomes.append((callback.body["event_type"], outcome))

    with SandboxServer(sandbox, report=report) as server:
        for url in ("http://127.0.0.1:1/", "sample.com/callback"):
            body = {"persona_id": PERSONA, "callback_url": url}
            requests.post(f"{server.url}/v2/conversations", json=body, headers=HEADERS, timeout=5)
        sandbox.advance(1)
        until(lambda: len(outcomes) == 4)
    assert {outcome for _, outcome in outcomes} == {"ConnectionError", "MissingSchema"}


def test_log_does_not_hold_the_path_of_a_callback(
    served: Api, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="django_tavus.sandbox")
    served.converse(callback_url=receiver.url)
    served.sandbox.advance(1)
    until(lambda: "system.pal_joined" in caplog.text)
    assert "secret" not in caplog.text


def test_callback_does_not_show_its_url(sandbox: Sandbox) -> None:
    sandbox.engine.world.post("https://h/secret", {"event_type": "x"})
    (callback,) = sandbox.due_callbacks()
    assert "secret" not in repr(callback)


def test_connection_is_used_again(served: Api) -> None:
    for _ in range(3):
        served("GET", "/conversations")
        served("POST", "/conversations", {"persona_id": PERSONA})
    pool = served.session.get_adapter(served.sandbox.origin).poolmanager  # type: ignore[attr-defined]
    (key,) = pool.pools.keys()
    assert pool.pools[key].num_connections == 1


def test_stopped_server_answers_nobody(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        with SandboxServer(sandbox) as server:
            assert session.get(f"{server.url}/sandbox/", timeout=5).ok
        with pytest.raises(requests.ConnectionError):
            session.get(f"{server.url}/sandbox/", timeout=5)


def test_server_stops_while_an_answer_hangs(sandbox: Sandbox) -> None:
    sandbox.faults.add("timeout_after")
    with SandboxServer(sandbox) as server:
        url = f"{server.url}/v2/conversations"
        with pytest.raises(requests.ReadTimeout):
            requests.get(url, headers=HEADERS, timeout=0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 3


def test_same_sandbox_can_be_served_again(sandbox: Sandbox) -> None:
    for _ in range(2):
        with SandboxServer(sandbox) as server:
            assert sandbox.base_url == f"{server.url}/v2"
            assert requests.get(sandbox.base_url + "/personas", headers=HEADERS, timeout=5).ok
    assert sandbox.base_url == "http://sandbox.invalid/v2"


def test_taken_port_is_an_error(sandbox: Sandbox) -> None:
    with (
        SandboxServer(sandbox) as server,
        pytest.raises(OSError, match="in use"),
        SandboxServer(sandbox, port=server.port),
    ):
        pass


def test_room_has_the_name_under_which_the_server_was_reached(served: Api) -> None:
    url = served.sandbox.base_url.replace("127.0.0.1", "localhost")
    created = served.session.post(
        f"{url}/conversations", json={"persona_id": PERSONA}, timeout=5
    ).json()
    assert created["conversation_url"].startswith(url.replace("/v2", "/sandbox/rooms/"))


def test_room_has_the_public_name_where_there_is_one(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox, public_url="https://rooms.example/") as server:
        created = requests.post(
            f"{server.url}/v2/conversations",
            json={"persona_id": PERSONA},
            headers=HEADERS,
            timeout=5,
        ).json()
    assert created["conversation_url"].startswith("https://rooms.example/sandbox/rooms/c")


def test_many_at_once_get_ids_of_their_own(served: Api) -> None:
    found: list[str] = []

    def create() -> None:
        for _ in range(10):
            response = requests.post(
                f"{served.sandbox.base_url}/conversations",
                json={"persona_id": PERSONA},
                headers=HEADERS,
                timeout=5,
            )
            found.append(response.json()["conversation_id"])

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == len(served.sandbox.engine.conversations) == 80


def test_client_that_dies_in_the_middle_of_its_request_is_no_failure_of_ours(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with SandboxServer(sandbox) as server:
        with socket.create_connection((server.host, server.port)) as client:
            client.sendall(
                b"POST /v2/conversations HTTP/1.1\r\nHost: x\r\nx-api-key: k\r\n"
                b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            )
        answer = requests.get(f"{server.url}/v2/personas", headers={"x-api-key": "k"}, timeout=5)
    assert answer.status_code == 200
    assert "failed on" not in caplog.text
