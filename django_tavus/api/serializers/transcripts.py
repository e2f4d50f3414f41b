"""Transcripts."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_tavus.api.serializers.fields import MomentField
from django_tavus.models import Conversation, Utterance
from django_tavus.models.choices import UtteranceRole


class TurnSerializer(serializers.Serializer[Utterance]):
    """One turn."""

    position = serializers.IntegerField()
    role = serializers.ChoiceField(choices=UtteranceRole.choices)
    content = serializers.CharField()
    spoken_at = MomentField(allow_null=True)
    seconds_from_start = serializers.FloatField(allow_null=True)
    duration = serializers.FloatField(allow_null=True, help_text="seconds")


class TranscriptSerializer(serializers.Serializer[Conversation]):
    """All turns of a conversation; none while Tavus has not sent the transcript."""

    id = serializers.UUIDField()
    conversation_id = serializers.CharField(source="tavus_id", allow_null=True)
    status = serializers.CharField()
    transcript = serializers.SerializerMethodField()

    def get_transcript(self, row: Conversation) -> list[dict[str, Any]]:
        """Return the turns in their order."""
        turns: Any = row.utterances.order_by("position")
        return [dict(turn) for turn in TurnSerializer(turns, many=True).data]
