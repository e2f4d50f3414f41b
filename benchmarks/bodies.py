"""Callbacks as Tavus sends them, none like another."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django_tavus.models import Conversation

SIZE = 1500
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = [
    "so",
    "the",
    "first",
    "thing",
    "I",
    "would",
    "like",
    "to",
    "know",
    "is",
    "how",
    "your",
    "team",
    "plans",
    "a",
    "release",
    "and",
    "who",
    "decides",
    "what",
    "goes",
    "into",
    "it",
    "because",
    "in",
    "my",
    "last",
    "project",
    "we",
    "never",
    "had",
    "one",
    "place",
    "where",
    "that",
    "was",
    "written",
]

_numbers = itertools.count()
_dice = random.Random(5)


def _timestamp() -> str:
    """A new second for each event: seconds tell events of one type apart."""
    return (BEGAN + timedelta(seconds=next(_numbers))).isoformat().replace("+00:00", "Z")


def envelope(
    conversation: Conversation, event_type: str, properties: dict[str, Any]
) -> dict[str, Any]:
    """Return an event about ``conversation``."""
    return {
        "properties": properties,
        "conversation_id": conversation.tavus_id,
        "webhook_url": f"https://site.example/tavus/callbacks/conversation.{conversation.pk.hex}/",
        "event_type": event_type,
        "message_type": event_type.partition(".")[0],
        "timestamp": _timestamp(),
    }


def said(words: int) -> str:
    """Return a sentence."""
    return " ".join(_dice.choices(WORDS, k=words))


def transcript(turns: int, words: int = 18) -> dict[str, Any]:
    """Return the properties of a transcript; the persona's prompt stands first."""
    roles = itertools.cycle(("assistant", "user"))
    spoken = [{"role": next(roles), "content": said(words)} for _ in range(turns)]
    return {
        "replica_id": "r79e1c033f",
        "transcript": [{"role": "system", "content": said(words * 2)}, *spoken],
    }


def tool_call() -> dict[str, Any]:
    """Return the properties of a perception tool call."""
    return {
        "name": "notice_document",
        "arguments": {"kind": said(2), "confidence": _dice.random(), "number": next(_numbers)},
        "frames": [{"url": f"https://cdn.example/frame-{next(_numbers)}.jpg"}],
    }


def filled(body: dict[str, Any]) -> bytes:
    """Return ``body`` as JSON, padded with speech to ``SIZE`` bytes."""
    properties = body["properties"]
    missing = SIZE - len(json.dumps(body)) - len(', "analysis": ""')
    properties["analysis"] = said(400)[: max(0, missing)]
    return json.dumps(body).encode()


def callbacks(conversation: Conversation) -> Iterator[bytes]:
    """Yield callbacks of ``SIZE`` bytes, of several types."""
    while True:
        kinds = (
            ("application.transcription_ready", transcript(6)),
            ("application.perception_analysis", {}),
            ("application.perception_tool_call", tool_call()),
        )
        for event_type, properties in kinds:
            yield filled(envelope(conversation, event_type, properties))


def whole_call(conversation: Conversation) -> list[dict[str, Any]]:
    """Return the events of one conversation in the order in which they come."""
    events: list[tuple[str, dict[str, Any]]] = [
        ("system.replica_joined", {"replica_id": "r79e1c033f"}),
        ("application.perception_tool_call", tool_call()),
        ("application.perception_tool_call", tool_call()),
        ("system.shutdown", {"replica_id": "r79e1c033f", "shutdown_reason": "participant left"}),
        ("application.transcription_ready", transcript(12)),
        ("application.perception_analysis", {"analysis": said(120)}),
        ("application.recording_ready", {"s3_key": f"tavus/{next(_numbers)}", "duration": 30}),
    ]
    return [envelope(conversation, event_type, properties) for event_type, properties in events]
