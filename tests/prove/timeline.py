"""A site, its worker and Tavus in one process, with a clock that the test moves.

Nothing waits: time passes by ``Timeline.pass_time``, messages run when the test says so, and
callbacks lie in ``Timeline.mail`` until they are delivered, lost or repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import time_machine
from celery import current_app
from django.http import HttpResponseBase

from django_tavus.client import TavusError
from django_tavus.models import Conversation, Persona
from django_tavus.sandbox import Callback, Sandbox
from django_tavus.sandbox.engine.conversations import Conversation as Room
from django_tavus.services import reconciling, sweeping
from django_tavus.testing import make_persona, make_replica
from django_tavus.testing.callbacks import post

START = datetime(2026, 11, 1, 10, 0, 0, tzinfo=UTC)
PERSONA = "pcb7a34da5fe"
REPLICA = "r90bbd427f71"
OUR_SITE = "https://site.example/"


class Timeline:
    """What happens to a site, step by step. ``mail`` are callbacks that wait to be delivered."""

    def __init__(self, sandbox: Sandbox, worker: Any, clock: time_machine.Coordinates) -> None:
        self.sandbox = sandbox
        self.worker = worker
        self.clock = clock
        self.mail: list[Callback] = []
        self.before_task: Callable[[str, tuple[Any, ...]], None] = lambda name, args: None

    def make_persona(self) -> Persona:
        """A persona with a replica, here and at Tavus."""
        self.add_stock()
        replica = make_replica(tavus_id=REPLICA)
        return make_persona(tavus_id=PERSONA, persona_name="Coach", default_replica=replica)

    def add_stock(self) -> None:
        """What the account has at Tavus, anew after each reset."""
        self.sandbox.add_replica(replica_id=REPLICA, replica_name="Anna")
        self.sandbox.add_persona(
            persona_id=PERSONA,
            persona_name="Coach",
            system_prompt="Secret rutabaga.",
            default_replica_id=REPLICA,
        )

    def pass_time(self, seconds: float) -> None:
        """Move both clocks, and collect what Tavus posts meanwhile."""
        self.clock.shift(seconds)
        self.sandbox.tick()
        due = self.sandbox.due_callbacks()
        self.mail += [callback for callback in due if callback.url.startswith(OUR_SITE)]

    def deliver(self, callback: Callback) -> HttpResponseBase:
        """Post one callback to the real view."""
        return post(urlsplit(callback.url).path, callback.content)

    def deliver_all(self) -> None:
        """Post everything that waits."""
        while self.mail:
            assert self.deliver(self.mail.pop(0)).status_code == 200

    def run_message(self, index: int = 0) -> None:
        """Run one message as a worker would; that Tavus does not answer is no news to it."""
        name, args = self.worker.messages.pop(index)
        self.before_task(name, args)
        with suppress(TavusError):
            current_app.tasks[name](*args)

    def drain(self, limit: int = 5000) -> None:
        """Run all messages and those that they send."""
        for _ in range(limit):
            if not self.worker.messages:
                return
            self.run_message()
        raise AssertionError("endless: the messages never ran out")

    def beat(self) -> None:
        """One round of what the schedule runs."""
        sweeping.sweep()
        reconciling.reconcile()
        self.drain()

    # --- Tavus, looked at from above ----------------------------------------------------------

    def rooms(self) -> list[Room]:
        """Every room that was ever made."""
        return list(self.sandbox.engine.conversations.values())

    def rooms_of(self, conversation: Conversation) -> list[Room]:
        """The rooms that were made for one row, whether it knows them or not."""
        return [room for room in self.rooms() if made_for(room, conversation)]

    def creates(self) -> int:
        """How many creates reached Tavus, answered or not."""
        return sum(r.method == "POST" and r.path == "/v2/conversations" for r in self.requests)

    @property
    def requests(self) -> list[Any]:
        """The requests that reached Tavus."""
        return self.sandbox.requests


def made_for(room: Room, conversation: Conversation) -> bool:
    """Whether a room was asked for by a row: told by the context, with no help of the package."""
    return bool(room.request["conversational_context"] == conversation.conversational_context)


@contextmanager
def timeline(sandbox: Sandbox, worker: Any) -> Iterator[Timeline]:
    """Stop the clock at ``START`` and hand out the time that passes from there."""
    with time_machine.travel(START, tick=False) as clock:
        yield Timeline(sandbox, worker, clock)
