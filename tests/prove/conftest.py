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
