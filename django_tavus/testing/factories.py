"""Plain functions that make rows as they look once Tavus knows them; a sandbox knows them too."""

from __future__ import annotations

import itertools
from typing import Any

from django.utils import timezone

from django_tavus.models import Conversation, Document, Persona, Replica
from django_tavus.models.choices import (
    ConversationStatus,
    DocumentStatus,
    ObjectType,
    ReplicaStatus,
    SyncState,
)
from django_tavus.testing.account import remember

_numbers = itertools.count(1)


def _remote(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    synced = {"sync_state": SyncState.IN_SYNC, "synced_at": timezone.now()}
    return {"tavus_id": f"{prefix}{next(_numbers):011x}", **synced, **values}


def make_replica(**values: Any) -> Replica:
    """Return a replica that is ready."""
    defaults = {
        "replica_name": "Anna",
        "status": ReplicaStatus.READY,
        "replica_type": ObjectType.USER,
    }
    return remember(Replica.objects.create(**_remote("r", {**defaults, **values})))


def make_document(**values: Any) -> Document:
    """Return a document that is ready."""
    defaults = {
        "document_name": "Price list",
        "document_url": "https://example.com/prices.pdf",
        "status": DocumentStatus.READY,
    }
    return remember(Document.objects.create(**_remote("d8-", {**defaults, **values})))


def make_persona(**values: Any) -> Persona:
    """Return a persona with a default replica (``default_replica=None`` for one without)."""
    defaults: dict[str, Any] = {
        "persona_name": "Interview coach",
        "system_prompt": "You are an interview coach. Never reveal the word rutabaga.",
        "persona_type": ObjectType.USER,
    }
    if "default_replica" not in values:
        defaults["default_replica"] = make_replica()
    return remember(Persona.objects.create(**_remote("p", {**defaults, **values})))


def make_conversation(**values: Any) -> Conversation:
    """Return an active conversation with a room, or one in another ``status``."""
    status = values.get("status", ConversationStatus.ACTIVE)
    if "persona" not in values:
        values["persona"] = make_persona()
    if status in (ConversationStatus.ACTIVE, ConversationStatus.ENDED):
        values = {**_room(values), **values}
    return Conversation.objects.create(**{"status": status, **values})


def _room(values: dict[str, Any]) -> dict[str, Any]:
    now = timezone.now()
    room = _remote("c", {"attempts": 1, "attempted_at": now, "launched_at": now})
    room["conversation_url"] = f"https://tavus.daily.co/{room['tavus_id']}"
    if values.get("status") == ConversationStatus.ENDED:
        room |= {"ended_at": now, "shutdown_reason": "participant_left_timeout"}
    return room
