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
from django_tavus.models.choices import PipelineMode, SyncState


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

    gallery = frozenset({"id", "document_id", "document_name", "status"})

    document_id = serializers.CharField(source="tavus_id", allow_null=True)
    document_name = serializers.CharField()
    document_url = serializers.CharField(required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    crawl = serializers.DictField(required=False)
    status = serializers.CharField()
    progress = serializers.IntegerField(required=False, allow_null=True, help_text="percent")
    error_message = serializers.CharField(required=False)
    last_crawled_at = MomentField(required=False, allow_null=True)


# The shapes of what is sent, for the schema. What is allowed is decided by the services alone
# (object_fields, drafts).

EARLY = "Only before Tavus has it."


def _text(help_text: str = "", **more: Any) -> serializers.CharField:
    options = {"required": False, "allow_null": True, "allow_blank": True, **more}
    return serializers.CharField(help_text=help_text or None, **options)


def _texts(**more: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(), required=False, allow_null=True, **more
    )


class PersonaWriteSerializer(serializers.Serializer[Any]):
    """A persona as it is written."""

    persona_name = _text(max_length=255)
    system_prompt = _text("Required in the pipeline mode full, refused in the others.")
    greeting = _text()
    pipeline_mode = serializers.ChoiceField(
        choices=PipelineMode.choices, required=False, allow_null=True
    )
    default_replica_id = _text(max_length=128)
    document_ids = _texts()
    document_tags = _texts()
    layers = serializers.DictField(
        required=False,
        allow_null=True,
        help_text="Secrets are accepted and never answered; eight asterisks keep the one there is.",
    )
    objectives_id = _text(max_length=128)
    guardrail_ids = _texts()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, with the one whose name DRF uses itself."""
        return {**super().get_fields(), "context": _text()}


class ReplicaWriteSerializer(serializers.Serializer[Any]):
    """A replica as it is written: trained from a video, or from an image with a voice."""

    replica_name = _text(max_length=255)
    model_name = _text(EARLY, max_length=64)
    train_video_url = _text(EARLY)
    train_image_url = _text(EARLY)
    voice_name = _text(EARLY, max_length=255)
    consent_video_url = _text(EARLY)


class CrawlSerializer(serializers.Serializer[Any]):
    """How a website is crawled."""

    depth = serializers.IntegerField(required=False, min_value=1, max_value=10)
    max_pages = serializers.IntegerField(required=False, min_value=1, max_value=100)


class DocumentWriteSerializer(serializers.Serializer[Any]):
    """A document as it is written."""

    document_name = _text(max_length=255)
    tags = _texts()
    document_url = _text(EARLY)
    crawl = CrawlSerializer(required=False, allow_null=True, help_text=EARLY)


class DocumentUploadSerializer(serializers.Serializer[Any]):
    """A document that is uploaded: at most 50 MB, of a type that Tavus reads."""

    file = serializers.FileField()
    document_name = serializers.CharField(required=False, max_length=255)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
