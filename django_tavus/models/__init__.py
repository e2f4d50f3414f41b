"""What we remember of Tavus."""

from __future__ import annotations

from django_tavus.models.base import RemoteObject
from django_tavus.models.capacity import CapacityLock
from django_tavus.models.conversation import Conversation, ConversationDocument
from django_tavus.models.document import Document
from django_tavus.models.event import WebhookEvent
from django_tavus.models.outbox import OutboxEntry
from django_tavus.models.persona import Persona
from django_tavus.models.replica import Replica
from django_tavus.models.transcript import Recording, Utterance

__all__ = [
    "CapacityLock",
    "Conversation",
    "ConversationDocument",
    "Document",
    "OutboxEntry",
    "Persona",
    "Recording",
    "RemoteObject",
    "Replica",
    "Utterance",
    "WebhookEvent",
]
