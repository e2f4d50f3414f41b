"""``manage.py tavus_sandbox`` as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import requests

Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run() -> Iterator[Run]:
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "django", "tavus_sandbox", *options],
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/v2", line)
    assert found, line
    return found.group(0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_it_is_told_to_stop(run: Run, number: signal.Signals) -> None:
    process = run("--port", "0")
    url = address(process)
    response = requests.get(f"{url}/personas", headers={"x-api-key": "k"}, timeout=5)
    assert response.json()["total_count"] == 4
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_taken_port_is_one_line(run: Run) -> None:
    port = address(run("--port", "0")).rpartition(":")[2].removesuffix("/v2")
    process = run("--port", port)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.splitlines() == [
        f"CommandError: Port {port} of 127.0.0.1 is taken; choose another one with --port."
    ]


def test_flags_reach_the_account(run: Run) -> None:
    url = address(run("--port", "0", "--max-concurrent", "1", "--seed", "3"))
    body = {"persona_id": "pcb7a34da5fe"}
    codes = [
        requests.post(
            f"{url}/conversations", json=body, headers={"x-api-key": "k"}, timeout=5
        ).status_code
        for _ in range(2)
    ]
    assert codes == [200, 400]


@pytest.mark.parametrize("options", [("--drop", "2"), ("--latency", "-1"), ("--pace", "slow")])
def test_senseless_flags_are_refused(run: Run, options: tuple[str, ...]) -> None:
    process = run("--port", "0", *options)
    process.communicate(timeout=20)
    assert process.returncode == 2
