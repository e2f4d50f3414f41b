"""Transcripts, as Tavus sends them, to the turns that somebody spoke."""

from __future__ import annotations

from typing import Any

from django_tavus.models.choices import UtteranceRole
from django_tavus.services import mapping
from django_tavus.services.moments import moment

# Webhooks say "assistant", messages in the room "replica" or "pal". The first "system" entry is
# the persona's prompt, later ones are what Tavus saw on camera: neither was said by anyone.
ROLES = {
    "user": UtteranceRole.USER,
    "assistant": UtteranceRole.REPLICA,
    "replica": UtteranceRole.REPLICA,
    "pal": UtteranceRole.REPLICA,
    "tool": UtteranceRole.TOOL,
}


def transcript_turns(transcript: object) -> list[dict[str, Any]]:
    """Return the spoken turns of a transcript as columns of ``Utterance``."""
    if not isinstance(transcript, list):
        return []
    return [
        {
            "role": ROLES[entry["role"]],
            "content": spoken_text(entry.get("content")),
            "spoken_at": moment(entry.get("timestamp")),
            "seconds_from_start": number(entry.get("seconds_from_start")),
            "duration": number(entry.get("duration")),
        }
        for entry in transcript
        if isinstance(entry, dict) and isinstance(entry.get("role"), str) and entry["role"] in ROLES
    ]


def spoken_text(content: object) -> str:
    """Return the text of a turn, which may be null or a list of parts."""
    if isinstance(content, str):
        return mapping.clean_text(content)
    if isinstance(content, list):
        return " ".join(filter(None, map(spoken_text, content)))
    if isinstance(content, dict):
        return spoken_text(content.get("text"))
    return ""


def number(value: object) -> float | None:
    """Return ``value`` as a column of numbers can hold it; ``None`` if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # JSON has integers of any length
        return None
