"""Stock voices: read-only."""

from __future__ import annotations

from typing import Any

VOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    # name -> replica that speaks with it, tags
    "anna": ("r90bbd427f71", ("english", "warm")),
    "benjamin": ("rf4e9d9790f0", ("english", "calm")),
    "carla": ("r4067604db72", ("spanish", "bright")),
    "daniel": ("r79e1c033f", ("english", "deep")),
    "elise": ("r90bbd427f71", ("french", "soft")),
    "felix": ("rf4e9d9790f0", ("german", "bright")),
    "gloria": ("r4067604db72", ("english", "energetic")),
    "hugo": ("r79e1c033f", ("english", "narrator")),
    "ines": ("r90bbd427f71", ("portuguese", "warm")),
    "jonas": ("rf4e9d9790f0", ("german", "calm")),
    "keiko": ("r4067604db72", ("japanese", "soft")),
    "liam": ("r79e1c033f", ("english", "warm")),
}
"""More than one page of them."""


def select_voices(*, search: str | None, tag: str | None, descending: bool) -> list[dict[str, Any]]:
    """The filters of the list, sorted by name."""
    names = sorted(VOICES, reverse=descending)
    return [
        _row(name)
        for name in names
        if (search or "").lower() in name and (not tag or tag in VOICES[name][1])
    ]


def _row(name: str) -> dict[str, Any]:
    replica_id, tags = VOICES[name]
    # The voice item keeps the old name of the id in both vocabularies (Tavus docs).
    return {
        "voice_name": name,
        "replica_id": replica_id,
        "audio_url": None,
        "tags": [{"tag_name": tag} for tag in tags],
    }
