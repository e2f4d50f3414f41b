"""The periodic tasks, for the host's Celery beat.

``app.conf.beat_schedule = {**BEAT_SCHEDULE, ...}``. Every entry may run at any time, and twice at
once. Times are in seconds.
"""

from __future__ import annotations

from typing import Any

_SECONDS = {
    "sweep_intents": 10,
    "start_queued": 5,
    "reconcile_conversations": 30,
    "poll_objects": 60,
    "prune_expired": 86400,
}

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    f"django_tavus.{name}": {
        "task": f"django_tavus.{name}",
        "schedule": float(seconds),
        # A worker that was away must not find an hour of sweeps waiting for it.
        "options": {"expires": max(60.0, float(seconds))},
    }
    for name, seconds in _SECONDS.items()
}
