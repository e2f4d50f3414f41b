"""The HTTP face: a threaded server, and the hand that makes time pass."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from types import TracebackType
from typing import Any, Self

from werkzeug.datastructures import Headers
from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

from django_tavus.sandbox.courier import Courier, Report
from django_tavus.sandbox.play import ORIGIN, Sandbox

logger = logging.getLogger("django_tavus.sandbox")

BEAT = 0.05
"""Seconds between two looks at the clock."""


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with connections that stay open, and no line in the log for each request."""

    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: with delayed acknowledgements two cost 40 ms a request.
    wbufsize = -1

    def setup(self) -> None:
        """Remember the connection, so that stopping the server closes it."""
        super().setup()
        _connections(self.server).add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        _connections(self.server).discard(self.connection)
        # The other side may be gone, or the socket cut on purpose.
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        self.rfile.close()

    def run_wsgi(self) -> None:
        """Answer one request and keep the connection.

        Werkzeug's own version closes it after each answer, because a body may be left unread;
        this application reads every body.
        """
        try:
            content, status, headers = run_wsgi_app(
                self.server.app, self.make_environ(), buffered=True
            )
            self._answer(status, headers, b"".join(content))
        except (ConnectionError, ClientDisconnected):  # it died in the middle of its request
            self.close_connection = True
        except Exception:
            self.close_connection = True
            logger.exception("The sandbox failed on %s %s", self.command, self._path)
            self._answer("500 Internal Server Error", Headers(), b"")

    def _answer(self, status: str, headers: Headers, content: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        if int(code) not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    @property
    def _path(self) -> str:
        return self.path.partition("?")[0]  # the query may hold a meeting token

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - theirs
        """To our logger, and only for those who want to see every request."""
        if type == "error":
            logger.error(message, *args)
        elif type == "request":
            logger.debug("%s %s", self.command, self._path)


def _connections(server: Any) -> set[socket.socket]:
    connections: set[socket.socket] = server.__dict__.setdefault("open_connections", set())
    return connections


class SandboxServer:
    """Serves a `Sandbox` at ``url``: as a context manager, or with `start` and `stop`.

    ``port`` 0 takes a free one. ``public_url`` is the origin of rooms where browsers reach the
    server under another name. ``report`` is told the outcome of each callback: a status, or the
    name of an exception. Raises OSError where the port is taken.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        public_url: str | None = None,
        report: Report | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.host = host
        self.port = port
        self.public_url = public_url.rstrip("/") if public_url else None
        self._report = report
        self._running: contextlib.ExitStack | None = None

    @property
    def url(self) -> str:
        """Origin of the server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, and make time pass."""
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(self._listening())
            self.port = server.port
            self.sandbox.app.stopping.clear()
            self.sandbox.app.public_url = self.public_url
            if self.sandbox.origin == ORIGIN:
                self.sandbox.origin = self.public_url or self.url
                stack.callback(setattr, self.sandbox, "origin", ORIGIN)
            courier = Courier(self._report)
            stack.callback(courier.close)
            self._spawn(stack, "sandbox-clock", self._tick, courier)
            self._spawn(stack, "sandbox-http", server.serve_forever, 0.05)
            stack.callback(_close_connections, server)
            stack.callback(server.shutdown)
            stack.callback(self.sandbox.app.stopping.set)
            self._running = stack.pop_all()

    def stop(self) -> None:
        """Stop listening, close every connection, forget callbacks that are not on their way."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def _listening(self) -> contextlib.AbstractContextManager[BaseWSGIServer]:
        # Bound here, because werkzeug ends the process where a port is taken.
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self.host, self.port))
            bound.listen(128)
            server = make_server(
                self.host,
                bound.getsockname()[1],
                self.sandbox.app,
                threaded=True,
                request_handler=Handler,
                fd=bound.fileno(),
            )
        return _closed_after(server)

    def _spawn(self, stack: contextlib.ExitStack, name: str, target: Any, *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)
        thread.start()
        stack.callback(thread.join, 5)

    def _tick(self, courier: Courier) -> None:
        while not self.sandbox.app.stopping.wait(BEAT):
            for callback in self.sandbox.due_callbacks():
                courier.take(callback)


@contextlib.contextmanager
def _closed_after(server: BaseWSGIServer) -> Any:
    try:
        yield server
    finally:
        server.server_close()


def _close_connections(server: BaseWSGIServer) -> None:
    for connection in list(_connections(server)):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
