"""Conversations as they are asked for and answered."""

from __future__ import annotations

from typing import Any, TypedDict

from rest_framework import serializers

from django_tavus.api.serializers.fields import BlankAsNullField, MomentField, SettledBooleanField
from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus, RetrievalStrategy
from django_tavus.services.access import may_join

MOST = 2_147_483_647  # of a whole number


class LanguageField(serializers.RegexField):
    """A full English name, or ``multilingual``: Tavus refuses codes such as ``en``."""

    def __init__(self, **kwargs: Any) -> None:
        code = r"^(?![A-Za-z]{2}([-_][A-Za-z0-9]+)*$)"
        super().__init__(code, **kwargs)


def _names(**more: Any) -> serializers.ListField:
    child = serializers.CharField(min_length=1)
    return serializers.ListField(child=child, required=False, allow_null=True, **more)


class RecordingStorageSerializer(serializers.Serializer[Any]):
    """Where Tavus puts recordings: a bucket of the host's."""

    is_closed = True

    provider = serializers.ChoiceField(choices=["s3", "gcs", "azure_blob"])
    bucket_name = serializers.CharField(required=False)
    bucket_region = serializers.CharField(required=False)
    assume_role_arn = serializers.CharField(required=False)
    external_id = serializers.CharField(required=False)
    project_id = serializers.CharField(required=False)
    workload_identity_provider = serializers.CharField(required=False)
    service_account_email = serializers.CharField(required=False)
    storage_account = serializers.CharField(required=False)
    container = serializers.CharField(required=False)
    tenant_id = serializers.CharField(required=False)
    client_id = serializers.CharField(required=False)


class PropertiesSerializer(serializers.Serializer[Any]):
    """Customization of a call."""

    is_closed = True

    max_call_duration = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST, help_text="seconds"
    )
    participant_left_timeout = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST, help_text="seconds"
    )
    participant_absent_timeout = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST, help_text="seconds"
    )
    enable_recording = serializers.BooleanField(required=False)
    enable_closed_captions = serializers.BooleanField(required=False)
    apply_greenscreen = serializers.BooleanField(required=False)
    require_auth = serializers.BooleanField(required=False)
    language = LanguageField(
        required=False, help_text="Full English name, such as spanish; or multilingual."
    )
    recording_s3_bucket_name = serializers.CharField(required=False)
    recording_s3_bucket_region = serializers.CharField(required=False)
    aws_assume_role_arn = serializers.CharField(required=False)
    recording_storage = RecordingStorageSerializer(required=False)


# What is allowed is decided by services.launch_fields and services.request_fields alone.
class LaunchSerializer(serializers.Serializer[Any]):
    """A launch: a persona, a replica, or both; a persona without a default replica wants one.

    Any user may set `persona_id`, `replica_id`, `conversation_name`, `audio_only`, `test_mode`,
    `reference`, `metadata` and `properties.language`; the rest needs the permission
    `launch_conversation`, or a place in the setting `API_LAUNCH_FIELDS`. Null is not set.
    """

    is_closed = True

    persona_id = serializers.CharField(required=False, allow_null=True, max_length=128)
    replica_id = serializers.CharField(required=False, allow_null=True, max_length=128)
    conversation_name = serializers.CharField(required=False, allow_null=True, max_length=255)
    conversational_context = serializers.CharField(required=False, allow_null=True)
    custom_greeting = serializers.CharField(required=False, allow_null=True)
    audio_only = serializers.BooleanField(required=False, allow_null=True)
    test_mode = serializers.BooleanField(required=False, allow_null=True)
    require_auth = serializers.BooleanField(required=False, allow_null=True)
    max_participants = serializers.IntegerField(
        required=False, allow_null=True, min_value=2, max_value=32_767
    )
    memory_stores = _names()
    document_ids = _names()
    document_tags = _names()
    document_retrieval_strategy = serializers.ChoiceField(
        choices=RetrievalStrategy.choices, required=False, allow_null=True
    )
    properties = PropertiesSerializer(required=False, allow_null=True)
    reference = serializers.CharField(
        required=False, allow_null=True, max_length=255, help_text="The site's own key."
    )
    metadata = serializers.DictField(
        required=False, allow_null=True, help_text="The site's own JSON."
    )


class LaunchError(TypedDict):
    """Why a launch failed, or what it waits for."""

    code: str
    message: str


class ConversationSerializer(serializers.Serializer[Conversation]):
    """A conversation as this viewer may see it."""

    # Wants context["user"], and rows with queue_position, persona, replica, the persona's default
    # replica and conversation_documents loaded: it asks nothing of the database.

    id = serializers.UUIDField()
    conversation_id = serializers.CharField(source="tavus_id", allow_null=True)
    conversation_name = serializers.CharField()
    status = serializers.ChoiceField(choices=ConversationStatus.choices)
    conversation_url = serializers.SerializerMethodField(
        help_text="The room, to those who may join, while it can be joined."
    )
    meeting_token = serializers.SerializerMethodField(
        help_text="The key of a private room, under the same conditions."
    )
    persona_id = serializers.SerializerMethodField(help_text="Tavus id.")
    replica_id = serializers.SerializerMethodField(help_text="Tavus id of the one in use.")
    audio_only = SettledBooleanField()
    test_mode = SettledBooleanField()
    require_auth = SettledBooleanField()
    max_participants = serializers.IntegerField(allow_null=True)
    conversational_context = serializers.CharField()
    custom_greeting = serializers.CharField()
    memory_stores = serializers.ListField(child=serializers.CharField())
    document_ids = serializers.SerializerMethodField(help_text="Tavus ids, in their order.")
    document_tags = serializers.ListField(child=serializers.CharField())
    document_retrieval_strategy = BlankAsNullField()
    properties = serializers.DictField()
    reference = serializers.CharField()
    metadata = serializers.DictField()
    queue_position = serializers.IntegerField(
        allow_null=True, help_text="1-based; null unless queued."
    )
    created_at = MomentField()
    launched_at = MomentField(allow_null=True)
    joined_at = MomentField(allow_null=True)
    ended_at = MomentField(allow_null=True)
    shutdown_reason = BlankAsNullField()
    duration = serializers.IntegerField(
        allow_null=True, help_text="Whole seconds; null before the end."
    )
    error = serializers.SerializerMethodField(
        help_text="Why it failed, or what it waits for; null otherwise."
    )

    def get_conversation_url(self, row: Conversation) -> str | None:
        """Return the room's address to those who may join, while it can be joined."""
        return row.conversation_url if self._is_open(row) else None

    def get_meeting_token(self, row: Conversation) -> str | None:
        """Return the key of a private room, under the same conditions."""
        return (row.meeting_token or None) if self._is_open(row) else None

    def get_persona_id(self, row: Conversation) -> str | None:
        """Return the persona's Tavus id."""
        return row.persona.tavus_id if row.persona else None

    def get_replica_id(self, row: Conversation) -> str | None:
        """Return the Tavus id of the replica in use: its own, or its persona's default."""
        replica = row.replica or (row.persona and row.persona.default_replica)
        return replica.tavus_id if replica else None

    def get_document_ids(self, row: Conversation) -> list[str]:
        """Return the Tavus ids of its documents, in the order in which they were given."""
        links = row.conversation_documents.all()
        return [link.document.tavus_id for link in links if link.document.tavus_id]

    def get_error(self, row: Conversation) -> LaunchError | None:
        """Return why it failed, or what it waits for."""
        if not row.error_code:
            return None
        return {"code": row.error_code, "message": row.error_message}

    def _is_open(self, row: Conversation) -> bool:
        return row.is_joinable and may_join(self.context["user"], row)
