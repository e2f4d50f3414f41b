"""The sizes of the proofs, in one place: ``SCALE=small`` (the default) or ``SCALE=full``."""

from __future__ import annotations

import os

SCALE = os.environ.get("SCALE", "small")

# proof -> scale -> what it needs to know; seconds where it is a time.
SIZES: dict[str, dict[str, dict[str, int]]] = {
    # What beat sends at least this often: at full size no more often than with a host.
    "beat": {
        "small": {"seconds": 2},
        "full": {"seconds": 10},
    },
    "kills": {
        "small": {"launches": 20, "kills": 4, "reconcile_after": 2, "patience": 120},
        "full": {"launches": 200, "kills": 25, "reconcile_after": 10, "patience": 300},
    },
    "capacity": {
        "small": {"launches": 15},
        "full": {"launches": 40},
    },
    "claims": {
        "small": {"launches": 40, "claimers": 4},
        "full": {"launches": 300, "claimers": 6},
    },
    "broker_outage": {
        "small": {"seconds": 4},
        "full": {"seconds": 20},
    },
    "database_outage": {
        "small": {"seconds": 2},
        "full": {"seconds": 5},
    },
    "doubts": {
        "small": {"launches": 2},
        "full": {"launches": 100},
    },
    "schedules": {
        "small": {"schedules": 60},
        "full": {"schedules": 1000},
    },
    "lost_callbacks": {
        "small": {"conversations": 60},
        "full": {"conversations": 200},
    },
    "fuzzing": {
        "small": {"examples": 5},
        "full": {"examples": 200},
    },
    "pruning": {
        "small": {"conversations": 2000, "posters": 2},
        "full": {"conversations": 100_000, "posters": 3},
    },
}


def sizes(proof: str) -> dict[str, int]:
    """The sizes of one proof at the scale that was asked for.

    Raises:
        KeyError: the proof is unknown, or ``SCALE`` is neither ``small`` nor ``full``.
    """
    return SIZES[proof][SCALE]
