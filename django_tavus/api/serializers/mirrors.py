"""Personas, replicas and documents: what a gallery needs, and all of it for those who may.

``gallery`` names the fields that any user sees; the others appear only with the model's view
permission (``context["full"]``).
"""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from django_tavus.api.serializers.fields import (
    BlankAsNullField,
    MomentField,
    RedactedField,
    TavusIdsField,
)
from django_tavus.models import Persona, Replica
from django_tavus.models.choices import SyncState


class MirrorSerializer(serializers.Serializer[Any]):
    """What all mirrored objects have."""

    gallery: ClassVar[frozenset[str]] = frozenset()

    id = serializers.IntegerField()
    sync_state = serializers.ChoiceField(choices=SyncState.choices, required=False)
    sync_error = serializers.CharField(required=False)
    synced_at = MomentField(required=False, allow_null=True)
    created_at = MomentField(required=False)
    updated_at = MomentField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields that this viewer sees."""
        fields = super().get_fields()
        if self.context.get("full", True):
            return fields
        return {name: one for name, one in fields.items() if name in self.gallery}


class PreviewSerializer(serializers.Serializer[Replica]):
    """The face of a persona."""

    id = serializers.IntegerField()
    replica_id = serializers.CharField(source="tavus_id", allow_null=True)
    replica_name = serializers.CharField()
    status = serializers.CharField()
    thumbnail_video_url = BlankAsNullField()


class ReplicaSerializer(MirrorSerializer):
    """A replica."""

    gallery = frozenset(
        {"id", "replica_id", "replica_name", "status", "replica_type", "thumbnail_video_url"}
    )

    replica_id = serializers.CharField(source="tavus_id", allow_null=True)
    replica_name = serializers.CharField()
    status = serializers.CharField()
    replica_type = serializers.CharField()
    thumbnail_video_url = BlankAsNullField()
    training_progress = serializers.IntegerField(
        required=False, allow_null=True, help_text="percent"
    )
    model_name = serializers.CharField(required=False)
    train_video_url = serializers.CharField(required=False)
    train_image_url = serializers.CharField(required=False)
    voice_name = serializers.CharField(required=False)
    consent_video_url = serializers.CharField(required=False)
    error_message = serializers.CharField(required=False)


class PersonaSerializer(MirrorSerializer):
    """A persona. Its prompt, context and layers are confidential."""

    gallery = frozenset(
        {
            "id",
            "persona_id",
            "persona_name",
            "persona_type",
            "default_replica_id",
            "default_replica",
        }
    )

    persona_id = serializers.CharField(source="tavus_id", allow_null=True)
    persona_name = serializers.CharField()
    persona_type = serializers.CharField()
    default_replica_id = serializers.SerializerMethodField()
    default_replica = PreviewSerializer(allow_null=True)
    system_prompt = serializers.CharField(required=False)
    context = serializers.CharField(required=False)  # type: ignore[assignment]  # no attribute in the end
    greeting = serializers.CharField(required=False)
    pipeline_mode = serializers.CharField(required=False)
    document_ids = TavusIdsField(required=False, source="documents")
    document_tags = serializers.ListField(child=serializers.CharField(), required=False)
    layers = RedactedField(required=False)
    objectives_id = serializers.CharField(required=False)
    guardrail_ids = serializers.ListField(child=serializers.CharField(), required=False)

    def get_default_replica_id(self, row: Persona) -> str | None:
        """Return the Tavus id of its default replica."""
        return row.default_replica.tavus_id if row.default_replica else None


class DocumentSerializer(MirrorSerializer):
    """A document of the knowledge base."""

    document_id = serializers.CharField(source="tavus_id", allow_null=True)
    document_name = serializers.CharField()
    document_url = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    crawl = serializers.DictField()
    status = serializers.CharField()
    progress = serializers.IntegerField(allow_null=True, help_text="percent")
    error_message = serializers.CharField()
    last_crawled_at = MomentField(allow_null=True)
