"""From ``DATABASE_URL`` and ``CELERY_BROKER_URL`` to what Django and Celery want."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ENGINES = {
    "sqlite": "django.db.backends.sqlite3",
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
    "mysql": "django.db.backends.mysql",
    "mariadb": "django.db.backends.mysql",
}

# Site, worker and beat write to one file. In WAL mode readers do not wait for them; IMMEDIATE
# takes the write lock at the beginning of a transaction, where SQLite can still wait for it.
SQLITE_OPTIONS = {
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}

# Without these a web request hangs for as long as a lost Redis does.
REDIS_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 5, "health_check_interval": 30}


def database(url: str) -> dict[str, Any]:
    """Return a value of ``DATABASES``: ``scheme://user:password@host:port/name?option=value``.

    ``sqlite:///relative.db`` and ``sqlite:////absolute.db`` name a file.

    Raises:
        ValueError: an unknown scheme.
    """
    parts = urlsplit(url)
    if parts.scheme not in ENGINES:
        raise ValueError(f"DATABASE_URL begins with one of {', '.join(ENGINES)}.")
    engine, name = ENGINES[parts.scheme], unquote(parts.path[1:])
    if parts.scheme == "sqlite":
        return {"ENGINE": engine, "NAME": name, "OPTIONS": SQLITE_OPTIONS}
    options = dict(parse_qsl(parts.query))
    if engine.endswith("mysql"):
        options = {"charset": "utf8mb4", **options}
    return {
        "ENGINE": engine,
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "OPTIONS": options,
    }


def broker_options(url: str, folder: Path) -> dict[str, Any]:
    """Return ``broker_transport_options`` for a broker; the embedded one keeps to ``folder``."""
    match urlsplit(url).scheme:
        case "filesystem":
            return _filesystem(folder)
        case "redis" | "rediss":
            return REDIS_OPTIONS
        case _:
            return {}


def _filesystem(folder: Path) -> dict[str, Any]:
    places = {name: folder / name for name in ("messages", "processed", "control")}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(places["messages"]),
        "data_folder_out": str(places["messages"]),
        "processed_folder": str(places["processed"]),
        "control_folder": str(places["control"]),
        "polling_interval": 0.1,  # seconds; the default of 1 makes every step wait
    }
