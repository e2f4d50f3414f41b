"""Rows that a benchmark begins with."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.utils import timezone

from django_tavus.models import Conversation, Persona, Replica
from django_tavus.models.choices import ConversationStatus, SyncState


def active_conversations(number: int) -> list[Conversation]:
    """Make conversations with an open room."""
    now = timezone.now() - timedelta(days=300)
    return Conversation.objects.bulk_create(
        Conversation(
            tavus_id=f"c{uuid.uuid4().hex[:16]}",
            status=ConversationStatus.ACTIVE,
            sync_state=SyncState.IN_SYNC,
            launched_at=now,
            created_at=now,
        )
        for _ in range(number)
    )


def queued_conversations(number: int) -> list[Conversation]:
    """Make conversations that wait to be launched."""
    replica, _ = Replica.objects.get_or_create(tavus_id="r79e1c033f", replica_name="Rose")
    persona, _ = Persona.objects.get_or_create(
        tavus_id="p5317866", persona_name="Coach", default_replica=replica
    )
    return Conversation.objects.bulk_create(
        Conversation(persona=persona, conversational_context="Ask for the name first.")
        for _ in range(number)
    )
