"""Owed signals in the admin."""

from __future__ import annotations

from django.contrib import admin

from django_tavus.admin.columns import subject
from django_tavus.admin.read_only import ReadOnlyAdmin
from django_tavus.models import OutboxEntry


@admin.register(OutboxEntry)
class OutboxEntryAdmin(ReadOnlyAdmin):
    """Signals that are owed or were sent: for looking only."""

    list_display = ("signal", "subject", "created_at", "sent_at", "error")
    list_filter = ("signal", ("sent_at", admin.EmptyFieldListFilter))
    list_select_related = ("conversation", "document", "replica")
    search_fields = ("key", "error")
    date_hierarchy = "created_at"
    fields = (
        "signal",
        "key",
        "conversation",
        "document",
        "replica",
        "event",
        "created_at",
        "claimed_at",
        "sent_at",
        "error",
    )

    subject = subject
