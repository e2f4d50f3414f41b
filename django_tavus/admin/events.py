"""The inbox: what Tavus told us, how it went, and *Replay*."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from django_tavus.admin.columns import status_badge, subject
from django_tavus.admin.displays import pretty_json, without_prompt
from django_tavus.admin.lean_lists import LeanListMixin
from django_tavus.admin.object_tools import Done, ObjectTool, ObjectToolsMixin, ToolRefusedError
from django_tavus.admin.read_only import ReadOnlyAdmin
from django_tavus.models import WebhookEvent
from django_tavus.models.choices import EventStatus
from django_tavus.services import events
from django_tavus.services.enqueue import enqueue

MOST_REPLAYED = 1000
"""Events of one click; another click takes the next ones."""


def replay_event(event: WebhookEvent) -> bool:
    """Put an event back in line and call a worker; false if it waits already."""
    waits = events.replay(event)
    if waits:
        enqueue("process_event", event.pk)
    return waits


def why_no_replay(event: WebhookEvent) -> str:
    """Return why ``event`` cannot be replayed now; empty if it can."""
    if event.status == EventStatus.RECEIVED:
        return _("It is waiting to be processed already.")
    return ""


def _replay(model_admin: WebhookEventAdmin, request: HttpRequest, event: WebhookEvent) -> Done:
    if not replay_event(event):
        raise ToolRefusedError(why_no_replay(event) or _("It is waiting to be processed already."))
    return Done(
        message=_("“%(event)s” will be processed again.") % {"event": event}, log=_("Replayed.")
    )


def _replay_failed(model_admin: WebhookEventAdmin, request: HttpRequest, obj: None) -> Done:
    """Replay the oldest first; what is not called here at once is found by the sweep."""
    failed = WebhookEvent.objects.filter(status=EventStatus.FAILED).order_by("pk")
    replayed = sum(replay_event(event) for event in failed.defer("payload")[:MOST_REPLAYED])
    if not replayed:
        raise ToolRefusedError(_("No event has failed."))
    return Done(message=replayed_text(replayed))


def replayed_text(n: int) -> str:
    """Return what is told of ``n`` replayed events."""
    text = ngettext(
        "%(n)d event will be processed again.", "%(n)d events will be processed again.", n
    )
    return text % {"n": n}


@admin.register(WebhookEvent)
class WebhookEventAdmin(ObjectToolsMixin, LeanListMixin, ReadOnlyAdmin):
    """Events as they came, read-only."""

    list_display = (
        "received_at",
        "type",
        "status_badge",
        "subject",
        "source",
        "attempts",
        "processed_at",
        "error",
    )
    list_display_links = ("received_at", "type")
    list_filter = ("status", "event_type", "source")
    list_select_related = ("conversation", "document", "replica")
    list_defer = ("payload", "conversation__remote", "document__remote", "replica__remote")
    search_fields = (
        "event_type",
        "error",
        "conversation__tavus_id",
        "conversation__conversation_name",
        "document__tavus_id",
        "replica__tavus_id",
    )
    date_hierarchy = "received_at"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "event_type",
                    "status_badge",
                    "error",
                    "attempts",
                    "conversation",
                    "document",
                    "replica",
                    "source",
                    "received_at",
                    "processed_at",
                )
            },
        ),
        (gettext_lazy("Body"), {"fields": ("body",)}),
    )
    object_tools = (
        ObjectTool(
            name="replay",
            label=gettext_lazy("Replay"),
            permission="replay",
            refusal=why_no_replay,
            run=_replay,
        ),
    )
    changelist_tools = (
        ObjectTool(
            name="replay-failed",
            label=gettext_lazy("Replay failed events"),
            permission="replay",
            run=_replay_failed,
            confirm=gettext_lazy("Process all failed events again?"),
        ),
    )
    actions = ("replay_selected",)
    shows_findings = True

    def has_replay_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may have events processed again."""
        return request.user.has_perm("django_tavus.replay_event")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what was said only to those who may read transcripts."""
        is_private = obj is not None and obj.conversation_id is not None
        if is_private and not request.user.has_perm("django_tavus.view_transcript"):
            return self.fieldsets[:1]
        return self.fieldsets

    @admin.action(
        description=gettext_lazy("Replay selected %(verbose_name_plural)s"), permissions=["replay"]
    )
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        """Have many events processed again."""
        replayed = [event for event in queryset if replay_event(event)]
        for event in replayed:
            self.log_change(request, event, _("Replayed."))
        level = messages.SUCCESS if replayed else messages.WARNING
        self.message_user(request, replayed_text(len(replayed)), level)

    @admin.display(description=gettext_lazy("event type"), ordering="event_type")
    def type(self, obj: WebhookEvent) -> str:
        """What it says it is; some come without a type."""
        return obj.event_type or _("(untyped)")

    @admin.display(description=gettext_lazy("body"))
    def body(self, obj: WebhookEvent) -> SafeString | str:
        """The payload, pretty-printed; tokens were masked when it was stored."""
        return pretty_json(without_prompt(obj.payload))

    status_badge = status_badge
    subject = subject
