"""Replicas in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_tavus.admin.displays import EMPTY, web_link
from django_tavus.admin.mirrors import MirrorAdmin
from django_tavus.admin.publishing_forms import NewReplicaForm, ReplicaForm
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
    can_erase = True
    new_form = NewReplicaForm
    edit_form = ReplicaForm
    new_fieldsets = (
        (None, {"fields": ("edition", "replica_name", "model_name")}),
        (
            _("Train from a video, or from an image with a voice"),
            {"fields": ("train_video_url", "train_image_url", "voice_name", "consent_video_url")},
        ),
    )
    edit_fieldsets = ((None, {"fields": ("edition", "replica_name")}),)
    state_fieldsets = (
        (
            _("Training"),
            {
                "fields": (
                    "status_badge",
                    "training_progress",
                    "error_message",
                    "replica_type",
                    "shown_model_name",
                    "shown_voice_name",
                )
            },
        ),
        (_("Media"), {"fields": ("thumbnail", "train_video", "train_image", "consent_video")}),
    )
    shown_fieldsets = ((None, {"fields": ("replica_name",)}), *state_fieldsets)

    @admin.display(description=_("model name"))
    def shown_model_name(self, obj: Replica) -> str:
        """The generation of its model."""
        return obj.model_name or EMPTY

    @admin.display(description=_("voice name"))
    def shown_voice_name(self, obj: Replica) -> str:
        """The voice that it speaks with."""
        return obj.voice_name or EMPTY

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
