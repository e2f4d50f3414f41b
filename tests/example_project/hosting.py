"""The example as the site of a test's process."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent.parent.parent / "example_project"

# What the pages depend on. The database, the key and the broker stay those of the tests.
TAKEN = (
    *("INSTALLED_APPS", "MIDDLEWARE", "TEMPLATES", "ROOT_URLCONF", "STATIC_URL"),
    *("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"),
)


def load(path: str) -> ModuleType:
    """Load one file of the example; its package would bring its own Celery application along."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, FOLDER / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def host(settings: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make this process the example's, with its own settings, until the test ends."""
    monkeypatch.setenv("EXAMPLE_RUN_DIR", str(folder))
    monkeypatch.syspath_prepend(FOLDER)
    no_celery = ModuleType("example.celery")
    no_celery.app = None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "example.celery", no_celery)
    own = load("example/settings.py")
    for name in TAKEN:
        setattr(settings, name, getattr(own, name))
