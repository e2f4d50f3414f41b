"""The one seam to Celery.

A task is never the only memory of anything: the intent lies in a row and ``sweep_intents`` finds
it. So a message that cannot be sent is a matter of seconds, not of loss, and enqueuing may fail
fast and quietly. It never raises and never waits: a thread of this process does the sending, and
after a failure it does not knock again for ``REST`` seconds.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from functools import partial

from celery import current_app
from django.db import transaction

logger = logging.getLogger("django_tavus.enqueue")

PATIENCE = 0.5  # seconds in which a process that ends may still send what waits
REST = 5.0  # seconds
MOST_WAITING = 1000  # messages; more are waiting only while the broker says nothing
PREFIX = "django_tavus."

Message = tuple[str, tuple[object, ...]]


def enqueue(task: str, *args: object) -> None:
    """Send ``django_tavus.<task>`` with ``args`` (JSON values, ids only) after commit."""
    transaction.on_commit(partial(_send, PREFIX + task, args), robust=True)


class Publisher:
    """A thread that talks to the broker, so that nobody else has to wait for it.

    Time-outs of the broker's client would not do: with Redis they must be longer than a worker's
    blocking read, which is longer than a web request may take.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.resting_until = 0.0
        self.waiting: queue.Queue[Message] = queue.Queue(MOST_WAITING)
        threading.Thread(target=self._work, name="django_tavus.enqueue", daemon=True).start()
        atexit.register(self.flush, PATIENCE)

    def publish(self, message: Message) -> None:
        """Hand over one message; it is dropped where the broker is away, for the sweep to find."""
        if time.monotonic() < self.resting_until:
            return
        try:
            self.waiting.put_nowait(message)
        except queue.Full:  # the broker takes connections and says nothing
            self._rest(message, TimeoutError())

    def flush(self, seconds: float) -> bool:
        """Wait until everything handed over is sent or dropped, but no longer than ``seconds``."""
        if self.pid != os.getpid():  # a fork's copy: its thread stayed with the parent
            return False
        deadline = time.monotonic() + seconds
        while self.waiting.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.001)
        return not self.waiting.unfinished_tasks

    def _work(self) -> None:
        while True:
            message = self.waiting.get()
            # What was handed over before the broker turned out to be away is the sweep's now.
            if time.monotonic() >= self.resting_until:
                self._try(message)
            self.waiting.task_done()

    def _try(self, message: Message) -> None:
        try:
            _publish(*message)
        except Exception as error:  # noqa: BLE001 - whatever the broker's client raises
            self._rest(message, error)

    def _rest(self, message: Message, error: Exception) -> None:
        self.resting_until = time.monotonic() + REST
        logger.warning(
            "The broker did not take %s (%s); the sweep will find it.",
            message[0],
            type(error).__name__,
        )


class _Process:
    """The publisher of this process; threads do not survive a fork."""

    publisher: Publisher | None = None
    lock = threading.Lock()


def _publisher() -> Publisher:
    publisher = _Process.publisher
    if publisher is None or publisher.pid != os.getpid():
        with _Process.lock:
            publisher = _Process.publisher
            if publisher is None or publisher.pid != os.getpid():
                publisher = _Process.publisher = Publisher()
    return publisher


def _send(name: str, args: tuple[object, ...]) -> None:
    if current_app.conf.task_always_eager:
        _publish(name, args)  # the task runs here, with this thread's database connection
    else:
        _publisher().publish((name, args))


def _publish(name: str, args: tuple[object, ...]) -> None:
    """Publish without Celery's own retries, which would go on for many seconds.

    A registered task is called through ``apply_async`` so that its options count; a web process
    that has not loaded the tasks sends by name.
    """
    task = current_app.tasks.get(name)
    if task is None:
        current_app.send_task(name, args=args, retry=False, ignore_result=True)
    else:
        task.apply_async(args=args, retry=False)
