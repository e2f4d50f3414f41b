"""Callbacks on their way over HTTP: one try each, as Tavus does for all anybody knows."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import requests

from django_tavus.sandbox.engine.world import Callback

logger = logging.getLogger("django_tavus.sandbox")

TIMEOUT = (3.05, 10.0)
"""Connect and read seconds; those of Tavus are unknown."""

Report = Callable[[Callback, str], None]


class Courier:
    """Delivers callbacks, one at a time to each URL, several URLs at once."""

    def __init__(self, report: Report | None = None) -> None:
        self._report = report or _log
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy for the internet does not reach this machine
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="sandbox-courier")
        self._waiting: dict[str, deque[Callback]] = {}
        self._lock = threading.Lock()

    def take(self, callback: Callback) -> None:
        """Deliver ``callback`` after those to the same URL that were taken before it."""
        with self._lock:
            queue = self._waiting.get(callback.url)
            if queue is not None:
                queue.append(callback)
                return
            self._waiting[callback.url] = deque([callback])
        self._pool.submit(self._drain, callback.url)

    def close(self) -> None:
        """Let what is on its way arrive, and forget the rest."""
        with self._lock:
            for queue in self._waiting.values():
                queue.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._session.close()

    def _drain(self, url: str) -> None:
        while True:
            with self._lock:
                queue = self._waiting[url]
                if not queue:
                    del self._waiting[url]
                    return
                callback = queue.popleft()
            self._report(callback, self._post(callback))

    def _post(self, callback: Callback) -> str:
        headers = {"Content-Type": "application/json", "User-Agent": "Tavus-Sandbox"}
        try:
            with self._session.post(
                callback.url,
                data=callback.content,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,  # whether Tavus follows is unknown, so nobody may rely on it
            ) as response:
                return str(response.status_code)
        except requests.RequestException as error:
            return type(error).__name__


def _log(callback: Callback, outcome: str) -> None:
    # Without the path: it holds the receiver's secret.
    host = urlsplit(callback.url).netloc
    name = callback.body.get("event_type") or callback.body.get("status")
    subject = next((v for k, v in callback.body.items() if k.endswith("_id") and v), "")
    logger.info("callback %s of %s to %s: %s", name, subject, host, outcome)
