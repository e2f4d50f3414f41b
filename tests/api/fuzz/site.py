"""The example site in processes of its own: sandbox, gunicorn, and a worker with beat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.prove.processes import ROOT, Child, wait_for
from tests.prove.proxy import free_port
from tests.prove.servers import PORTS, fresh_database

WORKER = (
    *("--beat", "--pool", "threads", "--concurrency", "2", "--loglevel", "WARNING"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)


@dataclass
class Site:
    """A running site and what it was seeded with."""

    url: str
    seeds: dict[str, Any]
    log: Path


@contextmanager
def example_site(folder: Path, database: str) -> Iterator[Site]:
    """Run the example on a database of its own; nothing is left of either."""
    with ExitStack() as stack:
        conf = stack.enter_context(fresh_database(database))
        sandbox, site = free_port(), free_port()
        environment = _environment(folder, conf, sandbox, site)

        def start(name: str, *arguments: str) -> Child:
            child = Child(name, list(arguments), environment, folder / f"{name}.log")
            stack.callback(child.kill)
            return child

        _answers(start("sandbox", "django", "tavus_sandbox", "--port", str(sandbox)), sandbox, "/")
        seeds = _seed(environment)
        served = ("--bind", f"127.0.0.1:{site}", "--threads", "4", "--timeout", "120")
        served += ("--chdir", str(folder))  # where uploads end up
        server = start("site", "gunicorn", "example.wsgi:application", *served)
        start("worker", "celery", "-A", "example", "worker", *WORKER)
        _answers(server, site, "/login/")
        yield Site(f"http://127.0.0.1:{site}", seeds, server.log)


def _environment(folder: Path, conf: dict[str, Any], sandbox: int, site: int) -> dict[str, str]:
    temporary = folder / "tmp"  # the embedded broker renames from there
    temporary.mkdir()
    scheme = "postgresql" if conf["PORT"] == PORTS["postgresql"] else "mariadb"
    who = f"{conf['USER']}:{conf['PASSWORD']}" if conf["PASSWORD"] else conf["USER"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "example.settings",
        "DJANGO_DEBUG": "0",
        "PYTHONPATH": str(ROOT / "example_project"),
        "EXAMPLE_RUN_DIR": str(folder),
        "TMPDIR": str(temporary),
        "DATABASE_URL": f"{scheme}://{who}@{conf['HOST']}:{conf['PORT']}/{conf['NAME']}",
        "TAVUS_BASE_URL": f"http://127.0.0.1:{sandbox}/v2",
        "TAVUS_PUBLIC_URL": f"http://127.0.0.1:{site}",
    }


def _seed(environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.api.fuzz.seed"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seeds: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seeds


def _answers(child: Child, port: int, path: str) -> None:
    def is_up() -> bool:
        assert child.process.poll() is None, f"{child.name} died:\n{child.tail()}"
        try:
            return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code < 500
        except requests.ConnectionError:
            return False

    wait_for(f"{child.name} up", is_up, 60)
