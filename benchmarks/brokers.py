"""The Redis database of this run."""

from __future__ import annotations

import os

import redis

DATABASE = 11
QUEUE = "celery"
REDIS = os.environ.get("BENCHMARK_REDIS_URL") or (
    os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0").rpartition("/")[0] + f"/{DATABASE}"
)


def drain() -> int:
    """Forget the messages that wait for a worker; return how many there were.

    Nothing else is forgotten: Celery's client takes it for granted that its bindings stay.
    """
    with redis.Redis.from_url(REDIS) as client:
        number = int(client.llen(QUEUE))
        client.delete(QUEUE)
        return number


def purge() -> None:
    """Forget everything, before and after a run."""
    with redis.Redis.from_url(REDIS) as client:
        client.flushdb()
