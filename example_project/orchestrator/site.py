"""The parts of the running example: sandbox, site and worker."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import requests

from orchestrator.children import Children
from orchestrator.failures import RunFailedError
from orchestrator.ports import DEFAULTS, HOST, Ports

START_SECONDS = 60.0
"""How long a part may take to come up on a slow machine."""


def environment(environ: Mapping[str, str], ports: Ports, folder: Path) -> dict[str, str]:
    """Return the environment of the children; what the caller has set wins."""
    own = {
        "TAVUS_API_KEY": "sandbox",
        "TAVUS_BASE_URL": f"http://{HOST}:{ports.sandbox}/v2",
        "TAVUS_PUBLIC_URL": f"http://{HOST}:{ports.site}",
    }
    always = {
        "DJANGO_SETTINGS_MODULE": "example.settings",
        "EXAMPLE_RUN_DIR": str(folder),
        "PYTHONUNBUFFERED": "1",  # what a process said last is in its log when it ends
        # The embedded broker takes a message by renaming it into the temporary folder, which is
        # one step only within one file system.
        "TMPDIR": str(folder / "tmp"),
    }
    return {**own, **environ, **always}


def clean(folder: Path) -> None:
    """Forget the last run: the sandbox has forgotten its side of it too.

    Databases and brokers that are named by ``DATABASE_URL`` and ``CELERY_BROKER_URL`` are left
    as they are, and so is whatever else somebody keeps in the folder.
    """
    for pattern in LEFTOVERS:
        for path in folder.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    (folder / "tmp").mkdir(parents=True)


LEFTOVERS = ("db.sqlite3*", "broker", "tmp", "celerybeat-schedule*", "*.log")


def start(children: Children, ports: Ports, say: Callable[[str], None]) -> None:
    """Start everything, in the order in which one needs the other.

    Raises:
        RunFailedError: a part did not come up.
    """
    manage = "manage.py"
    children.run("migrate", manage, "migrate", "--no-input")
    say("database migrated")
    children.start("sandbox", manage, "tavus_sandbox", "--port", str(ports.sandbox))
    await_answer(children, f"http://{HOST}:{ports.sandbox}/sandbox/")
    say(f"sandbox     http://{HOST}:{ports.sandbox}/sandbox/")
    children.run("setup_demo", manage, "setup_demo")
    children.start("site", manage, "runserver", "--noreload", f"{HOST}:{ports.site}")
    children.start("worker", "-m", "celery", "-A", "example", "worker", *WORKER)
    await_answer(children, f"http://{HOST}:{ports.site}/login/")
    say(f"site        http://{HOST}:{ports.site}/")
    await_line(children, "worker", " ready.")
    say("worker      celery with beat")


# Threads: one process to stop. Gossip, mingle and heartbeats are for several workers, and over
# an embedded broker each of them would be files.
WORKER = (
    *("--beat", "--pool", "threads", "--concurrency", "4", "--loglevel", "INFO"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)


def await_answer(children: Children, url: str) -> None:
    """Wait until ``url`` answers 200. Raises RunFailedError."""
    deadline = time.monotonic() + START_SECONDS
    with requests.Session() as session:
        session.trust_env = False  # a proxy for the internet does not reach this machine
        while time.monotonic() < deadline:
            children.check()
            try:
                if session.get(url, timeout=5).status_code == 200:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.1)
    raise RunFailedError(f"{url} does not answer.{children.tails()}")


def await_line(children: Children, name: str, text: str) -> None:
    """Wait until the log of ``name`` holds ``text``. Raises RunFailedError."""
    deadline = time.monotonic() + START_SECONDS
    log = children.logs / f"{name}.log"
    while time.monotonic() < deadline:
        children.check()
        if text in log.read_text(errors="replace"):
            return
        time.sleep(0.1)
    raise RunFailedError(f"{name} does not come up.{children.tails()}")


def is_once(environ: Mapping[str, str]) -> bool:
    """Whether ``ONCE=1`` was asked for."""
    return environ.get("ONCE", "") not in ("", "0")


def project_folder() -> Path:
    """Return the folder of ``manage.py``."""
    return Path(__file__).resolve().parent.parent


def run_folder(port: int) -> Path:
    """Return the folder for everything that a run writes; runs on other ports have their own."""
    folder = project_folder().parent / "run"
    return folder if port == DEFAULTS["PORT"] else folder / str(port)
