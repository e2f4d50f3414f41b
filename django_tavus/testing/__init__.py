"""For the tests of a site that uses django_tavus; needs the extra ``[sandbox]``.

With pytest, in the site's ``conftest.py``::

    pytest_plugins = ["django_tavus.testing"]

Without it, ``with sandboxed() as sandbox:`` does what the fixture ``tavus_sandbox`` does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from django_tavus.testing.callbacks import deliver_callback, deliver_due
from django_tavus.testing.factories import (
    make_conversation,
    make_document,
    make_persona,
    make_replica,
)
from django_tavus.testing.sandboxing import sandboxed

if TYPE_CHECKING:
    from django_tavus.testing.fixtures import tavus_sandbox

__all__ = [
    "deliver_callback",
    "deliver_due",
    "make_conversation",
    "make_document",
    "make_persona",
    "make_replica",
    "sandboxed",
    "tavus_sandbox",
]


def __getattr__(name: str) -> Any:
    """Return the fixture when pytest asks for it: it may not be installed."""
    if name == "tavus_sandbox":
        return importlib.import_module("django_tavus.testing.fixtures").tavus_sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, among which pytest looks for fixtures."""
    return __all__
