"""Time, chance and the post: what every resource of the engine leans on, and nothing else."""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django_tavus.sandbox.engine.pacing import Pacing

FOREVER = 100 * 365 * 86400.0
"""Seconds beyond which nothing is waited for: dates end, and numbers that callers send do not."""

SHUFFLE_WINDOW = 2.0
"""Seconds by which a shuffled callback may be late: enough to overtake its neighbors."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One POST that Tavus owes somebody."""

    url: str = field(repr=False)  # its path holds the receiver's secret
    body: dict[str, Any]

    @property
    def content(self) -> bytes:
        """The body as it goes over the wire."""
        return json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What may happen to callbacks on their way; probabilities from 0 to 1."""

    drop: float = 0.0
    duplicate: float = 0.0
    shuffle: bool = False


class World:
    """A clock that can be moved, seeded chance, things to be done later, and an outbox.

    Nothing here sleeps or starts threads: time passes because the injected ``clock`` (a callable
    returning an aware datetime) does, or because `advance` moves it.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        pacing: Pacing,
        delivery: Delivery,
        seed: int | None,
    ) -> None:
        self.pacing = pacing
        self.delivery = delivery
        self._clock = clock
        self._seed = seed
        self.clear()

    def clear(self) -> None:
        """Back to the first moment: the clock is the injected one, ids start again."""
        self._offset = timedelta()
        self._moment: datetime | None = None
        self._sequence = itertools.count()
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._outbox: list[tuple[datetime, int, Callback]] = []
        # Two streams, so that dropping callbacks does not change which ids are given.
        self._ids = random.Random(self._seed)  # noqa: S311 - ids of a toy account
        self.chance = random.Random(self._seed)  # noqa: S311

    def now(self) -> datetime:
        """The time by the sandbox's clock; within an event the time it was due."""
        return self._moment or self._clock() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        if seconds < 0:
            raise ValueError("The clock of the sandbox only moves forward.")
        self._offset += timedelta(seconds=seconds)

    def new_id(self, prefix: str, digits: int) -> str:
        """An id in the style of Tavus: a letter and hexadecimal digits."""
        return prefix + "".join(self._ids.choices("0123456789abcdef", k=digits))

    def after(self, delay: float, action: Callable[[], None]) -> None:
        """Do ``action`` in ``delay`` seconds."""
        self.at(self.later(delay), action)

    def later(self, delay: float) -> datetime:
        """The time in ``delay`` seconds."""
        return self.now() + timedelta(seconds=min(delay, FOREVER))

    def at(self, due: datetime, action: Callable[[], None]) -> None:
        """Do ``action`` at ``due``."""
        heapq.heappush(self._agenda, (due, next(self._sequence), action))

    def post(self, url: str, body: dict[str, Any]) -> None:
        """Owe ``body`` to ``url`` from now on."""
        if not url:
            return
        late = self.chance.uniform(0, SHUFFLE_WINDOW) if self.delivery.shuffle else 0.0
        due = self.now() + timedelta(seconds=late)
        heapq.heappush(self._outbox, (due, next(self._sequence), Callback(url, body)))

    def tick(self) -> None:
        """Do everything that is due, in the order in which it fell due."""
        now = self.now()
        while self._agenda and self._agenda[0][0] <= now:
            self._moment, _, action = heapq.heappop(self._agenda)
            try:
                action()
            finally:
                self._moment = None

    def collect(self) -> list[Callback]:
        """Take the callbacks that are due out of the box, with the mishaps of the post applied."""
        now, due = self.now(), []
        while self._outbox and self._outbox[0][0] <= now:
            due.append(heapq.heappop(self._outbox)[2])
        arriving = [copy for callback in due for copy in self._copies(callback)]
        if self.delivery.shuffle:
            self.chance.shuffle(arriving)
        return arriving

    def _copies(self, callback: Callback) -> list[Callback]:
        if self.chance.random() < self.delivery.drop:
            return []
        return [callback] * (2 if self.chance.random() < self.delivery.duplicate else 1)
