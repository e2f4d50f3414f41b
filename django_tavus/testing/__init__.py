"""For the tests of a site that uses django_tavus; needs the extra ``[sandbox]`` and pytest.

In the site's ``conftest.py``::

    pytest_plugins = ["django_tavus.testing"]
"""

from __future__ import annotations

from django_tavus.testing.callbacks import deliver_callback, deliver_due
from django_tavus.testing.factories import (
    make_conversation,
    make_document,
    make_persona,
    make_replica,
)
from django_tavus.testing.fixtures import tavus_sandbox

__all__ = [
    "deliver_callback",
    "deliver_due",
    "make_conversation",
    "make_document",
    "make_persona",
    "make_replica",
    "tavus_sandbox",
]
