"""The one seam to Celery.

A task is never the only memory of anything: the intent lies in a row and ``sweep_intents`` finds
it. So a message that cannot be sent is a matter of seconds, not of loss, and enqueuing may fail
fast and quietly. It never raises, waits at most ``PATIENCE`` seconds even for a broker that
accepts connections and then says nothing, and after a failure this process does not knock again
for ``REST`` seconds: requests stay quick while the broker is away. Celery's client may go on
knocking by itself, for as long as the broker is away; meanwhile a ``GLANCE`` is enough.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from functools import partial

from celery import current_app
from django.db import transaction

logger = logging.getLogger("django_tavus.enqueue")

PATIENCE = 0.5
GLANCE = 0.05
REST = 5.0
PREFIX = "django_tavus."

Message = tuple[str, tuple[object, ...]]
Outcome = queue.SimpleQueue[Exception | None]


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
        self.handed_over: queue.SimpleQueue[tuple[Message, Outcome]] = queue.SimpleQueue()
        self.given_up: Outcome | None = None
        threading.Thread(target=self._work, name="django_tavus.enqueue", daemon=True).start()

    def publish(self, message: Message) -> None:
        """Hand over one message and wait until it is sent, but not for long."""
        if time.monotonic() < self.resting_until:
            return
        if self._is_stuck():
            self._rest(message, TimeoutError())
            return
        answer: Outcome = queue.SimpleQueue()
        self.handed_over.put((message, answer))
        try:
            error = answer.get(timeout=PATIENCE)
        except queue.Empty:
            error = TimeoutError()
            self.given_up = answer
        if error is not None:
            self._rest(message, error)

    def _is_stuck(self) -> bool:
        """Whether the thread still tries to send what somebody has given up waiting for."""
        given_up = self.given_up
        if given_up is None:
            return False
        try:
            given_up.put(given_up.get(timeout=GLANCE))  # back: other threads ask too
        except queue.Empty:
            return True
        self.given_up = None
        return False

    def _work(self) -> None:
        while True:
            message, answer = self.handed_over.get()
            if time.monotonic() < self.resting_until:
                # Handed over before the broker turned out to be away; the sweep has it.
                answer.put(None)
                continue
            try:
                _publish(*message)
            except Exception as error:  # noqa: BLE001 - whatever the broker's client raises
                answer.put(error)
            else:
                answer.put(None)

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
