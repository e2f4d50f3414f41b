"""Turns and recordings in the admin; they are read on the page of their conversation."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_tavus.admin.columns import column
from django_tavus.admin.displays import clock, web_link
from django_tavus.admin.read_only import ReadOnlyAdmin
from django_tavus.models import Recording, Utterance


@admin.register(Utterance)
class UtteranceAdmin(ReadOnlyAdmin):
    """Every turn of every transcript, for searching."""

    list_display = ("conversation", "position", "role", "content", "spoken_at")
    list_filter = ("role",)
    list_select_related = ("conversation",)
    search_fields = ("content",)
    date_hierarchy = "spoken_at"
    fields = (
        "conversation",
        "position",
        "role",
        "content",
        "spoken_at",
        "seconds_from_start",
        "duration",
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was said is for those who may read transcripts."""
        may_read = request.user.has_perm("django_tavus.view_transcript")
        return may_read and super().has_view_permission(request, obj)


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin):
    """Where recordings lie, or why there is none."""

    list_display = ("__str__", "conversation", "storage_provider", "length", "error_message")
    list_filter = ("storage_provider", ("error_message", admin.EmptyFieldListFilter))
    list_select_related = ("conversation",)
    search_fields = ("bucket_name", "key", "uri", "error_message")
    fields = (
        "conversation",
        "storage_provider",
        "bucket_name",
        "key",
        "address",
        "length",
        "error_message",
    )

    address = column("uri", _("URI"), web_link)
    length = column("duration", _("duration"), clock, ordering="duration")
