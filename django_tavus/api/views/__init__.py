"""The views, one module for each kind of object."""

from __future__ import annotations

from django_tavus.api.views.conversations import ConversationViewSet
from django_tavus.api.views.mirrors import DocumentViewSet, PersonaViewSet, ReplicaViewSet
from django_tavus.api.views.usage import UsageViewSet

__all__ = [
    "ConversationViewSet",
    "DocumentViewSet",
    "PersonaViewSet",
    "ReplicaViewSet",
    "UsageViewSet",
]
