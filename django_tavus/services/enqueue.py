"""The one seam to Celery.

A task is never the only memory of anything: the intent lies in a row and ``sweep_intents`` finds
it. So a message that cannot be sent is a matter of seconds, not of loss, and enqueuing may fail
fast and quietly. It never raises. Over a connection that stands, whoever enqueues sends; a thread
of this process makes that connection and does all the rest, so that nobody waits for a broker
that is away, and after a failure it does not knock again for ``REST`` seconds.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from contextlib import suppress
from typing import Any

from celery import current_app
from django.db import transaction

logger = logging.getLogger("django_tavus.enqueue")

PATIENCE = 0.5  # seconds that a broker may take, and that a process may that ends
REST = 5.0  # seconds
MOST_WAITING = 1000  # messages; more are waiting only while the broker says nothing
PREFIX = "django_tavus."
TASKS = PREFIX + "tasks"  # the module: a lookup by name, as the messages are

# What bounds a publish over a connection that stands, by the driver of Celery's transport. A
# driver that is not listed knows no such option (SQS, Kafka, …): there the thread does it all.
TIME_OUTS: dict[str, dict[str, float]] = {
    "redis": {"socket_timeout": PATIENCE},
    "amqp": {"read_timeout": PATIENCE, "write_timeout": PATIENCE},
    "filesystem": {},
}

Message = tuple[str, tuple[object, ...]]


def enqueue(task: str, *args: object) -> None:
    """Send ``django_tavus.<task>`` with ``args`` (JSON values, ids only) after commit."""
    publisher = _Process.publisher
    if publisher is not None and publisher.is_resting and not _is_eager():
        return
    # Not a partial: Django (5.2) logs the name of what failed here, which a partial has not.
    transaction.on_commit(lambda: _send(PREFIX + task, args), robust=True)


class Publisher:
    """The messages of one process: sent at once where that is sure to be quick, else by a thread.

    Time-outs alone would not do. They do not bound looking up a name or TLS, and those of the
    host's own connections must be longer than a worker's blocking read, which is longer than a
    web request may take: so the connection is the publisher's own.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.resting_until = 0.0
        self.waiting: queue.Queue[Message] = queue.Queue(MOST_WAITING)
        self.producer: Any = None
        self.is_quick = False
        """Whether the producer's connection stands, and cannot hold anybody up for long."""
        self.sending = threading.Lock()  # a connection is for one thread at a time
        threading.Thread(target=self._work, name="django_tavus.enqueue", daemon=True).start()
        atexit.register(self.flush, PATIENCE)

    @property
    def is_resting(self) -> bool:
        """Whether the broker was away a moment ago."""
        return time.monotonic() < self.resting_until

    def publish(self, message: Message) -> None:
        """Send one message, or have it sent; while the broker rests it is the sweep's."""
        if self.is_resting or self._send_at_once(message):
            return
        try:
            self.waiting.put_nowait(message)
        except queue.Full:  # the broker takes connections and says nothing
            self._rest(message, TimeoutError())

    def flush(self, seconds: float) -> bool:
        """Wait until everything handed over is sent or dropped, but no longer than ``seconds``."""
        if self.pid != os.getpid():  # a fork's copy: its thread stayed with the parent
            return False
        deadline = time.monotonic() + seconds  # Queue.join() knows none
        while self.waiting.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.001)
        return not self.waiting.unfinished_tasks

    def _send_at_once(self, message: Message) -> bool:
        """Send over the connection that stands; whether that was done."""
        if not self.sending.acquire(blocking=False):
            return False
        try:
            if not self.is_quick:  # asked under the lock: who held it may have hung up
                return False
            _publish(*message, producer=self.producer)
        except Exception as error:  # noqa: BLE001 - whatever the broker's client raises
            # An idle connection that the broker has closed is no broker that is away: the thread
            # finds out which.
            logger.info("The connection to the broker is made anew (%s).", type(error).__name__)
            self._hang_up()
            return False
        finally:
            self.sending.release()
        return True

    def _work(self) -> None:
        while True:
            message = self.waiting.get()
            # What was handed over before the broker turned out to be away is the sweep's now.
            if not self.is_resting:
                self._try(message)
            self.waiting.task_done()

    def _try(self, message: Message) -> None:
        with self.sending:
            try:
                self.producer = self.producer or _connect()
                _publish(*message, producer=self.producer)
                self.is_quick = self.producer.connection.transport.driver_type in TIME_OUTS
            except Exception as error:  # noqa: BLE001 - whatever the broker's client raises
                self._hang_up()
                self._rest(message, error)

    def _hang_up(self) -> None:
        producer, self.producer, self.is_quick = self.producer, None, False
        if producer is not None:
            with suppress(Exception):  # it is broken already, in whatever way
                producer.connection.collect(PATIENCE)

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
    if _is_eager():
        _run(name, args)
    else:
        _publisher().publish((name, args))


def _is_eager() -> bool:
    return bool(current_app.conf.task_always_eager)


def _run(name: str, args: tuple[object, ...]) -> None:
    """Run a task here and now, with this thread's database connection.

    Only a worker loads the tasks by itself. What Celery has not loaded goes to a broker even
    where tasks are eager.
    """
    try:
        if name not in current_app.tasks:
            current_app.loader.import_task_module(TASKS)
        _publish(name, args)
    except Exception:  # the caller's transaction is done, and must not look as if it had failed
        logger.exception("%s failed", name)


def _connect() -> Any:
    """Return a producer over a connection of its own, which is made when it first sends."""
    connection = current_app.connection_for_write()
    connection.transport_options = {
        **(connection.transport_options or {}),
        "max_retries": len(connection.alt),  # every host has been asked: then it is away
        **TIME_OUTS.get(connection.transport.driver_type, {}),
    }
    return current_app.amqp.Producer(connection, auto_declare=False)


def _publish(name: str, args: tuple[object, ...], producer: Any = None) -> None:
    """Publish without Celery's own retries, which would go on for many seconds.

    A registered task is called through ``apply_async`` so that its options count; a web process
    that has not loaded the tasks sends by name.
    """
    options = {
        "args": args,
        "argsrepr": repr(args),  # Celery's own is made for values of any size, and slow
        "kwargsrepr": "{}",
        "producer": producer,
        "retry": False,
    }
    task = current_app.tasks.get(name)
    if task is None:
        current_app.send_task(name, ignore_result=True, **options)
    else:
        task.apply_async(**options)
