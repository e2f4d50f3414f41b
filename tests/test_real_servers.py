"""A launch and its callbacks, carried by real servers: the play of ``make run`` on each pair."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = os.environ.get("POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432")
MARIADB = os.environ.get("MARIADB_URL", "mysql://root@127.0.0.1:3306")
REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9")
RABBITMQ = os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def database(request):
    """A new database on the server at ``request.param``, dropped afterwards."""
    name = f"tavus_{uuid.uuid4().hex[:12]}"
    run_sql(request.param, f"CREATE DATABASE {name}")
    yield f"{request.param}/{name}"
    run_sql(request.param, f"DROP DATABASE {name}")


def run_sql(url: str, statement: str) -> None:
    if url.startswith("postgres"):
        import psycopg

        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute(statement)
    else:
        from urllib.parse import urlsplit

        import MySQLdb

        parts = urlsplit(url)
        connection = MySQLdb.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
        )
        connection.cursor().execute(statement)
        connection.close()


@pytest.mark.parametrize(
    ("database", "broker"),
    [(POSTGRES, REDIS), (POSTGRES, RABBITMQ), (MARIADB, REDIS)],
    indirect=["database"],
    ids=["postgresql-redis", "postgresql-rabbitmq", "mariadb-redis"],
)
def test_a_conversation_end_to_end(database, broker):
    environ = {
        **os.environ,
        "ONCE": "1",
        "PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "DATABASE_URL": database,
        "CELERY_BROKER_URL": broker,
    }
    run = subprocess.run(
        [sys.executable, "example_project/run.py"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    print(run.stdout)
    assert run.returncode == 0, run.stderr
    assert "application.transcription_ready" in run.stdout
    assert "perception:" in run.stdout
