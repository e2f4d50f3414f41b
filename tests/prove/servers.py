"""Databases and brokers of a proof's own, on the servers of this machine.

Other users of the same servers are not met: every name is drawn anew and removed in the end.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import celery
import kombu
import MySQLdb
import psycopg
import redis
from django.db import connections

from tests.settings import DATABASE_CHOICES

ALIAS = "prove"
BROKER_URLS = {
    "redis": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
    "rabbitmq": os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
    "filesystem": "filesystem://",
}
DATABASES: dict[str, Any] = {**DATABASE_CHOICES}
PORTS = {"redis": 6379, "rabbitmq": 5672, "postgresql": 5432, "mariadb": 3306}
MAINTENANCE = {"postgresql": "postgres", "mariadb": "mysql"}


# --- databases --------------------------------------------------------------------------------


def _maintain(kind: str, statement: str) -> None:
    """Run a statement beside the database of a proof."""
    conf = DATABASES[kind]
    connect: Any = psycopg.connect if kind == "postgresql" else MySQLdb.connect
    options = {"autocommit": True, "host": conf["HOST"], "user": conf["USER"]}
    names = ("dbname", "password") if kind == "postgresql" else ("database", "password")
    given = dict(zip(names, (MAINTENANCE[kind], conf["PASSWORD"]), strict=True))
    with contextlib.closing(connect(**options, **given)) as connection:
        connection.cursor().execute(statement)


@contextlib.contextmanager
def fresh_database(kind: str) -> Iterator[dict[str, Any]]:
    """Make an empty database, and drop it in the end; gives its entry for ``DATABASES``."""
    name = f"tavus_prove_{uuid.uuid4().hex[:12]}"
    charset = "" if kind == "postgresql" else " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    force = " WITH (FORCE)" if kind == "postgresql" else ""
    conf = DATABASES[kind]
    _maintain(kind, f"CREATE DATABASE {name}{charset}")
    try:
        yield {**conf, "NAME": name, "PORT": PORTS[kind]}
    finally:
        _maintain(kind, f"DROP DATABASE {name}{force}")


@contextlib.contextmanager
def database_alias(conf: dict[str, Any]) -> Iterator[None]:
    """Let this process read the database of the proof, as ``using(ALIAS)``."""
    connections.settings[ALIAS] = connections.configure_settings({"default": dict(conf)})["default"]
    try:
        yield
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.settings[ALIAS]


# --- brokers ----------------------------------------------------------------------------------


@dataclass
class Broker:
    """Where the processes send their messages; ``queue`` is this proof's own."""

    kind: str
    url: str
    options: dict[str, Any]
    queue: str = field(default_factory=lambda: f"prove-{uuid.uuid4().hex[:12]}")

    def clean_up(self) -> None:
        """Leave nothing on a server that others use too."""
        if self.kind == "redis":
            with redis.Redis.from_url(BROKER_URLS["redis"]) as server:
                keys = [f"{part}{self.queue}" for part in OF_A_QUEUE]
                server.delete(*keys, *(f"{self.queue}-{name}" for name in UNACKED))
        elif self.kind == "rabbitmq":
            with kombu.Connection(BROKER_URLS["rabbitmq"]) as connection:
                channel: Any = connection.channel()
                channel.queue_delete(self.queue)
                channel.exchange_delete(self.queue)


# What kombu keeps in Redis for a queue, and for what its consumers have not acknowledged.
OF_A_QUEUE = ("", "_kombu.binding.", "_kombu.binding_permanent.")
UNACKED = ("unacked", "unacked_index", "unacked_mutex")


def make_broker(kind: str, folder: Path, port: int | None = None) -> Broker:
    """Describe a broker; with ``port`` it is reached through a proxy there."""
    url = urlsplit(BROKER_URLS[kind])
    if port is not None:
        who, at, _ = url.netloc.rpartition("@")
        url = url._replace(netloc=f"{who}{at}127.0.0.1:{port}")
    broker = Broker(kind, url.geturl() if url.netloc else BROKER_URLS[kind], {})
    if kind == "redis":
        own = {f"{name}_key": f"{broker.queue}-{name}" for name in UNACKED}
        broker.options = {"socket_timeout": 5, "socket_connect_timeout": 1, **own}
    elif kind == "filesystem":
        broker.options = {"polling_interval": 0.1, **_folders(folder)}
    return broker


def address(kind: str) -> tuple[str, int]:
    """Where the server of a kind listens."""
    if kind in DATABASES:
        return DATABASES[kind]["HOST"], PORTS[kind]
    url = urlsplit(BROKER_URLS[kind])
    return url.hostname or "127.0.0.1", url.port or PORTS[kind]


def _folders(folder: Path) -> dict[str, str]:
    places = {
        "data_folder_in": "messages",
        "data_folder_out": "messages",
        "processed_folder": "processed",
        "control_folder": "control",
    }
    for name in set(places.values()):
        (folder / "broker" / name).mkdir(parents=True, exist_ok=True)
    return {option: str(folder / "broker" / name) for option, name in places.items()}


@contextlib.contextmanager
def messenger(broker: Broker) -> Iterator[celery.Celery]:
    """Let this process send messages to the workers of a deployment."""
    app = celery.Celery("messenger", broker=broker.url, set_as_current=False)
    app.conf.broker_transport_options = broker.options
    app.conf.task_default_queue = broker.queue
    with app:
        yield app
