"""Django settings of the processes that the proofs start: what differs comes in ``PROVE``."""

from __future__ import annotations

import json
import os
from typing import Any

from django_tavus.schedules import BEAT_SCHEDULE
from tests.settings import *  # noqa: F403 - settings on top of settings

_GIVEN: dict[str, Any] = json.loads(os.environ["PROVE"])

DATABASES = {"default": _GIVEN["database"]}
TAVUS = _GIVEN["tavus"]

CELERY_BROKER_URL = _GIVEN["broker_url"]
CELERY_BROKER_TRANSPORT_OPTIONS = _GIVEN["broker_options"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = _GIVEN["queue"]
CELERY_TASK_IGNORE_RESULT = True
# No mailboxes for commands to workers: nothing of a run stays on a shared broker.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# Celery lowers the prefetch count after a lost connection and raises it again bit by bit. With
# RabbitMQ, the threads pool and several losses in a row a worker then took no more messages, for
# as long as was watched (Celery 5.7; not without this, and not with prefork).
CELERY_WORKER_ENABLE_PREFETCH_COUNT_REDUCTION = False
CELERY_BEAT_SCHEDULE = {
    name: {**entry, "schedule": min(entry["schedule"], _GIVEN["beat_seconds"])}
    for name, entry in BEAT_SCHEDULE.items()
    if "prune" not in name
}
