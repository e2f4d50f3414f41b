"""Fixtures for pytest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from django_tavus.sandbox import Sandbox
from django_tavus.services import clients


@pytest.fixture
def tavus_sandbox(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Tavus, played in this process: every request of the site goes to it, and no other."""
    sandbox = Sandbox(seed=0)

    def make_session() -> requests.Session:
        session = requests.Session()
        session.mount("https://", sandbox.adapter())
        session.mount("http://", sandbox.adapter())
        return session

    settings.TAVUS = {
        **getattr(settings, "TAVUS", {}),
        "API_KEY": "sandbox",
        "BASE_URL": sandbox.base_url,
    }
    monkeypatch.setattr(clients, "make_session", make_session)
    clients.forget_session()
    yield sandbox
    clients.forget_session()
