from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

# A process with a child of its own, neither of which hears SIGTERM.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def run(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "run.py")],
        env={**os.environ, "ONCE": "1", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_taken_port_is_one_line_before_anything_starts(folder: Path, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        other = "SANDBOX_PORT" if name == "PORT" else "PORT"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            other_number = free.getsockname()[1]
        result = run(folder, **{name: str(number), other: str(other_number)})
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: Port {number} is taken")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("environ", [{"PORT": "http"}, {"PORT": "0"}, {"PORT": "8085"}])
def test_impossible_port_is_one_line(folder: Path, environ: dict[str, str]) -> None:
    result = run(folder, **environ)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_stopping_leaves_no_process_behind(
    orchestrator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = orchestrator("orchestrator.children")
    monkeypatch.setattr(children, "PATIENCE", 0.3)
    started = children.Children(tmp_path, tmp_path, os.environ)
    started.start("stubborn", "-c", STUBBORN)
    log = tmp_path / "stubborn.log"
    deadline = time.monotonic() + 10
    while not log.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pids = [started.running[0].process.pid, int(log.read_text())]
    assert all(map(is_running, pids))
    started.stop()
    time.sleep(0.1)
    assert not any(map(is_running, pids))


def test_failed_process_shows_the_end_of_its_log(orchestrator: Any, tmp_path: Path) -> None:
    children = orchestrator("orchestrator.children")
    failures = orchestrator("orchestrator.failures")
    started = children.Children(tmp_path, tmp_path, os.environ)
    with pytest.raises(failures.RunFailedError, match=r"(?s)migrate ended with status 3.*no table"):
        started.run("migrate", "-c", "print('no table'); raise SystemExit(3)")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux does it")
def test_children_end_with_a_command_that_was_killed(folder: Path, tmp_path: Path) -> None:
    code = f"""
import os, sys, time
sys.path.insert(0, {str(folder)!r})
from pathlib import Path
from orchestrator.children import Children
children = Children(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}), os.environ)
children.start("sleeper", "-c", "import time; time.sleep(60)")
print(children.running[0].process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout
        pid = int(command.stdout.readline())
        assert is_running(pid)
        command.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, "it outlived the command"
        time.sleep(0.05)
