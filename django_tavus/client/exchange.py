"""Sending once, and telling exactly how far it got: the only module that touches the network.

Before the first byte of a request was sent, nothing can have happened at Tavus; from then on a
create is in doubt, whatever comes back short of a clear answer. Exceptions of `requests` end
here: they hold the request, and with it the API key.
"""

from __future__ import annotations

import json
import math
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.exceptions import (
    ConnectTimeout,
    InvalidHeader,
    InvalidProxyURL,
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    RequestException,
)
from urllib3 import HTTPResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
)

from django_tavus.client.deadlines import deadline

MAX_BODY = 10_000_000
"""Bytes of an answer that are read; longer ones are an error."""
MAX_DEPTH = 100
"""Nesting of an answer; deeper ones are not taken for JSON, before they overflow a stack."""
_CHUNK = 65_536
_NOT_MODIFIED = 304
_BODILESS = frozenset({204, _NOT_MODIFIED})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOCATION = "X-Original-Location"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    body: Any = None
    """The parsed JSON, None where there is none."""
    is_json: bool = False

    @property
    def is_success(self) -> bool:
        """Whether it is any 2xx: documented and observed codes differ (200, 201, 202, 204)."""
        return 200 <= self.status < 300

    @property
    def is_unchanged(self) -> bool:
        """Whether a patch found nothing to change."""
        return self.status == _NOT_MODIFIED

    @property
    def location(self) -> str:
        """Where a redirect points to, empty if it is none."""
        return self.headers.get(_LOCATION, "") if self.status in _REDIRECTS else ""

    @property
    def is_page(self) -> bool:
        """Whether it is HTML: the word of a gateway or a captive portal, not of Tavus."""
        return not self.is_json and self.content.lstrip()[:1] == b"<"


@dataclass(frozen=True, slots=True)
class Fault:
    """No whole answer."""

    reason: str
    """`bad_url connect_timeout cut dns read_timeout refused tls too_large`"""
    sent: bool
    """Whether any byte of the request may have reached Tavus."""
    status: int | None = None
    """The status, if the answer got that far."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What is sent, to where, and how long it may take."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes | None
    timeout: tuple[float, float]
    """Connect and read, seconds."""
    limit: float
    """The moment (`time.monotonic()`) at which the whole of it has to be over."""

    def patience(self) -> tuple[float, float]:
        """Return the time-outs, shortened to what is left until the limit."""
        left = max(self.limit - time.monotonic(), 0.001)  # 0 would mean "do not block"
        return min(self.timeout[0], left), min(self.timeout[1], left)


class _TooLargeError(Exception):
    pass


def exchange(session: requests.Session, attempt: Attempt) -> Answer | Fault:
    """Send once, follow nothing, and read the answer up to `MAX_BODY` bytes and the limit."""
    status: int | None = None
    try:
        with deadline(attempt.limit), _open(session, attempt) as response:
            status = response.status_code
            content = b"" if status in _BODILESS else _read(response, attempt.limit)
            return _answer(status, response.headers, content)
    except _TooLargeError:
        return Fault("too_large", sent=True, status=status)
    except (RequestException, HTTPError, OSError, UnicodeError) as error:
        return fault_of(error, status)


def _open(session: requests.Session, attempt: Attempt) -> requests.Response:
    return session.request(
        attempt.method,
        attempt.url,
        params=dict(attempt.query) or None,
        data=attempt.content,
        headers=dict(attempt.headers),
        timeout=attempt.patience(),
        allow_redirects=False,
        stream=True,
        hooks={"response": _hide_location},
    )


def _hide_location(response: requests.Response, **_: Any) -> None:
    """Rename the Location header, before `requests` sees it.

    Even with `allow_redirects=False` it prepares the next request, and for that reads the whole
    body of a redirect, however long, and chokes on targets that are no URL.
    """
    if (location := response.headers.pop("Location", None)) is not None:
        response.headers[_LOCATION] = location


def _read(response: requests.Response, limit: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in _chunks(response):
        size += len(chunk)
        if size > MAX_BODY:
            raise _TooLargeError
        if time.monotonic() > limit:
            raise TimeoutError("the answer took too long as a whole")
        parts.append(chunk)
    return b"".join(parts)


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """Yield what has arrived, as soon as it has.

    `iter_content(n)` waits for n bytes, and a trickle of single bytes would keep it for hours;
    `read1` returns after one read of the socket.
    """
    read1 = getattr(response.raw, "read1", None)
    if read1 is None or not isinstance(response.raw, HTTPResponse):
        # an in-process session without sockets, or urllib3 before 2.3
        yield from response.iter_content(_CHUNK)
        return
    while chunk := read1(_CHUNK, decode_content=True):
        yield chunk


def _answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    if not content.strip():
        return Answer(status, headers, content)
    try:
        body = json.loads(content, parse_constant=_nothing, parse_float=_finite)
    except (ValueError, RecursionError):  # ValueError: also bad UTF-8 and 5,000-digit integers
        return Answer(status, headers, content)
    if _is_deep(body):
        return Answer(status, headers, content)
    return Answer(status, headers, content, body, is_json=True)


def _nothing(_constant: str) -> None:
    """Read NaN and Infinity as null: they are not JSON, and no JSON column can hold them."""


def _finite(text: str) -> float | None:
    """1e999 is JSON but parses as infinity."""
    number = float(text)
    return number if math.isfinite(number) else None


def _is_deep(body: Any) -> bool:
    level = [body]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _containers_in(value)]
        if not level:
            return False
    return True


def _containers_in(value: Any) -> Iterator[Any]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (item for item in items if isinstance(item, dict | list))


_NEVER_SENT: tuple[tuple[type[BaseException], str], ...] = (
    # exception found anywhere in the chain: reason. All are raised before the request line.
    (socket.gaierror, "dns"),
    (NewConnectionError, "refused"),
    (ConnectTimeoutError, "connect_timeout"),
    (ConnectTimeout, "connect_timeout"),
    (ssl.SSLCertVerificationError, "tls"),  # of the handshake; any later TLS error is doubtful
    (InvalidProxyURL, "bad_url"),
    (InvalidURL, "bad_url"),
    (InvalidSchema, "bad_url"),
    (MissingSchema, "bad_url"),
    (InvalidHeader, "bad_url"),
)
_TIMEOUTS = (requests.exceptions.Timeout, ReadTimeoutError, TimeoutError)


def fault_of(error: BaseException, status: int | None) -> Fault:
    """Tell from an exception how far a request got; `status` is set once an answer has begun.

    Whatever is not known to have failed earlier counts as sent: a kept-alive connection that is
    reset while sending looks just like one that is reset while Tavus is working.
    """
    chain = list(_chain(error))
    if status is None:
        for kind, reason in _NEVER_SENT:
            if any(isinstance(link, kind) for link in chain):
                return Fault(reason, sent=False)
    reason = "read_timeout" if any(isinstance(link, _TIMEOUTS) for link in chain) else "cut"
    return Fault(reason, sent=True, status=status)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it wraps: `requests` keeps causes in `args`, urllib3 in `reason`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop()
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [*link.args, getattr(link, "reason", None), link.__cause__]
