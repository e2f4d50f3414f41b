"""Integrity errors told apart by code.

``ignore_conflicts`` would spare this table, but on MariaDB it is ``INSERT IGNORE``, which hides a
missing foreign row as well as a duplicate.
"""

from __future__ import annotations

from typing import Literal

from django.db import Error, IntegrityError

Reason = Literal["duplicate", "missing"]

REASONS: dict[str, Reason] = {
    "23505": "duplicate",  # PostgreSQL unique_violation
    "23503": "missing",  # PostgreSQL foreign_key_violation
    "1062": "duplicate",  # MariaDB ER_DUP_ENTRY
    "1452": "missing",  # MariaDB ER_NO_REFERENCED_ROW_2
    "UNIQUE": "duplicate",  # SQLite says "UNIQUE constraint failed: ..."
    "FOREIGN": "missing",  # SQLite says "FOREIGN KEY constraint failed"
}


def reason(error: Error) -> Reason | None:
    """Return what ``error`` is about, or ``None`` if it is something else."""
    return REASONS.get(_code(error)) if isinstance(error, IntegrityError) else None


def _code(error: IntegrityError) -> str:
    cause = error.__cause__
    sqlstate = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if sqlstate:
        return str(sqlstate)
    first = error.args[0] if error.args else ""
    return str(first).partition(" ")[0]
