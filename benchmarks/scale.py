"""Sizes: ``SCALE=small`` (default) or ``SCALE=full``."""

from __future__ import annotations

import os
from dataclasses import dataclass

NAME = os.environ.get("SCALE", "small")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much of everything one run does."""

    repetitions: int
    callbacks: int
    """Callbacks of one repetition, for each contender."""
    conversations: int
    """Conversations whose events one repetition processes, for each contender."""
    batches: int
    launches: int
    """Launches of one batch."""
    memory: int
    """Callbacks through one process."""


SIZES = {
    "small": Sizes(
        repetitions=25, callbacks=100, conversations=5, batches=9, launches=100, memory=10_000
    ),
    "full": Sizes(
        repetitions=45, callbacks=500, conversations=30, batches=15, launches=400, memory=100_000
    ),
}
CURRENT = SIZES[NAME]
