"""The processes that the command starts. None of them outlives it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrator.failures import RunFailedError

PATIENCE = 10.0
"""Seconds from asking a child to stop to stopping it."""
TAIL = 25
"""Lines of a log that are shown when its process has failed."""
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


class Child(NamedTuple):
    """A running process and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Children:
    """Starts processes, each in a group of its own, and stops them last first."""

    def __init__(self, folder: Path, logs: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.logs = logs
        self.environ = environ
        self.running: list[Child] = []

    def start(self, name: str, *arguments: str) -> None:
        """Start ``python <arguments>``; its output goes to ``<name>.log``."""
        path = self.logs / f"{name}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own programs only
                [sys.executable, *arguments],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A Ctrl-C at the terminal is for this command, which stops them in order.
                process_group=0,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        self.running.append(Child(name, process, path))

    def run(self, name: str, *arguments: str) -> None:
        """Start ``python <arguments>`` and wait for it.

        Raises:
            RunFailedError: it ended with an error.
        """
        self.start(name, *arguments)
        child = self.running[-1]
        status = child.process.wait()
        self.running.remove(child)
        if status:
            raise RunFailedError(f"{name} ended with status {status}.{_tail(child)}")

    def check(self) -> None:
        """Raise RunFailedError if one of them has ended."""
        for child in self.running:
            status = child.process.poll()
            if status is not None:
                raise RunFailedError(f"{child.name} ended with status {status}.{_tail(child)}")

    def tails(self) -> str:
        """Return the last lines of all logs."""
        return "".join(map(_tail, self.running))

    def stop(self) -> None:
        """Stop all of them, and what they have started; returns when nothing is left."""
        for child in reversed(self.running):
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for child in reversed(self.running):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, deadline - time.monotonic()))
            # Whatever is left of its group, such as the beat of a worker.
            _signal(child, signal.SIGKILL)
            child.process.wait()
        self.running.clear()


def die_with_make(environ: Mapping[str, str]) -> None:
    """Let this process end (orderly) when the ``make`` that started it is killed."""
    if sys.platform == "linux" and "MAKELEVEL" in environ:
        _die_with_parent()


def _die_with_parent() -> None:
    """Have the kernel send SIGTERM when the parent is gone, however it went."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)


def _tail(child: Child) -> str:
    lines: Sequence[str] = child.log.read_text(errors="replace").splitlines()[-TAIL:]
    shown = "\n".join(f"  | {line}" for line in lines)
    return f"\n--- the end of {child.log}:\n{shown}" if lines else ""
