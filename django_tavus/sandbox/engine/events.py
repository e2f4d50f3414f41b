"""The two forms of an event: as it is posted, and as a verbose GET repeats it."""

from __future__ import annotations

from typing import Any

from django_tavus.sandbox.engine import dates
from django_tavus.sandbox.engine.conversations import Conversation, Event


def envelope(conversation: Conversation, event: Event, url: str) -> dict[str, Any]:
    """The body of a callback; ``webhook_url`` echoes where it goes."""
    return {
        "properties": event.properties,
        "conversation_id": conversation.id,
        "webhook_url": url,
        "message_type": event.message_type,
        "event_type": event.event_type,
        "timestamp": dates.micros(event.happened_at),
    }


def stored(event: Event) -> dict[str, Any]:
    """An item of ``events``: whole seconds, and without the ids of the envelope."""
    return {
        "event_type": event.event_type,
        "message_type": event.message_type,
        "timestamp": dates.seconds(event.happened_at),
        "properties": _stored_properties(event),
    }


def _stored_properties(event: Event) -> dict[str, Any]:
    if event.event_type != "system.shutdown":
        return event.properties
    # A shutdown says shutdown_reason when posted and reason when read back (Tavus docs).
    renamed = dict(event.properties)
    renamed["reason"] = renamed.pop("shutdown_reason", None)
    return renamed
