"""``on_commit()`` in a test whose own transaction is never committed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic

logger = logging.getLogger("django_tavus.testing")


@contextmanager
def commit_at_once() -> Iterator[None]:
    """Run the callbacks of ``on_commit()`` when the code under test would have committed.

    Django's ``TestCase`` and pytest's ``django_db`` wrap each test in transactions that are rolled
    back. What was registered before the block waits as it does without it.
    """
    register, leave = BaseDatabaseWrapper.on_commit, Atomic.__exit__

    def on_commit(
        connection: BaseDatabaseWrapper,
        func: Any,
        robust: bool = False,  # noqa: FBT001, FBT002 - the signature of Django
    ) -> None:
        register(connection, _Callback(func) if callable(func) else func, robust)
        _run_due(connection)

    def exit_atomic(block: Atomic, *exception: Any) -> None:
        leave(block, *exception)
        _run_due(transaction.get_connection(block.using))

    with (
        patch.object(BaseDatabaseWrapper, "on_commit", on_commit),
        patch.object(Atomic, "__exit__", exit_atomic),
    ):
        yield


def is_in_test_alone(connection: BaseDatabaseWrapper) -> bool:
    """Whether the only transactions that are open are those that a test is wrapped in."""
    blocks: list[Any] = connection.atomic_blocks  # django-stubs does not know _from_testcase
    return bool(blocks) and all(block._from_testcase for block in blocks)  # noqa: SLF001


class _Callback:
    """A function that was registered during the block, told from those of before."""

    def __init__(self, func: Callable[[], object]) -> None:
        self.func = func
        self.__qualname__ = getattr(func, "__qualname__", repr(func))  # Django logs it

    def __call__(self) -> None:
        self.func()


def _run_due(connection: BaseDatabaseWrapper) -> None:
    if connection.needs_rollback or not is_in_test_alone(connection):
        return
    waiting: list[Any] = connection.run_on_commit
    connection.run_on_commit = [entry for entry in waiting if not isinstance(entry[1], _Callback)]
    for _sids, func, robust in waiting:
        if isinstance(func, _Callback):
            _run(func, robust=robust)


def _run(callback: _Callback, *, robust: bool) -> None:
    try:
        callback()
    except Exception:
        if not robust:
            raise
        logger.exception("%s failed after commit", callback.__qualname__)
