from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker


@pytest.fixture
def make_site(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[..., Any]]:
    """Make deployments of the proofs that are taken down when the test is over."""
    # Imported here, because the proofs in this folder that need no servers need no drivers.
    from tests.prove.harness import Site

    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        yield lambda **options: stack.enter_context(Site(tmp_path, **options))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make test` deselects the proofs, and has not installed what they import.

    Where they were asked for, an import that fails stays an error.
    """
    deselected = "not services" in (config.getoption("markexpr") or "")
    return True if deselected and collection_path.name.startswith("test_") else None
