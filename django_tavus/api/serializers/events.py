"""Raw events, for staff."""

from __future__ import annotations

from rest_framework import serializers

from django_tavus.api.serializers.fields import MomentField
from django_tavus.models import WebhookEvent
from django_tavus.models.choices import EventSource, EventStatus


class EventSerializer(serializers.Serializer[WebhookEvent]):
    """One event as it was told, and what became of it."""

    id = serializers.IntegerField()
    source = serializers.ChoiceField(choices=EventSource.choices)  # type: ignore[assignment]
    event_type = serializers.CharField()
    payload = serializers.DictField()
    received_at = MomentField()
    status = serializers.ChoiceField(choices=EventStatus.choices)
    attempts = serializers.IntegerField()
    processed_at = MomentField(allow_null=True)
    error = serializers.CharField()
