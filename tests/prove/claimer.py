"""A process that takes slots as fast as it can, for as long as launches wait.

``python -m tests.prove.claimer <launches> <seed>`` writes one line of JSON: how many it ``claimed``
and the ``most`` slots that were ever held when it had taken one.
"""

from __future__ import annotations

import json
import random
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import django
from django.db import connection
from django.utils import timezone

django.setup()

from django_tavus.models import Conversation  # noqa: E402 - models are there after setup() only
from django_tavus.services import capacity  # noqa: E402
from tests.prove.processes import READY  # noqa: E402

LOOK_AHEAD = 6  # waiting launches that are tried: more than there are slots
STILL = 0.004  # seconds, at most, that it stands still after a statement


class Claimer:
    """Claims and keeps what it gets; gives one back where there is no slot left."""

    def __init__(self, launches: int, chance: random.Random) -> None:
        self.launches, self.chance = launches, chance
        self.held: list[uuid.UUID] = []
        self.claimed = self.most = 0

    def run(self) -> None:
        """Claim until every launch is over."""
        while Conversation.objects.over().count() < self.launches:
            pks = list(Conversation.objects.queue().values_list("pk", flat=True)[:LOOK_AHEAD])
            self.chance.shuffle(pks)
            if not any(self.claim(pk) for pk in pks):
                self.give_back()

    def claim(self, pk: uuid.UUID) -> bool:
        """Try to take a slot; if it succeeds, look how many are held."""
        with connection.execute_wrapper(self.stand_still):
            taken = capacity.claim(pk, timezone.now())
        if taken:
            self.claimed += 1
            self.held.append(pk)
            self.most = max(self.most, Conversation.objects.holding_slot().count())
        return taken

    def give_back(self) -> None:
        """Free the slot that it has held longest."""
        if self.held:
            pk = self.held.pop(0)
            Conversation.objects.filter(pk=pk).update(status="ended", ended_at=timezone.now())

    def stand_still(self, execute: Callable[..., Any], *args: Any) -> Any:
        """Let the others in between what was read and what is written."""
        result = execute(*args)
        time.sleep(self.chance.uniform(0, STILL))
        return result


def main() -> None:
    launches, seed = int(sys.argv[1]), sys.argv[2]
    print(READY, flush=True)
    while not Conversation.objects.exists():  # all begin with the first launch
        time.sleep(0.005)
    claimer = Claimer(launches, random.Random(seed))
    claimer.run()
    print(json.dumps({"claimed": claimer.claimed, "most": claimer.most}), flush=True)


if __name__ == "__main__":
    main()
