"""Replicas in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_tavus.admin.displays import web_link
from django_tavus.admin.mirrors import REMOTE_FIELDSET, SYNC_FIELDSET, MirrorAdmin
from django_tavus.models import Replica


@admin.register(Replica)
class ReplicaAdmin(MirrorAdmin):
    """The faces and voices."""

    sync_kind = "replicas"
    list_display = (
        "__str__",
        "status_badge",
        "training_progress",
        "replica_type",
        "model_name",
        "tavus_id",
        "sync_badge",
        "updated_at",
    )
    list_filter = ("status", "replica_type", "model_name", "sync_state")
    search_fields = ("replica_name", "tavus_id", "voice_name")
    date_hierarchy = "created_at"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "replica_name",
                    "status_badge",
                    "training_progress",
                    "error_message",
                    "replica_type",
                    "model_name",
                    "voice_name",
                )
            },
        ),
        (_("Media"), {"fields": ("thumbnail", "train_video", "train_image", "consent_video")}),
        SYNC_FIELDSET,
        REMOTE_FIELDSET,
    )

    @admin.display(description=_("thumbnail video"))
    def thumbnail(self, obj: Replica) -> SafeString | str:
        """Link to the preview."""
        return web_link(obj.thumbnail_video_url)

    @admin.display(description=_("training video"))
    def train_video(self, obj: Replica) -> SafeString | str:
        """Link to the training video."""
        return web_link(obj.train_video_url)

    @admin.display(description=_("training image"))
    def train_image(self, obj: Replica) -> SafeString | str:
        """Link to the training image."""
        return web_link(obj.train_image_url)

    @admin.display(description=_("consent video"))
    def consent_video(self, obj: Replica) -> SafeString | str:
        """Link to the consent video."""
        return web_link(obj.consent_video_url)
