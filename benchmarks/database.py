"""A database of the run's own, made and dropped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


@contextmanager
def fresh_database() -> Iterator[str]:
    """Make an empty database; drop it afterwards, whoever is still connected."""
    name = f"tavus_benchmark_{os.getpid()}"
    with _server() as server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield name
    finally:
        with _server() as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _server() -> psycopg.Connection:
    return psycopg.connect(
        host=os.environ.get("POSTGRES_HOST", "127.0.0.1"),
        port=os.environ.get("POSTGRES_PORT", "5432"),
        user=os.environ.get("POSTGRES_USER", "postgres"),
        password=os.environ.get("POSTGRES_PASSWORD", ""),
        dbname="postgres",
        autocommit=True,
    )
