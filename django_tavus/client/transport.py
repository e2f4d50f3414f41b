"""One call to Tavus and back: repeated where that is safe, logged, its failures typed."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from django_tavus import __version__
from django_tavus.client.calls import Call
from django_tavus.client.deadlines import PunctualAdapter
from django_tavus.client.errors import ConnectionFailed, NotFound, ServerError, TavusError
from django_tavus.client.exchange import Answer, Attempt, Fault, exchange
from django_tavus.client.judgment import judge, unreadable
from django_tavus.client.retry import Kind, RetryPolicy

logger = logging.getLogger("django_tavus.client")

USER_AGENT = f"django-tavus/{__version__}"
MAX_REDIRECTS = 3


class Transport:
    """Sends calls and turns what comes back into answers or errors."""

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str,
        timeout: Sequence[float],
        session: requests.Session | None,
        retry: RetryPolicy,
        sleep: Callable[[float], object],
    ) -> None:
        self._api_key = _checked_key(api_key)
        self._base_url = _checked_url(base_url)
        self._timeout = _checked_timeout(timeout)
        self._owns_session = session is None
        self._session = new_session() if session is None else session
        self._retry = retry
        self._sleep = sleep

    def close(self) -> None:
        """Close the connections, if the session is our own."""
        if self._owns_session:
            self._session.close()

    def send(self, call: Call) -> Answer:
        """Make the call and return a successful answer; raise a `TavusError` for anything else.

        A create is over within the sum of the time-outs even if it is tried twice: whoever looks
        for a lost one counts from its beginning.
        """
        content = call.encoded()
        limit = self._limit()
        attempt, doubted = 1, False
        while True:
            outcome = self._attempt(call, content, limit)
            error = judge(call, outcome, api_key=self._api_key)
            if error is None and isinstance(outcome, Answer):
                return outcome
            if doubted and call.method == "DELETE" and isinstance(error, NotFound):
                return Answer(204, {}, b"")  # an earlier try deleted it, only its answer was lost
            delay = None if error is None else self._delay(call, attempt, error, limit)
            if delay is None:
                raise error or ServerError(request=call.name)
            attempt, doubted = attempt + 1, doubted or _may_have_worked(error)
            self._sleep(delay)
            limit = limit if call.kind is Kind.CREATE else self._limit()

    def unreadable(self, call: Call, answer: Answer, why: str) -> TavusError:
        """Return the error for a successful answer that lacks what its resource has."""
        return unreadable(call, answer, why, api_key=self._api_key)

    def _limit(self) -> float:
        return time.monotonic() + sum(self._timeout)

    def _delay(self, call: Call, attempt: int, error: TavusError, limit: float) -> float | None:
        dice = random.random()  # noqa: S311 - jitter, not a secret
        delay = self._retry.delay(call.kind, attempt, error, dice)
        if delay is None or call.kind is not Kind.CREATE:
            return delay
        return delay if time.monotonic() + delay < limit else None

    def _attempt(self, call: Call, content: bytes | None, limit: float) -> Answer | Fault:
        begun = time.monotonic()
        outcome = self._exchange(call, f"{self._base_url}{call.path}", content, limit)
        for _ in range(MAX_REDIRECTS):
            target = self._redirected(call, outcome)
            if target is None:
                break
            outcome = self._exchange(call, target, None, limit)
        _log(call, outcome, time.monotonic() - begun)
        return outcome

    def _exchange(
        self, call: Call, url: str, content: bytes | None, limit: float
    ) -> Answer | Fault:
        headers = {"x-api-key": self._api_key, "Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        # the target of a redirect has its query in its URL
        query = call.query if url == f"{self._base_url}{call.path}" else {}
        attempt = Attempt(
            method=call.method,
            url=url,
            headers=headers,
            query=query,
            content=content,
            timeout=self._timeout,
            limit=limit,
        )
        return exchange(self._session, attempt)

    def _redirected(self, call: Call, outcome: Answer | Fault) -> str | None:
        """Where a GET may follow to: the same scheme, host and port, so that the key stays home."""
        if call.method != "GET" or isinstance(outcome, Fault) or not outcome.location:
            return None
        try:
            target = urljoin(f"{self._base_url}{call.path}", outcome.location)
            same = urlsplit(target)[:2] == urlsplit(self._base_url)[:2]
        except ValueError:
            return None
        return target if same else None


def _may_have_worked(error: TavusError | None) -> bool:
    return isinstance(error, ServerError) or (isinstance(error, ConnectionFailed) and error.sent)


def _log(call: Call, outcome: Answer | Fault, seconds: float) -> None:
    told = outcome.status if isinstance(outcome, Answer) else outcome.reason
    fine = isinstance(outcome, Answer) and (outcome.is_success or outcome.is_unchanged)
    level = logging.DEBUG if fine else logging.WARNING
    logger.log(level, "%s %s: %s in %d ms", call.method, call.path, told, seconds * 1000)


class _Session(requests.Session):
    """Reads the proxies and certificates of the environment once for each origin.

    `requests` does so for every request, which takes longer than a tenth of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._environments: dict[object, dict[str, Any]] = {}

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Return what `requests` would, as it was at the first request to that origin."""
        if proxies:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        key = (*urlsplit(url)[:2], stream, verify, cert)
        if key not in self._environments:
            found = super().merge_environment_settings(url, {}, stream, verify, cert)
            self._environments[key] = dict(found)
        return dict(self._environments[key])


def new_session() -> requests.Session:
    """Return the session a client makes for itself, for callers who keep sessions of their own.

    Its User-Agent names this package, and its exchanges are over, as a whole, within the sum of
    the time-outs (see `deadlines`), which a plain `requests.Session` cannot promise.
    """
    session = _Session()
    session.headers["User-Agent"] = USER_AGENT
    for scheme in ("https://", "http://"):
        session.mount(scheme, PunctualAdapter())
    return session


def _checked_key(api_key: object) -> str:
    """Refuse keys that no header can hold; the error of `requests` would quote the key."""
    if not isinstance(api_key, str) or not api_key:
        raise ValueError("The API key is empty or not a text.")
    if not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
        raise ValueError("The API key has spaces, line ends or characters beyond ASCII in it.")
    return api_key


def _checked_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("base_url has to be an absolute http(s) URL.")
    if parts.query or parts.fragment:
        raise ValueError("base_url cannot have a query or a fragment.")
    return base_url.rstrip("/")


def _checked_timeout(timeout: Sequence[float]) -> tuple[float, float]:
    try:
        connect, read = (float(number) for number in timeout)
    except (TypeError, ValueError):
        connect = read = math.nan
    if not (0 < connect < math.inf and 0 < read < math.inf):
        raise ValueError("timeout has to be two positive numbers: connect and read, in seconds.")
    return connect, read
