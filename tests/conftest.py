from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.utils import translation

import django_tavus.tasks  # noqa: F401 - registers the tasks that Worker runs
from django_tavus.sandbox import Sandbox
from django_tavus.services import enqueue

pytest_plugins = ["django_tavus.testing"]


class Worker:
    """A broker and a worker for tests, at the one seam to Celery.

    Messages wait until ``run()``; a test may look at them, drop them or shuffle them.
    """

    def __init__(self) -> None:
        self.messages: list[tuple[str, tuple[Any, ...]]] = []

    def publish(self, message: tuple[str, tuple[Any, ...]]) -> None:
        self.messages.append(message)

    def commit(self) -> None:
        """Run what a test inside a transaction would never commit."""
        while connection.in_atomic_block and connection.run_on_commit:
            callbacks, connection.run_on_commit = connection.run_on_commit, []
            for _, callback, _ in callbacks:
                callback()

    def run(self, limit: int = 1000) -> int:
        """Run all messages, and those that they send in turn; return how many."""
        done = 0
        self.commit()
        while self.messages:
            name, args = self.messages.pop(0)
            current_app.tasks[name](*args)
            self.commit()
            done += 1
            assert done < limit, f"endless: {name}{args}"
        return done


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """No test talks to a broker unless it says so."""
    worker = Worker()
    monkeypatch.setattr(enqueue, "_publisher", lambda: worker)
    return worker


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """LocaleMiddleware leaves the language of its last request to whatever runs next."""
    yield
    translation.deactivate()


@pytest.fixture
def tavus_sandbox(settings: Any) -> Iterator[Sandbox]:
    """The sandbox alone: here messages and commits wait for ``worker``."""
    from django_tavus.testing.sandboxing import connected, settings_for

    sandbox = Sandbox(seed=0)
    public_url = settings.TAVUS.get("PUBLIC_URL", "")  # a test may want to do without
    settings.TAVUS = {**settings_for(sandbox), "PUBLIC_URL": public_url}
    with connected(sandbox):
        yield sandbox


@pytest.fixture
def signals_sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The names and arguments of the signals sent since."""
    from django_tavus import signals

    sent: list[tuple[str, dict[str, Any]]] = []
    receivers: list[Callable[..., None]] = []
    for name, signal in vars(signals).items():
        if isinstance(signal, signals.Signal):

            def receive(_name: str = name, **kwargs: Any) -> None:
                sent.append((_name, kwargs))

            signal.connect(receive, weak=False)
            receivers.append(receive)
    yield sent
    for signal in vars(signals).values():
        if isinstance(signal, signals.Signal):
            for receive in receivers:
                signal.disconnect(receive)
