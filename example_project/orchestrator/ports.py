"""The ports, looked at before anything is started."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import NamedTuple

from orchestrator.failures import RunFailedError

HOST = "127.0.0.1"


class Ports(NamedTuple):
    """Where the site and the sandbox listen."""

    site: int
    sandbox: int


DEFAULTS = {"PORT": 8000, "SANDBOX_PORT": 8085}


def choose_ports(environ: Mapping[str, str]) -> Ports:
    """Return the ports of ``PORT`` and ``SANDBOX_PORT``, all free at this moment.

    Raises:
        RunFailedError: one is no port number, is taken, or both are the same.
    """
    site, sandbox = (_number(name, environ.get(name, "")) for name in DEFAULTS)
    if site == sandbox:
        raise RunFailedError(f"PORT and SANDBOX_PORT are both {site}; they must differ.")
    for name, number in zip(DEFAULTS, (site, sandbox), strict=True):
        _check_free(name, number)
    return Ports(site, sandbox)


def _number(name: str, text: str) -> int:
    if not text:
        return DEFAULTS[name]
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise RunFailedError(f"{name}={text} is not a port number.")
    return int(text)


def _check_free(name: str, number: int) -> None:
    with socket.socket() as probe:
        # Ports of connections that have just been closed are free for a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except PermissionError:
            reason = "may not be used by you"
        except OSError:
            reason = "is taken"
        else:
            return
    raise RunFailedError(
        f"Port {number} {reason}; choose another one: make run {name}={number + 1}"
    )
