"""Replicas in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from django_tavus.admin.columns import column, or_dash
from django_tavus.admin.displays import web_link
from django_tavus.admin.mirrors import MirrorAdmin
from django_tavus.admin.replica_forms import NewReplicaForm, ReplicaForm
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

    shown_model_name = column("model_name", _("model name"), or_dash)
    shown_voice_name = column("voice_name", _("voice name"), or_dash)
    thumbnail = column("thumbnail_video_url", _("thumbnail video"), web_link)
    train_video = column("train_video_url", _("training video"), web_link)
    train_image = column("train_image_url", _("training image"), web_link)
    consent_video = column("consent_video_url", _("consent video"), web_link)
