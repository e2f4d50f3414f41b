"""The WSGI application: the API, the control calls and the rooms."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from django_tavus.sandbox.faults import Interrupted
from django_tavus.sandbox.wire.api import PREFIX, Api
from django_tavus.sandbox.wire.control import Control

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from django_tavus.sandbox.play import Sandbox

LONG = 120.0
"""Seconds until a hanging connection is closed: longer than any client should wait."""


class App:
    """Answers requests over one sandbox; both faces call it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.api = Api(sandbox)
        self.control = Control(sandbox)
        self.public_url: str | None = None
        """Origin of the rooms, where it is not the one that requests come to."""
        self.stopping = threading.Event()

    def respond(self, request: Request) -> tuple[Response, float]:
        """The answer, and how many seconds late it is. Raises `Interrupted`."""
        origin = self.public_url or request.host_url.rstrip("/")
        if request.path.startswith(f"{PREFIX}/"):
            return self.api.respond(request, f"{origin}/sandbox/rooms")
        return self.control.respond(request), 0.0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The HTTP face: delays are slept, cuts close the socket."""
        request = Request(environ)
        request.get_data(cache=True)  # drained, so that the connection can be used again
        try:
            response, late = self.respond(request)
        except Interrupted as interruption:
            if interruption.manner == "hang":
                self.stopping.wait(LONG)
            _hang_up(environ)
            response, late = Response(status=204), 0.0
        if late:
            self.stopping.wait(late)
        return response(environ, start_response)


def _hang_up(environ: dict[str, Any]) -> None:
    connection: socket.socket | None = environ.get("werkzeug.socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
