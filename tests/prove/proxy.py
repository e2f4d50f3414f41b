"""A TCP proxy that can play a server that is stopped, or mute, or frozen."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

# Below the ports that Linux gives to outgoing connections, so that a port that is not listened
# on for a while is still free afterwards.
PORTS = range(20000, 32000)
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, as the death of a server does
PIECE = 65536


def free_port() -> int:
    """Return a port of this machine on which nobody listens.

    Raises:
        OSError: none was found.
    """
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("No free port was found.")


class Proxy:
    """Passes connections on to ``host:port``, until it is told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self.upstream = (host, port)
        self.port = free_port()
        self.swallowed = 0
        """Bytes that a frozen server took and never used."""
        self.held = 0
        """Connections that a mute server accepted and did not answer."""
        self._is_frozen = False
        self._serving = threading.Event()
        self._serving.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.refuse()
        self._serving.set()
        for thread in self._threads:
            thread.join(5)

    def refuse(self) -> None:
        """Be a server that was stopped: connections are reset and no new ones accepted."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            self._listener.close()
            self._listener = None
        self._reset_all()

    def mute(self) -> None:
        """Be a server that hangs in its restart: it accepts connections, and never answers.

        What it is sent lies in buffers and is read after `restore`.
        """
        self._serving.clear()
        self._reset_all()

    def freeze(self) -> None:
        """Be a server whose machine is gone: open connections stay, and what is sent is lost."""
        self._is_frozen = True
        self._serving.clear()

    def restore(self) -> None:
        """Be a server that works."""
        if self._is_frozen:
            self._is_frozen = False
            self._reset_all()
        self._serving.set()
        if self._listener is None:
            self._listen()

    def _reset_all(self) -> None:
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    connection.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self._spawn(self._accept, self._listener)

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with self._remembered(client):
            self.held += not self._serving.is_set()
            self._serving.wait()
            try:
                server = socket.create_connection(self.upstream, timeout=5)
            except OSError:
                return
            with self._remembered(server):
                if self._listener is None:  # stopped since it was accepted
                    return
                server.settimeout(None)
                back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
                back.start()
                self._pump(client, server)
                back.join()

    @contextlib.contextmanager
    def _remembered(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if self._is_frozen:
                    self.swallowed += len(piece)
                else:
                    target.sendall(piece)
        for side in (source, target):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
