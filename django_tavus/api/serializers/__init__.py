"""What goes over the wire, under the provider's names."""

from __future__ import annotations

from django_tavus.api.serializers.conversations import ConversationSerializer, LaunchSerializer
from django_tavus.api.serializers.events import EventSerializer
from django_tavus.api.serializers.mirrors import (
    DocumentSerializer,
    DocumentUploadSerializer,
    DocumentWriteSerializer,
    ImageReplicaSerializer,
    NewDocumentSerializer,
    PersonaSerializer,
    PersonaWriteSerializer,
    PromptedPersonaSerializer,
    PromptlessPersonaSerializer,
    ReplicaSerializer,
    ReplicaWriteSerializer,
    ResolveSerializer,
    VideoReplicaSerializer,
)
from django_tavus.api.serializers.transcripts import TranscriptSerializer, TurnSerializer
from django_tavus.api.serializers.usage import UsageRowSerializer, UsageSerializer

__all__ = [
    "ConversationSerializer",
    "DocumentSerializer",
    "DocumentUploadSerializer",
    "DocumentWriteSerializer",
    "EventSerializer",
    "ImageReplicaSerializer",
    "LaunchSerializer",
    "NewDocumentSerializer",
    "PersonaSerializer",
    "PersonaWriteSerializer",
    "PromptedPersonaSerializer",
    "PromptlessPersonaSerializer",
    "ReplicaSerializer",
    "ReplicaWriteSerializer",
    "ResolveSerializer",
    "TranscriptSerializer",
    "TurnSerializer",
    "UsageRowSerializer",
    "UsageSerializer",
    "VideoReplicaSerializer",
]
