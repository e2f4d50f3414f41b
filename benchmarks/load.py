"""Load from a process of its own: bounded, and cheap enough to leave the processors to the site.

Nothing of Django is imported here.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

CLIENTS = 4  # two for each worker: one is served, one waits


@dataclass(frozen=True)
class Volley:
    """What became of some requests."""

    seconds: float
    latencies: list[float]
    """Seconds of each request, connection included."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds


def post(path: str, content: bytes) -> bytes:
    """Return a whole POST as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def fire(port: int, requests: Sequence[bytes]) -> Volley:
    """Send every request once and wait for its answer.

    Raises:
        RuntimeError: an answer was not 200.
    """
    waiting = iter(requests)
    taking = threading.Lock()
    latencies: list[float] = []
    refused: list[bytes] = []

    def client() -> None:
        while True:
            with taking:
                request = next(waiting, None)
            if request is None:
                return
            begun = time.perf_counter()
            answer = _ask(port, request)
            latencies.append(time.perf_counter() - begun)
            if not answer.startswith(b"HTTP/1.1 200 "):
                refused.append(answer[:200])

    begun = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    if refused or len(latencies) != len(requests):
        raise RuntimeError(f"{len(refused)} answers were not 200: {refused[:1]!r}")
    return Volley(seconds, latencies)


def _ask(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


@contextmanager
def gun() -> Iterator[ProcessPoolExecutor]:
    """Start the process that the load comes from: ``gun.submit(fire, port, requests)``."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        yield executor
