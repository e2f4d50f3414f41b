"""What goes over the wire, under the provider's names."""

from __future__ import annotations

from django_tavus.api.serializers.conversations import ConversationSerializer, LaunchSerializer
from django_tavus.api.serializers.events import EventSerializer
from django_tavus.api.serializers.mirrors import (
    DocumentSerializer,
    DocumentUploadSerializer,
    DocumentWriteSerializer,
    PersonaSerializer,
    PersonaWriteSerializer,
    ReplicaSerializer,
    ReplicaWriteSerializer,
)
from django_tavus.api.serializers.transcripts import TranscriptSerializer, TurnSerializer
from django_tavus.api.serializers.usage import UsageRowSerializer, UsageSerializer

__all__ = [
    "ConversationSerializer",
    "DocumentSerializer",
    "DocumentUploadSerializer",
    "DocumentWriteSerializer",
    "EventSerializer",
    "LaunchSerializer",
    "PersonaSerializer",
    "PersonaWriteSerializer",
    "ReplicaSerializer",
    "ReplicaWriteSerializer",
    "TranscriptSerializer",
    "TurnSerializer",
    "UsageRowSerializer",
    "UsageSerializer",
]
