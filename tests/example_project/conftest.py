from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.example_project import hosting


@pytest.fixture
def folder() -> Path:
    return hosting.FOLDER


@pytest.fixture
def load() -> Any:
    """Loads one file of the example."""
    return hosting.load


@pytest.fixture
def orchestrator(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(hosting.FOLDER)
    return importlib.import_module


@pytest.fixture
def example(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example as this process's site, with its own settings; imports its modules."""
    hosting.host(settings, monkeypatch, tmp_path)
    return importlib.import_module
