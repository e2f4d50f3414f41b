"""Conversations in the admin: the list, and what can be done with one or many of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.admin import selections
from django_tavus.admin.columns import column
from django_tavus.admin.control_room_views import ControlRoomViews
from django_tavus.admin.conversation_deletion import ConversationDeletion
from django_tavus.admin.displays import clock, conversation_badge, room_link
from django_tavus.admin.filters import HasRecordingFilter, HasTranscriptFilter
from django_tavus.admin.launch_page import LaunchPage
from django_tavus.admin.lean_lists import LeanListMixin
from django_tavus.admin.object_tools import Done, ObjectTool, ToolRefusedError
from django_tavus.admin.usage import UsagePage
from django_tavus.models import Conversation
from django_tavus.services import end_conversation, reconciling


def why_no_end(conversation: Conversation) -> str:
    """Return why ``conversation`` cannot be ended now; empty if it can."""
    if conversation.is_over:
        return _("It is over.")
    if conversation.end_requested_at is not None:
        return _("Its end has been requested already.")
    return ""


def _end(model_admin: ConversationAdmin, request: HttpRequest, conversation: Conversation) -> Done:
    end_conversation(conversation)
    if conversation.is_over:
        return Done(message=_("The conversation was canceled."), log=_("Canceled."))
    return Done(message=_("The conversation is being ended."), log=_("Requested its end."))


def why_no_find(conversation: Conversation) -> str:
    """Return why there is nothing to be looked for; empty if there is."""
    return "" if conversation.is_in_doubt else _("It is not in doubt.")


def _find(model_admin: ConversationAdmin, request: HttpRequest, conversation: Conversation) -> Done:
    if not reconciling.look_now(conversation):
        raise ToolRefusedError(_("It is not in doubt any more."))
    return Done(
        message=_("Tavus is being asked what it has. This page shows what comes of it."),
        log=_("Asked to find it at Tavus."),
    )


@admin.register(Conversation)
class ConversationAdmin(
    ControlRoomViews, LaunchPage, ConversationDeletion, UsagePage, LeanListMixin
):
    """Launch, watch, end."""

    change_form_template = "admin/django_tavus/conversation/change_form.html"
    change_list_template = "admin/django_tavus/conversation/change_list.html"
    view_on_site = False
    shows_findings = True
    actions = ("end_selected", "erase_selected", "delete_selected")
    object_tools = (
        ObjectTool(
            name="find",
            label=gettext_lazy("Find it at Tavus"),
            permission="find",
            is_shown=lambda conversation: conversation.is_in_doubt,
            refusal=why_no_find,
            run=_find,
        ),
        ObjectTool(
            name="end",
            label=gettext_lazy("End"),
            permission="end",
            refusal=why_no_end,
            run=_end,
            confirm=gettext_lazy("End this conversation now? Everybody in the room is put out."),
        ),
    )
    list_display = (
        "status_badge",
        "name",
        "persona",
        "owner",
        "created_at",
        "length",
        "turns",
        "replica",
        "reference",
    )
    list_display_links = ("status_badge", "name")
    list_filter = (
        "status",
        "test_mode",
        HasTranscriptFilter,
        HasRecordingFilter,
        "shutdown_reason",
        ("persona", admin.RelatedOnlyFieldListFilter),
        ("replica", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("persona", "replica", "owner")
    list_defer = (
        "remote",
        "perception_analysis",
        "conversational_context",
        "persona__remote",
        "persona__layers",
        "persona__system_prompt",
        "persona__context",
        "replica__remote",
    )
    search_fields = (
        "conversation_name",
        "tavus_id",
        "reference",
        f"owner__{get_user_model().USERNAME_FIELD}",
    )
    search_help_text = gettext_lazy("Name, Tavus id, reference or owner")
    date_hierarchy = "created_at"

    @admin.action(
        description=gettext_lazy("End selected %(verbose_name_plural)s"), permissions=["end"]
    )
    def end_selected(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> HttpResponse | None:
        """End those that are live, after a page that lists them."""
        return selections.end_selected(self, request, queryset)

    @admin.action(
        description=gettext_lazy("Erase selected %(verbose_name_plural)s here and at Tavus"),
        permissions=["erase"],
    )
    def erase_selected(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> HttpResponse | None:
        """Erase those that are over, after a page on which their number is typed."""
        return selections.erase_selected(self, request, queryset)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Add the links into rooms for those who may join."""
        columns = list(super().get_list_display(request))
        if self.has_launch_permission(request):
            columns.insert(2, "join")
        return columns

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, obj: Conversation) -> SafeString:
        """Shape, word and color."""
        return conversation_badge(obj)

    @admin.display(description=gettext_lazy("conversation"), ordering="conversation_name")
    def name(self, obj: Conversation) -> str:
        """Its name, else its Tavus id, else the beginning of ours."""
        return obj.conversation_name or obj.tavus_id or f"{obj.pk.hex[:8]}…"

    @admin.display(description=gettext_lazy("room"))
    def join(self, obj: Conversation) -> SafeString | str:
        """Link into the room while it can be joined."""
        return room_link(obj, _("Join ↗"))

    length = column("duration", gettext_lazy("duration"), clock)
