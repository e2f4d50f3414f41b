"""Child processes on loopback: started, waited for, and ended with all that they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python -m <arguments>`` in a process group of its own until the block is left."""
    child = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@contextmanager
def site(broker: str) -> Iterator[int]:
    """Serve the site with gunicorn's two sync workers; yield its port."""
    port = free_port()
    command = ("gunicorn", "benchmarks.wsgi", f"--bind=127.0.0.1:{port}", "--workers=2")
    quiet = ("--log-level=warning", "--worker-class=sync")
    with running(*command, *quiet, BENCHMARK_BROKER=broker) as child:
        wait_for(port, child)
        yield port


def wait_for(port: int, child: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Return as soon as ``child`` accepts connections on ``port``."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and child.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Nobody listens on port {port}: {child.args!r}")


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_kib(pid: int | str = "self") -> int:
    """Return the memory that a process holds, in KiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
