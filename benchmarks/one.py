"""Run one benchmark by name on an empty database: ``python -m benchmarks`` starts this."""

from __future__ import annotations

import importlib
import sys

import django
from django.core.management import call_command

from benchmarks import brokers
from benchmarks.celeryapp import app


def main(name: str) -> None:
    """Set Django up, make the tables, measure."""
    django.setup()
    app.set_current()
    call_command("migrate", verbosity=0)
    brokers.purge()
    try:
        importlib.import_module(f"benchmarks.{name}").run()
    finally:
        brokers.purge()


if __name__ == "__main__":
    main(sys.argv[1])
