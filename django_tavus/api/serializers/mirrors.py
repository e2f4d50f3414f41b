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
    NoTextField,
    RedactedField,
    RedactedJSONField,
    TavusIdsField,
    UploadField,
)
from django_tavus.models import Persona, Replica
from django_tavus.models.choices import PipelineMode, SyncState


class ConflictSerializer(serializers.Serializer[Any]):
    """A member that was changed here and at Tavus, differently; null stands for empty."""

    path = serializers.CharField(help_text="JSON pointer, such as /layers/llm/model.")
    base = RedactedJSONField(allow_null=True, help_text="What both come from.")
    ours = RedactedJSONField(allow_null=True)
    theirs = RedactedJSONField(allow_null=True)


class MirrorSerializer(serializers.Serializer[Any]):
    """What all mirrored objects have."""

    gallery: ClassVar[frozenset[str]] = frozenset()

    id = serializers.IntegerField()
    sync_state = serializers.ChoiceField(choices=SyncState.choices, required=False)
    sync_error = serializers.CharField(required=False)
    conflicts = ConflictSerializer(many=True, required=False)
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
    default_replica_id = serializers.SerializerMethodField(help_text="Tavus id.")
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
ADDRESS = r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/\S*)?$"


def _text(help_text: str = "", **more: Any) -> serializers.CharField:
    options = {"required": False, "allow_null": True, "allow_blank": True, **more}
    return serializers.CharField(help_text=help_text or None, **options)


def _texts(**more: Any) -> serializers.ListField:
    child = serializers.CharField(min_length=1)
    return serializers.ListField(child=child, required=False, allow_null=True, **more)


def _address(help_text: str = "", **more: Any) -> serializers.RegexField:
    return serializers.RegexField(ADDRESS, help_text=help_text or None, **more)


def _optional_address(help_text: str = "") -> serializers.RegexField:
    return _address(help_text, required=False, allow_null=True, allow_blank=True)


class WriteSerializer(serializers.Serializer[Any]):
    """Members that are not named are refused."""

    is_closed = True


class PersonaWriteSerializer(WriteSerializer):
    """What can be changed of a persona; null empties."""

    persona_name = _text(max_length=255)
    system_prompt = _text("Required in the pipeline mode full, refused in the others.")
    greeting = _text()
    pipeline_mode = serializers.ChoiceField(
        choices=PipelineMode.choices, required=False, allow_null=True
    )
    default_replica_id = _text("Tavus id.", max_length=128)
    document_ids = _texts(help_text="Tavus ids.")
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
        return {**super().get_fields(), "context": self.context_field()}

    def context_field(self) -> serializers.Field[Any, Any, Any, Any]:
        """Return the field ``context``."""
        return _text()


class PromptedPersonaSerializer(PersonaWriteSerializer):
    """A new persona in the pipeline mode full, which is the default: it has a prompt."""

    system_prompt = serializers.RegexField(r"\S")
    pipeline_mode = serializers.ChoiceField(
        choices=[PipelineMode.FULL.value], required=False, allow_null=True
    )


class PromptlessPersonaSerializer(PersonaWriteSerializer):
    """A new persona without a language model of its own."""

    system_prompt = NoTextField()
    pipeline_mode = serializers.ChoiceField(
        choices=[PipelineMode.ECHO.value, PipelineMode.SPEECH_TO_SPEECH.value]
    )

    def context_field(self) -> serializers.Field[Any, Any, Any, Any]:
        """Return the field ``context``: there is none."""
        return NoTextField()


class ReplicaWriteSerializer(WriteSerializer):
    """What can be changed of a replica: its name, and its sources before Tavus has it."""

    replica_name = _text(max_length=255)
    model_name = _text(EARLY, max_length=64)
    train_video_url: serializers.CharField = _optional_address(EARLY)
    train_image_url: serializers.CharField = _optional_address(EARLY)
    voice_name = _text(EARLY, max_length=255)
    consent_video_url = _optional_address(EARLY)


class VideoReplicaSerializer(ReplicaWriteSerializer):
    """A new replica that is trained from a video."""

    model_name = _text(max_length=64)
    train_video_url = _address()
    train_image_url = NoTextField()
    voice_name = _text(max_length=255)
    consent_video_url = _optional_address()


class ImageReplicaSerializer(ReplicaWriteSerializer):
    """A new replica that is made from an image and a stock voice."""

    model_name = _text(max_length=64)
    train_video_url = NoTextField()
    train_image_url = _address()
    voice_name = serializers.CharField(min_length=1, max_length=255)
    consent_video_url = _optional_address()


class CrawlSerializer(WriteSerializer):
    """How a website is crawled."""

    depth = serializers.IntegerField(required=False, min_value=1, max_value=10)
    max_pages = serializers.IntegerField(required=False, min_value=1, max_value=100)


class DocumentWriteSerializer(WriteSerializer):
    """What can be changed of a document: name and tags, and its source before Tavus has it."""

    document_name = _text(max_length=255)
    tags = _texts()
    document_url = _optional_address(EARLY)
    crawl = CrawlSerializer(required=False, allow_null=True, help_text=EARLY)


class NewDocumentSerializer(DocumentWriteSerializer):
    """A new document, from its public address."""

    document_url = _address("Of a file or a website.")
    crawl = CrawlSerializer(required=False, allow_null=True, help_text="For a website.")


class DocumentUploadSerializer(WriteSerializer):
    """A new document that is uploaded: at most 50 MB, of a type that Tavus reads."""

    file = UploadField()
    document_name = serializers.CharField(required=False, max_length=255)
    tags = serializers.ListField(child=serializers.CharField(min_length=1), required=False)


class ResolveSerializer(WriteSerializer):
    """How a conflict is settled, in all the members in conflict."""

    keep = serializers.ChoiceField(choices=["ours", "theirs"])
