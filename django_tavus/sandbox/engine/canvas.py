"""Magic Canvas: what a person does with a card that the replica shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django_tavus.sandbox.engine.calls import Calls
from django_tavus.sandbox.engine.conversations import Conversation
from django_tavus.sandbox.engine.refusals import Refusal
from django_tavus.sandbox.engine.world import World

POSTS_A_MINUTE = 120
WINDOW = timedelta(seconds=60)


class Canvas:
    """Interactions of a conversation, oldest first; posting needs no key, only a running call."""

    def __init__(self, world: World, calls: Calls) -> None:
        self.world = world
        self.calls = calls

    def submit(self, call: Conversation, fields: dict[str, Any]) -> dict[str, Any]:
        """Store an interaction and tell about it, once for each ``interaction_id``."""
        known = call.canvas.get(fields["interaction_id"])
        if known is not None:
            return known
        if not call.is_active:
            raise Refusal(400, "Conversation is not active")
        self._check_rate(call)
        # Naive, without a zone, though everything else here has one (Tavus docs).
        created = self.world.now().strftime("%Y-%m-%dT%H:%M:%S.%f")
        properties = {"conversation_id": call.id, **fields, "created_at": created}
        call.canvas[fields["interaction_id"]] = properties
        self.calls.emit(call, "canvas.interaction", "canvas", properties)
        return properties

    def _check_rate(self, call: Conversation) -> None:
        since = self.world.now() - WINDOW
        recent = [e for e in call.events if e.message_type == "canvas" and e.happened_at > since]
        if len(recent) >= POSTS_A_MINUTE:
            raise Refusal(429, "Too many requests", headers={"Retry-After": "60"})
