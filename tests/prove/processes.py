"""Processes that can be killed with everything they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
READY = "ready"  # what a process of a proof says when it waits for the others


def wait_for(what: str, condition: Callable[[], Any], seconds: float, pause: float = 0.1) -> None:
    """Wait until ``condition`` holds.

    Raises:
        AssertionError: it still does not after ``seconds``; says ``what`` and what it returned.
    """
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not {what} within {seconds} s: {result!r}"
        time.sleep(pause)


class Child:
    """A process in a group of its own, with its output in a file."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], log: Path):
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for_line(self, text: str, seconds: float = 60) -> None:
        """Wait until ``text`` is in its output."""

        def written() -> bool:
            assert self.process.poll() is None, f"{self.name} died:\n{self.tail()}"
            return text in self.log.read_text(errors="replace")

        wait_for(f"{text!r} in the log of {self.name}", written, seconds, 0.05)

    def last_line(self, seconds: float) -> str:
        """Wait for its end, and return the last line of its output."""
        assert self.process.wait(seconds) == 0, f"{self.name} failed:\n{self.tail()}"
        return self.log.read_text().splitlines()[-1]

    def tail(self) -> str:
        """The last lines of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def signal(self, number: int) -> None:
        """Send a signal to the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """``kill -9`` the process and all its children."""
        self.signal(signal.SIGKILL)
        self.process.wait(10)
