"""The admin: one file per aggregate, on top of object tools and displays."""

from __future__ import annotations

from django_tavus.admin.conversations import ConversationAdmin
from django_tavus.admin.documents import DocumentAdmin
from django_tavus.admin.events import WebhookEventAdmin
from django_tavus.admin.outbox import OutboxEntryAdmin
from django_tavus.admin.personas import PersonaAdmin
from django_tavus.admin.replicas import ReplicaAdmin
from django_tavus.admin.transcripts import RecordingAdmin, UtteranceAdmin

__all__ = [
    "ConversationAdmin",
    "DocumentAdmin",
    "OutboxEntryAdmin",
    "PersonaAdmin",
    "RecordingAdmin",
    "ReplicaAdmin",
    "UtteranceAdmin",
    "WebhookEventAdmin",
]
