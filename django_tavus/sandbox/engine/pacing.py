"""How long things take, in seconds of the sandbox's clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pacing:
    """Delays of everything that Tavus does by itself."""

    replica_joins: float
    """From the creation of a conversation to the replica being in its room."""
    transcript: float
    """From the end of a call to its transcript."""
    recording: float
    """From the end of a call to its recording being in the bucket."""
    perception: float
    """From the end of a call to its perception analysis."""
    document_starts: float
    """From the creation of a document to ``processing``."""
    document_ready: float
    """From ``processing`` (or ``recrawling``) to ``ready`` or ``error``."""
    training: float
    """From the creation of a replica to the end of its training."""
    video_starts: float
    """From the creation of a video to ``generating``."""
    video_ready: float
    """From ``generating`` to ``ready`` or ``error``."""


PACES: dict[str, Pacing] = {
    # Short enough that a whole play fits into the patience of a person at a terminal.
    "quick": Pacing(
        replica_joins=0.5,
        transcript=1.0,
        recording=1.5,
        perception=2.0,
        document_starts=0.5,
        document_ready=1.5,
        training=10.0,
        video_starts=0.5,
        video_ready=3.0,
    ),
    # What the docs and integrators report: perception about three minutes after the shutdown,
    # documents within five minutes, training three to four hours.
    "realistic": Pacing(
        replica_joins=4.0,
        transcript=15.0,
        recording=120.0,
        perception=180.0,
        document_starts=5.0,
        document_ready=120.0,
        training=4 * 3600.0,
        video_starts=10.0,
        video_ready=300.0,
    ),
}
"""The paces by name; ``quick`` is the default."""
