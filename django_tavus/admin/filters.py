"""Filters beside the list of conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_tavus.models import Conversation, Recording

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]


class YesNoFilter(admin.SimpleListFilter):
    """A question about each conversation, answered by yes or no."""

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        """Yes and no."""
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> QuerySet[Conversation] | None:
        """Keep those with the wanted answer."""
        if self.value() not in ("yes", "no"):
            return None
        return self.split(queryset, wanted=self.value() == "yes")

    def split(self, rows: QuerySet[Conversation], *, wanted: bool) -> QuerySet[Conversation]:
        """Return the ``rows`` for which the answer is ``wanted``."""
        raise NotImplementedError


class HasTranscriptFilter(YesNoFilter):
    """Conversations with something said in them."""

    title = _("transcript")
    parameter_name = "has_transcript"

    def split(self, rows: QuerySet[Conversation], *, wanted: bool) -> QuerySet[Conversation]:
        """Go by the stored number of turns."""
        return rows.filter(turns__gt=0) if wanted else rows.exclude(turns__gt=0)


class HasRecordingFilter(YesNoFilter):
    """Conversations with a recording that worked."""

    title = _("recording")
    parameter_name = "has_recording"

    def split(self, rows: QuerySet[Conversation], *, wanted: bool) -> QuerySet[Conversation]:
        """Ask for a recording without an error."""
        recorded = Exists(Recording.objects.filter(conversation=OuterRef("pk"), error_message=""))
        return rows.filter(recorded if wanted else ~recorded)
