"""A total time limit for one exchange, where `requests` only limits each single read.

A server that sends one header byte every 29 seconds never trips a read time-out of 30. And a
host with four addresses may take four connect time-outs before the request goes out, by which
time a create is already given up for doubtful elsewhere. The adapter here holds one absolute
deadline over connecting, sending, headers and body; after it has passed nothing is sent any more.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError
from urllib3.poolmanager import ProxyManager

_deadline: ContextVar[float | None] = ContextVar("django_tavus_client_deadline", default=None)


@contextmanager
def deadline(moment: float) -> Iterator[None]:
    """Hold every exchange inside the block to end at `moment` (`time.monotonic()`)."""
    token = _deadline.set(moment)
    try:
        yield
    finally:
        _deadline.reset(token)


def _remaining() -> float | None:
    moment = _deadline.get()
    return None if moment is None else moment - time.monotonic()


class _PunctualReader(io.RawIOBase):
    """Reads from a socket, each time for no longer than is left."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._patience = sock.gettimeout()
        # makefile() keeps the socket open until the answer has been read
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if (left := _remaining()) is not None:
            if left <= 0:
                raise TimeoutError("the answer took too long as a whole")
            self._sock.settimeout(min(left, self._patience or left))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PunctualResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_PunctualReader(sock))


class _Punctual(HTTPConnection):
    response_class = _PunctualResponse

    def connect(self) -> None:
        super().connect()
        left = _remaining()
        if left is not None and left <= 0:
            self.close()
            raise ConnectTimeoutError(self, "connecting took until the deadline")


class _PunctualHTTPConnection(_Punctual):
    pass


class _PunctualHTTPSConnection(_Punctual, HTTPSConnection):
    pass


class _PunctualHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PunctualHTTPConnection


class _PunctualHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PunctualHTTPSConnection


_POOLS = {"http": _PunctualHTTPPool, "https": _PunctualHTTPSPool}


class PunctualAdapter(HTTPAdapter):
    """A transport adapter whose exchanges end at the `deadline()` in force."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools with connections that know the deadline."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Do the same behind an HTTP proxy; SOCKS has pools of its own."""
        manager = super().proxy_manager_for(*args, **kwargs)
        if type(manager) is ProxyManager:
            manager.pool_classes_by_scheme = _POOLS
        return manager
