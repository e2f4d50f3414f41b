"""All tables, and the one row that serializes the claiming of slots."""

from __future__ import annotations

from typing import Any

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import django_tavus.models.choices
import uuid
from django.conf import settings
from django.db import migrations, models


def make_capacity_lock(apps: Any, schema_editor: Any) -> None:
    """Make the one row whose update serializes the claiming of slots."""
    lock = apps.get_model("django_tavus", "CapacityLock")
    lock.objects.using(schema_editor.connection.alias).get_or_create(pk=1)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CapacityLock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("claims", models.PositiveBigIntegerField(default=0)),
                ("swept_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "capacity lock",
                "verbose_name_plural": "capacity locks",
            },
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "tavus_id",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=128,
                        null=True,
                        unique=True,
                        verbose_name="Tavus id",
                    ),
                ),
                (
                    "remote",
                    models.JSONField(
                        blank=True, default=dict, editable=False, verbose_name="remote body"
                    ),
                ),
                (
                    "sync_state",
                    models.CharField(
                        choices=django_tavus.models.choices.sync_states,
                        db_index=True,
                        default="pending",
                        editable=False,
                        max_length=16,
                        verbose_name="sync state",
                    ),
                ),
                (
                    "sync_error",
                    models.TextField(blank=True, editable=False, verbose_name="sync error"),
                ),
                (
                    "synced_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="synced at"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("heard_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revision", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "push_due_at",
                    models.DateTimeField(blank=True, db_index=True, editable=False, null=True),
                ),
                ("pushing_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("push_attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "create_attempted_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                ("creates", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "delete_requested_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                ("delete_hard", models.BooleanField(default=False, editable=False)),
                ("conflicts", models.JSONField(blank=True, default=list, editable=False)),
                (
                    "next_poll_at",
                    models.DateTimeField(blank=True, db_index=True, editable=False, null=True),
                ),
                ("polls", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "document_name",
                    models.CharField(blank=True, max_length=255, verbose_name="document name"),
                ),
                (
                    "document_url",
                    models.TextField(
                        blank=True,
                        help_text="Public address of the file or website.",
                        verbose_name="document URL",
                    ),
                ),
                (
                    "file",
                    models.FileField(
                        blank=True,
                        help_text="Kept in this site's storage; Tavus is given its URL.",
                        upload_to="tavus/documents/",
                        verbose_name="file",
                    ),
                ),
                ("tags", models.JSONField(blank=True, default=list, verbose_name="tags")),
                (
                    "crawl",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="depth 1-10, max_pages 1-100",
                        verbose_name="crawl",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=django_tavus.models.choices.document_statuses,
                        db_index=True,
                        default="started",
                        editable=False,
                        max_length=32,
                        verbose_name="status",
                    ),
                ),
                (
                    "progress",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        editable=False,
                        help_text="percent",
                        null=True,
                        verbose_name="progress",
                    ),
                ),
                (
                    "error_message",
                    models.TextField(blank=True, editable=False, verbose_name="error message"),
                ),
                (
                    "last_crawled_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="last crawled at"
                    ),
                ),
                (
                    "recrawl_requested_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                ("recrawl_after", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name": "document",
                "verbose_name_plural": "documents",
                "ordering": ("document_name", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Replica",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "tavus_id",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=128,
                        null=True,
                        unique=True,
                        verbose_name="Tavus id",
                    ),
                ),
                (
                    "remote",
                    models.JSONField(
                        blank=True, default=dict, editable=False, verbose_name="remote body"
                    ),
                ),
                (
                    "sync_state",
                    models.CharField(
                        choices=django_tavus.models.choices.sync_states,
                        db_index=True,
                        default="pending",
                        editable=False,
                        max_length=16,
                        verbose_name="sync state",
                    ),
                ),
                (
                    "sync_error",
                    models.TextField(blank=True, editable=False, verbose_name="sync error"),
                ),
                (
                    "synced_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="synced at"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("heard_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revision", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "push_due_at",
                    models.DateTimeField(blank=True, db_index=True, editable=False, null=True),
                ),
                ("pushing_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("push_attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "create_attempted_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                ("creates", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "delete_requested_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                ("delete_hard", models.BooleanField(default=False, editable=False)),
                ("conflicts", models.JSONField(blank=True, default=list, editable=False)),
                (
                    "next_poll_at",
                    models.DateTimeField(blank=True, db_index=True, editable=False, null=True),
                ),
                ("polls", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "replica_name",
                    models.CharField(blank=True, max_length=255, verbose_name="replica name"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=django_tavus.models.choices.replica_statuses,
                        db_index=True,
                        default="training",
                        editable=False,
                        max_length=32,
                        verbose_name="status",
                    ),
                ),
                (
                    "training_progress",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        editable=False,
                        help_text="percent",
                        null=True,
                        verbose_name="training progress",
                    ),
                ),
                (
                    "replica_type",
                    models.CharField(
                        blank=True,
                        choices=django_tavus.models.choices.object_types,
                        db_index=True,
                        max_length=16,
                        verbose_name="replica type",
                    ),
                ),
                (
                    "model_name",
                    models.CharField(blank=True, max_length=64, verbose_name="model name"),
                ),
                (
                    "thumbnail_video_url",
                    models.TextField(blank=True, verbose_name="thumbnail video URL"),
                ),
                (
                    "train_video_url",
                    models.TextField(blank=True, verbose_name="training video URL"),
                ),
                (
                    "train_image_url",
                    models.TextField(blank=True, verbose_name="training image URL"),
                ),
                (
                    "voice_name",
                    models.CharField(blank=True, max_length=255, verbose_name="voice name"),
                ),
                (
                    "consent_video_url",
                    models.TextField(blank=True, verbose_name="consent video URL"),
                ),
                (
                    "error_message",
                    models.TextField(blank=True, editable=False, verbose_name="error message"),
                ),
            ],
            options={
                "verbose_name": "replica",
                "verbose_name_plural": "replicas",
                "ordering": ("replica_name", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Conversation",
            fields=[
                (
                    "tavus_id",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=128,
                        null=True,
                        unique=True,
                        verbose_name="Tavus id",
                    ),
                ),
                (
                    "remote",
                    models.JSONField(
                        blank=True, default=dict, editable=False, verbose_name="remote body"
                    ),
                ),
                (
                    "sync_state",
                    models.CharField(
                        choices=django_tavus.models.choices.sync_states,
                        db_index=True,
                        default="pending",
                        editable=False,
                        max_length=16,
                        verbose_name="sync state",
                    ),
                ),
                (
                    "sync_error",
                    models.TextField(blank=True, editable=False, verbose_name="sync error"),
                ),
                (
                    "synced_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="synced at"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("heard_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "conversation_name",
                    models.CharField(blank=True, max_length=255, verbose_name="conversation name"),
                ),
                (
                    "conversational_context",
                    models.TextField(blank=True, verbose_name="conversational context"),
                ),
                ("custom_greeting", models.TextField(blank=True, verbose_name="custom greeting")),
                (
                    "audio_only",
                    models.BooleanField(blank=True, null=True, verbose_name="audio only"),
                ),
                (
                    "test_mode",
                    models.BooleanField(
                        blank=True,
                        help_text="No cost: the conversation ends at once and the replica does not join.",
                        null=True,
                        verbose_name="test mode",
                    ),
                ),
                (
                    "require_auth",
                    models.BooleanField(blank=True, null=True, verbose_name="private room"),
                ),
                (
                    "max_participants",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="The replica counts as one.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(2)],
                        verbose_name="max participants",
                    ),
                ),
                (
                    "memory_stores",
                    models.JSONField(blank=True, default=list, verbose_name="memory stores"),
                ),
                (
                    "document_tags",
                    models.JSONField(blank=True, default=list, verbose_name="document tags"),
                ),
                (
                    "document_retrieval_strategy",
                    models.CharField(
                        blank=True,
                        choices=django_tavus.models.choices.retrieval_strategies,
                        max_length=16,
                        verbose_name="document retrieval strategy",
                    ),
                ),
                (
                    "properties",
                    models.JSONField(blank=True, default=dict, verbose_name="properties"),
                ),
                (
                    "callback_url",
                    models.TextField(
                        blank=True, help_text="Blank: this site's own.", verbose_name="callback URL"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=django_tavus.models.choices.conversation_statuses,
                        default="queued",
                        editable=False,
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                (
                    "conversation_url",
                    models.TextField(blank=True, editable=False, verbose_name="conversation URL"),
                ),
                (
                    "meeting_token",
                    models.TextField(blank=True, editable=False, verbose_name="meeting token"),
                ),
                (
                    "launched_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="launched at"
                    ),
                ),
                (
                    "joined_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="joined at"
                    ),
                ),
                (
                    "end_requested_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="end requested at"
                    ),
                ),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="ended at"
                    ),
                ),
                (
                    "shutdown_reason",
                    models.CharField(
                        blank=True, editable=False, max_length=255, verbose_name="shutdown reason"
                    ),
                ),
                (
                    "error_code",
                    models.CharField(
                        blank=True, editable=False, max_length=64, verbose_name="error code"
                    ),
                ),
                (
                    "error_message",
                    models.TextField(blank=True, editable=False, verbose_name="error message"),
                ),
                (
                    "perception_analysis",
                    models.TextField(
                        blank=True, editable=False, verbose_name="perception analysis"
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        db_index=True,
                        help_text="The site's own key, such as lead:42.",
                        max_length=255,
                        verbose_name="reference",
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict, verbose_name="metadata")),
                ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("attempted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("name_key", models.CharField(blank=True, editable=False, max_length=255)),
                ("not_before", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "next_check_at",
                    models.DateTimeField(blank=True, db_index=True, editable=False, null=True),
                ),
                ("checks_made", models.PositiveIntegerField(default=0, editable=False)),
                ("end_owed", models.BooleanField(db_index=True, default=False, editable=False)),
                ("ending_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("orphan_ids", models.JSONField(blank=True, default=list, editable=False)),
                ("shutdown_seen", models.BooleanField(default=False, editable=False)),
                (
                    "turns",
                    models.PositiveIntegerField(
                        blank=True, editable=False, null=True, verbose_name="turns"
                    ),
                ),
                ("left_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "erase_requested_at",
                    models.DateTimeField(blank=True, db_index=True, editable=False, null=True),
                ),
                ("pruned_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("polled_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("with_persona", models.BooleanField(default=False, editable=False)),
                ("with_replica", models.BooleanField(default=False, editable=False)),
                (
                    "idempotency_key",
                    models.CharField(
                        blank=True, editable=False, max_length=64, null=True, unique=True
                    ),
                ),
                ("idempotency_digest", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tavus_conversations",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
            ],
            options={
                "verbose_name": "conversation",
                "verbose_name_plural": "conversations",
                "ordering": ("-created_at", "-id"),
                "permissions": (
                    ("launch_conversation", "Can launch a conversation"),
                    ("end_conversation", "Can end a conversation"),
                    ("erase_conversation", "Can erase a conversation here and at Tavus"),
                    ("view_transcript", "Can view the transcript of a conversation"),
                ),
            },
        ),
        migrations.CreateModel(
            name="ConversationDocument",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0)),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conversation_documents",
                        to="django_tavus.conversation",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conversation_documents",
                        to="django_tavus.document",
                    ),
                ),
            ],
            options={
                "verbose_name": "document of a conversation",
                "verbose_name_plural": "documents of a conversation",
                "ordering": ("conversation", "position"),
            },
        ),
        migrations.AddField(
            model_name="conversation",
            name="documents",
            field=models.ManyToManyField(
                blank=True,
                related_name="conversations",
                through="django_tavus.ConversationDocument",
                to="django_tavus.document",
                verbose_name="documents",
            ),
        ),
        migrations.CreateModel(
            name="Persona",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "tavus_id",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=128,
                        null=True,
                        unique=True,
                        verbose_name="Tavus id",
                    ),
                ),
                (
                    "remote",
                    models.JSONField(
                        blank=True, default=dict, editable=False, verbose_name="remote body"
                    ),
                ),
                (
                    "sync_state",
                    models.CharField(
                        choices=django_tavus.models.choices.sync_states,
                        db_index=True,
                        default="pending",
                        editable=False,
                        max_length=16,
                        verbose_name="sync state",
                    ),
                ),
                (
                    "sync_error",
                    models.TextField(blank=True, editable=False, verbose_name="sync error"),
                ),
                (
                    "synced_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="synced at"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("heard_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revision", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "push_due_at",
                    models.DateTimeField(blank=True, db_index=True, editable=False, null=True),
                ),
                ("pushing_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("push_attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "create_attempted_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                ("creates", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "delete_requested_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                ("delete_hard", models.BooleanField(default=False, editable=False)),
                ("conflicts", models.JSONField(blank=True, default=list, editable=False)),
                (
                    "persona_name",
                    models.CharField(blank=True, max_length=255, verbose_name="persona name"),
                ),
                (
                    "system_prompt",
                    models.TextField(
                        blank=True,
                        help_text="Confidential: never shown to participants.",
                        verbose_name="system prompt",
                    ),
                ),
                ("context", models.TextField(blank=True, verbose_name="context")),
                ("greeting", models.TextField(blank=True, verbose_name="greeting")),
                (
                    "pipeline_mode",
                    models.CharField(
                        choices=django_tavus.models.choices.pipeline_modes,
                        default="full",
                        max_length=32,
                        verbose_name="pipeline mode",
                    ),
                ),
                (
                    "document_tags",
                    models.JSONField(blank=True, default=list, verbose_name="document tags"),
                ),
                ("layers", models.JSONField(blank=True, default=dict, verbose_name="layers")),
                (
                    "objectives_id",
                    models.CharField(blank=True, max_length=128, verbose_name="objectives id"),
                ),
                (
                    "guardrail_ids",
                    models.JSONField(blank=True, default=list, verbose_name="guardrail ids"),
                ),
                (
                    "persona_type",
                    models.CharField(
                        blank=True,
                        choices=django_tavus.models.choices.object_types,
                        db_index=True,
                        max_length=16,
                        verbose_name="persona type",
                    ),
                ),
                ("layer_secrets", models.TextField(blank=True, editable=False)),
                (
                    "documents",
                    models.ManyToManyField(
                        blank=True,
                        related_name="personas",
                        to="django_tavus.document",
                        verbose_name="documents",
                    ),
                ),
                (
                    "default_replica",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="default_of",
                        to="django_tavus.replica",
                        verbose_name="default replica",
                    ),
                ),
            ],
            options={
                "verbose_name": "persona",
                "verbose_name_plural": "personas",
                "ordering": ("persona_name", "pk"),
            },
        ),
        migrations.AddField(
            model_name="conversation",
            name="persona",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="conversations",
                to="django_tavus.persona",
                verbose_name="persona",
            ),
        ),
        migrations.CreateModel(
            name="Recording",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "storage_provider",
                    models.CharField(blank=True, max_length=32, verbose_name="storage provider"),
                ),
                (
                    "bucket_name",
                    models.CharField(blank=True, max_length=255, verbose_name="bucket name"),
                ),
                ("key", models.TextField(blank=True, verbose_name="key")),
                ("uri", models.TextField(blank=True, verbose_name="URI")),
                (
                    "duration",
                    models.FloatField(
                        blank=True, help_text="seconds", null=True, verbose_name="duration"
                    ),
                ),
                ("error_message", models.TextField(blank=True, verbose_name="error message")),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recordings",
                        to="django_tavus.conversation",
                        verbose_name="conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "recording",
                "verbose_name_plural": "recordings",
                "ordering": ("pk",),
            },
        ),
        migrations.AddField(
            model_name="conversation",
            name="replica",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="conversations",
                to="django_tavus.replica",
                verbose_name="replica",
            ),
        ),
        migrations.CreateModel(
            name="Utterance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="position")),
                (
                    "role",
                    models.CharField(
                        choices=django_tavus.models.choices.utterance_roles,
                        max_length=16,
                        verbose_name="role",
                    ),
                ),
                ("content", models.TextField(blank=True, verbose_name="content")),
                (
                    "spoken_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="spoken at"),
                ),
                (
                    "seconds_from_start",
                    models.FloatField(blank=True, null=True, verbose_name="seconds from start"),
                ),
                (
                    "duration",
                    models.FloatField(
                        blank=True, help_text="seconds", null=True, verbose_name="duration"
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="utterances",
                        to="django_tavus.conversation",
                        verbose_name="conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "utterance",
                "verbose_name_plural": "utterances",
                "ordering": ("conversation", "position"),
            },
        ),
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("dedupe_key", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "source",
                    models.CharField(
                        choices=django_tavus.models.choices.event_sources,
                        max_length=16,
                        verbose_name="source",
                    ),
                ),
                (
                    "event_type",
                    models.CharField(
                        blank=True, db_index=True, max_length=128, verbose_name="event type"
                    ),
                ),
                ("payload", models.JSONField(blank=True, default=dict, verbose_name="payload")),
                (
                    "received_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="received at"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=django_tavus.models.choices.event_statuses,
                        default="received",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("next_attempt_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "processed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="processed at"),
                ),
                ("error", models.TextField(blank=True, verbose_name="error")),
                (
                    "conversation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="django_tavus.conversation",
                        verbose_name="conversation",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="django_tavus.document",
                        verbose_name="document",
                    ),
                ),
                (
                    "replica",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="django_tavus.replica",
                        verbose_name="replica",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook event",
                "verbose_name_plural": "webhook events",
                "ordering": ("-received_at", "-pk"),
                "permissions": (("replay_event", "Can replay a webhook event"),),
            },
        ),
        migrations.CreateModel(
            name="OutboxEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("signal", models.CharField(max_length=64, verbose_name="signal")),
                (
                    "key",
                    models.CharField(
                        editable=False,
                        help_text="signal, object and occasion",
                        max_length=255,
                        unique=True,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="created at"
                    ),
                ),
                (
                    "claimed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="claimed at"),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                ("error", models.TextField(blank=True, verbose_name="error")),
                (
                    "conversation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outbox_entries",
                        to="django_tavus.conversation",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outbox_entries",
                        to="django_tavus.document",
                    ),
                ),
                (
                    "replica",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outbox_entries",
                        to="django_tavus.replica",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="outbox_entries",
                        to="django_tavus.webhookevent",
                    ),
                ),
            ],
            options={
                "verbose_name": "outbox entry",
                "verbose_name_plural": "outbox entries",
                "ordering": ("pk",),
            },
        ),
        migrations.AddConstraint(
            model_name="conversationdocument",
            constraint=models.UniqueConstraint(
                fields=("conversation", "document"), name="tavus_conversation_document"
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["-created_at", "-id"], name="tavus_conv_newest"),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["status", "created_at"], name="tavus_conv_status"),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["owner", "-created_at"], name="tavus_conv_owner"),
        ),
        migrations.AddConstraint(
            model_name="utterance",
            constraint=models.UniqueConstraint(
                fields=("conversation", "position"), name="tavus_utterance_position"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(fields=["status", "next_attempt_at"], name="tavus_event_due"),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(fields=["received_at"], name="tavus_event_received"),
        ),
        migrations.AddIndex(
            model_name="outboxentry",
            index=models.Index(fields=["sent_at", "claimed_at"], name="tavus_outbox_owed"),
        ),
        migrations.RunPython(make_capacity_lock, migrations.RunPython.noop, elidable=False),
    ]
