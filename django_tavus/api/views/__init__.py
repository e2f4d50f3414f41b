"""The views, one module for each kind of object."""

from __future__ import annotations

from django_tavus.api.views.conversations import ConversationViewSet
from django_tavus.api.views.documents import DocumentViewSet
from django_tavus.api.views.personas import PersonaViewSet
from django_tavus.api.views.replicas import ReplicaViewSet
from django_tavus.api.views.usage import UsageViewSet

__all__ = [
    "ConversationViewSet",
    "DocumentViewSet",
    "PersonaViewSet",
    "ReplicaViewSet",
    "UsageViewSet",
]
