"""Fixtures for pytest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_tavus.sandbox import Sandbox
from django_tavus.testing.account import shown_to
from django_tavus.testing.committing import commit_at_once
from django_tavus.testing.sandboxing import connected, eager_tasks, settings_for


@pytest.fixture
def tavus_sandbox(settings: Any) -> Iterator[Sandbox]:
    """Tavus, played in this process: every request of the site goes to it, and no other.

    Tasks and callbacks of ``on_commit()`` run at once.
    """
    sandbox = Sandbox(seed=0)
    # Not override_settings(): a test that changes TAVUS by the fixture ``settings`` would find it
    # taken back too late.
    settings.TAVUS = settings_for(sandbox)
    with connected(sandbox), shown_to(sandbox), eager_tasks(), commit_at_once():
        yield sandbox
