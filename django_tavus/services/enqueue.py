"""The one seam to Celery.

A task is never the only memory of anything: the intent lies in a row and ``sweep_intents`` finds
it. So a message that cannot be sent is a matter of seconds, not of loss, and enqueuing may fail
fast and quietly: it never raises, and after a failure this process does not knock again for
``REST_SECONDS``, so that requests stay quick while the broker is away.
"""

from __future__ import annotations

import logging
import time
from functools import partial

from celery import current_app
from django.db import transaction

logger = logging.getLogger("django_tavus.enqueue")

REST_SECONDS = 5.0
PREFIX = "django_tavus."


class _Rest:
    """Until when this process leaves the broker alone (monotonic seconds)."""

    until = 0.0


def enqueue(task: str, *args: object) -> None:
    """Send ``django_tavus.<task>`` with ``args`` (JSON values, ids only) after commit."""
    transaction.on_commit(partial(_send, task, args), robust=True)


def _send(task: str, args: tuple[object, ...]) -> None:
    if time.monotonic() < _Rest.until:
        return
    try:
        _publish(PREFIX + task, args)
    except Exception as error:  # noqa: BLE001 - whatever the broker's library raises, the sweep recovers
        _Rest.until = time.monotonic() + REST_SECONDS
        logger.warning(
            "The broker did not take %s%s (%s); the sweep will find it.",
            PREFIX,
            task,
            type(error).__name__,
        )


def _publish(name: str, args: tuple[object, ...]) -> None:
    """Publish without Celery's own retries, which would hold the request for many seconds.

    A registered task is called through ``apply_async`` so that its options and the host's
    ``task_always_eager`` count; a web process that has not loaded the tasks sends by name.
    """
    task = current_app.tasks.get(name)
    if task is None:
        current_app.send_task(name, args=args, retry=False, ignore_result=True)
    else:
        task.apply_async(args=args, retry=False)
