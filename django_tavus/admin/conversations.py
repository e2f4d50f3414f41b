"""Conversations in the admin: launching, the control room, ending."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import get_conditional_response
from django.utils.html import format_html_join
from django.utils.http import quote_etag
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.admin import selections
from django_tavus.admin.control_room import ControlRoom, Viewer
from django_tavus.admin.displays import (
    EMPTY,
    clock,
    conversation_badge,
    pretty_json,
    room_link,
)
from django_tavus.admin.filters import HasRecordingFilter, HasTranscriptFilter
from django_tavus.admin.launch_form import AfterLaunchForm, LaunchForm
from django_tavus.admin.mirrors import Fieldset, LeanChangeList
from django_tavus.admin.object_tools import Done, ObjectTool, ObjectToolsMixin, ToolRefusedError
from django_tavus.admin.usage import usage_view
from django_tavus.models import (
    Conversation,
    ConversationDocument,
    OutboxEntry,
    Recording,
    Utterance,
    WebhookEvent,
)
from django_tavus.services import end_conversation, reconciling

OURS = ("reference", "metadata")
"""What the site may still change after the launch."""

# What goes with a conversation needs no permission of its own.
PARTS = (ConversationDocument, OutboxEntry, Recording, Utterance, WebhookEvent)

LAUNCH_FIELDSETS = (
    (None, {"fields": ("launch_token", "persona", "replica", "owner", "conversation_name")}),
    (
        gettext_lazy("What it is about"),
        {"fields": ("custom_greeting", "conversational_context", "language", "memory_stores")},
    ),
    (
        gettext_lazy("Knowledge"),
        {
            "fields": ("document_ids", "document_tags", "document_retrieval_strategy"),
            "classes": ("collapse",),
        },
    ),
    (
        gettext_lazy("The room"),
        {
            "fields": (
                "test_mode",
                "audio_only",
                "require_auth",
                "max_participants",
                "max_call_duration",
                "participant_left_timeout",
                "participant_absent_timeout",
            )
        },
    ),
    (
        gettext_lazy("Recording and more"),
        {
            "fields": (
                "enable_recording",
                "enable_closed_captions",
                "apply_greenscreen",
                "properties",
                "callback_url",
            ),
            "classes": ("collapse",),
        },
    ),
    (gettext_lazy("This site's own"), {"fields": OURS, "classes": ("collapse",)}),
)

# Who and with whom is always shown; of the other request fields, under their columns, those that
# were set.
ALWAYS_SHOWN = ("persona", "replica", "owner")
SHOWN_IF_SET = {
    "conversation_name": "conversation_name",
    "conversational_context": "conversational_context",
    "custom_greeting": "custom_greeting",
    "audio_only": "audio_only",
    "test_mode": "test_mode",
    "require_auth": "require_auth",
    "max_participants": "max_participants",
    "document_tags": "document_tag_list",
    "document_retrieval_strategy": "document_retrieval_strategy",
    "memory_stores": "memory_store_list",
    "properties": "properties_body",
    "callback_url": "callback_url",
}
SYNC_FIELDS = ("tavus_id", "sync_state", "sync_error", "synced_at", "updated_at")


def change_fieldsets(conversation: Conversation) -> tuple[Fieldset, ...]:
    """Return the record of the launch, without what nobody asked for."""
    asked = [
        shown
        for column, shown in SHOWN_IF_SET.items()
        if getattr(conversation, column) not in (None, "", [], {})
    ]
    request = (*ALWAYS_SHOWN, *asked, "document_list")
    return (
        (gettext_lazy("This site's own"), {"fields": OURS}),
        (gettext_lazy("Request"), {"fields": request}),
        (gettext_lazy("Sync"), {"fields": SYNC_FIELDS, "classes": ("collapse",)}),
    )


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
class ConversationAdmin(ObjectToolsMixin):
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
        "__str__",
        "persona",
        "owner",
        "created_at",
        "length",
        "turns",
        "replica",
        "reference",
    )
    list_display_links = ("status_badge", "__str__")
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
    # The host's user admin may be missing or have no search: then the owner is a raw id.
    raw_id_fields = ("owner",)

    # --- permissions --------------------------------------------------------------------------

    def has_launch_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may launch conversations, and join those of others."""
        return request.user.has_perm("django_tavus.launch_conversation")

    def has_end_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may end conversations."""
        return request.user.has_perm("django_tavus.end_conversation")

    def has_find_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may have a doubtful launch looked for."""
        return self.has_launch_permission(request) or self.has_change_permission(request, obj)

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may erase conversations here and at Tavus."""
        return request.user.has_perm("django_tavus.erase_conversation")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Adding is launching."""
        return self.has_launch_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        """A live one stays: its room would go on costing money with nobody to end it."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_over)

    def viewer(self, request: HttpRequest) -> Viewer:
        """Return what the user may see and do in the control room."""
        has = request.user.has_perm
        return Viewer(
            may_join=self.has_launch_permission(request),
            may_read=has("django_tavus.view_transcript"),
            may_replay=has("django_tavus.replay_event") and has("django_tavus.view_webhookevent"),
            may_open_events=has("django_tavus.view_webhookevent"),
        )

    # --- list ---------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list class."""
        return LeanChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the way to the usage page."""
        url = reverse(f"{self.admin_site.name}:django_tavus_conversation_usage")
        return super().changelist_view(request, {"usage_url": url, **(extra_context or {})})

    def usage_view(self, request: HttpRequest) -> HttpResponse:
        """Answer minutes by day, persona and owner, as a page or as CSV."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not request.user.has_perm("django_tavus.view_conversation"):
            raise PermissionDenied
        return usage_view(self, request)

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

    @admin.display(description=gettext_lazy("duration"))
    def length(self, obj: Conversation) -> str:
        """From launch to end."""
        return clock(obj.duration)

    @admin.display(description=gettext_lazy("room"))
    def join(self, obj: Conversation) -> SafeString | str:
        """Link into the room while it can be joined."""
        return room_link(obj, _("Join ↗"))

    # --- launch -------------------------------------------------------------------------------

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        **kwargs: Any,
    ) -> Any:
        """The launch form, or what may be changed after it."""
        if obj is not None:
            return super().get_form(request, obj, change, form=AfterLaunchForm, **kwargs)
        form: Any = super().get_form(request, obj, change, form=LaunchForm, **kwargs)
        documents = form.base_fields["document_ids"]
        documents.widget = AutocompleteSelectMultiple(
            Conversation._meta.get_field("documents"), self.admin_site, choices=documents.choices
        )
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The launch form, or the record of the launch."""
        return change_fieldsets(obj) if obj else LAUNCH_FIELDSETS

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing of a launched conversation can be changed but the site's own fields."""
        if obj is None:
            return ()
        return (*ALWAYS_SHOWN, *SHOWN_IF_SET.values(), "document_list", *SYNC_FIELDS)

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """Search for persona, replica and, if the host's user admin can be searched, owner."""
        return ["persona", "replica", *(["owner"] if self._can_search_users() else [])]

    def _can_search_users(self) -> bool:
        try:
            return bool(self.admin_site.get_model_admin(get_user_model()).search_fields)
        except NotRegistered:
            return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever launches owns, unless she chooses another."""
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Conversation, form: Any, change: Any) -> None:
        """Launch through the service; after that store only what was changed.

        A full ``save()`` would write back the status as it was when the page was loaded.
        """
        if change:
            changed = {name: form.cleaned_data[name] for name in OURS if name in form.changed_data}
            Conversation.objects.filter(pk=obj.pk).store(**changed)
        else:
            obj.pk = form.launch().pk
            obj.refresh_from_db()

    def response_add(
        self, request: HttpRequest, obj: Conversation, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead into the control room."""
        self.message_user(request, _("The conversation is being launched."), messages.SUCCESS)
        if self.has_view_or_change_permission(request, obj):
            return HttpResponseRedirect(self.page_url(obj))
        return self.response_post_save_add(request, obj)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tell a refusal that came between the form's check and its launch."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ToolRefusedError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    # --- control room -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Add what the script asks for while the page is open."""
        wrap = self.admin_site.admin_view
        return [
            path("usage/", wrap(self.usage_view), name="django_tavus_conversation_usage"),
            path(
                "<path:object_id>/live/",
                wrap(self.live_view),
                name="django_tavus_conversation_live",
            ),
            path(
                "<path:object_id>/panel/",
                wrap(self.panel_view),
                name="django_tavus_conversation_panel",
            ),
            *super().get_urls(),
        ]

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the panel's version as JSON; 304 while nothing has changed."""
        return self._look(request, object_id, self._live)

    def panel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the panel and the buttons as HTML."""
        return self._look(request, object_id, self._panel)

    def _look(self, request: HttpRequest, object_id: str, answer: Any) -> HttpResponse:
        """Check method, permission and existence, in this order."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        conversation = self.get_object(request, object_id)
        if not self.has_view_or_change_permission(request, conversation):
            raise PermissionDenied
        if conversation is None:
            return JsonResponse({"detail": _("It was deleted.")}, status=404)
        response: HttpResponse = answer(request, conversation)
        return response

    def _live(self, request: HttpRequest, conversation: Conversation) -> HttpResponse | None:
        room = ControlRoom(conversation, self.viewer(request))
        answer = room.as_json()
        etag = quote_etag(answer["version"])
        response = JsonResponse(answer, headers={"ETag": etag})
        return get_conditional_response(request, etag=etag, response=response)

    def _panel(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {
            "tool_buttons": self.tool_buttons(request, conversation, self.page_url(conversation)),
            **self._panel_context(request, conversation),
        }
        return TemplateResponse(request, "admin/django_tavus/conversation/panel.html", context)

    def _panel_context(self, request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
        name = f"{self.admin_site.name}:django_tavus"
        return {
            "original": conversation,
            "room": ControlRoom(conversation, self.viewer(request)),
            "page_url": self.page_url(conversation),
            "live_url": reverse(f"{name}_conversation_live", args=[conversation.pk]),
            "panel_url": reverse(f"{name}_conversation_panel", args=[conversation.pk]),
            "events_url": reverse(f"{name}_webhookevent_changelist"),
        }

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the control room to the page."""
        if (obj := kwargs.get("obj")) is not None:
            context.update(self._panel_context(request, obj))
            may_delete_over = super().has_delete_permission(request, obj)
            context["show_save_and_add_another"] = False
            context["is_kept"] = may_delete_over and not obj.is_over
        return super().render_change_form(request, context, *args, **kwargs)

    # --- record of the launch -----------------------------------------------------------------

    @admin.display(description=gettext_lazy("documents"))
    def document_list(self, obj: Conversation) -> SafeString | str:
        """The documents that it draws on, in their order."""
        links = obj.conversation_documents.select_related("document").defer("document__remote")
        rows = [(str(link.document),) for link in links.order_by("position")]
        return format_html_join(", ", "{}", rows) or EMPTY

    @admin.display(description=gettext_lazy("document tags"))
    def document_tag_list(self, obj: Conversation) -> str:
        """Tags, separated by commas."""
        return ", ".join(map(str, obj.document_tags)) or EMPTY

    @admin.display(description=gettext_lazy("memory stores"))
    def memory_store_list(self, obj: Conversation) -> str:
        """Stores, separated by commas."""
        return ", ".join(map(str, obj.memory_stores)) or EMPTY

    @admin.display(description=gettext_lazy("properties"))
    def properties_body(self, obj: Conversation) -> SafeString | str:
        """The properties that were asked for."""
        return pretty_json(obj.properties)

    # --- delete -------------------------------------------------------------------------------

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Refuse live ones as protected; ask no permission for what goes with a conversation."""
        shown, counts, lacking, protected = super().get_deleted_objects(objs, request)
        lacking -= {model._meta.verbose_name for model in PARTS}
        if live := [str(row) for row in objs if not row.is_over]:
            protected = [*protected, *live]
            if super().has_delete_permission(request):
                lacking.discard(self.opts.verbose_name)
        return shown, counts, lacking, protected

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Tell that it came to life between the question and the answer."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except ProtectedError as error:
            self.message_user(request, str(error.args[0]), messages.ERROR)
            return HttpResponseRedirect(self.page_url())

    @admin.action(
        description=gettext_lazy("Delete selected %(verbose_name_plural)s"), permissions=["delete"]
    )
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> HttpResponse | None:
        """Delete all of a selection or none of it; Django's own writes to the history first."""
        try:
            with transaction.atomic():
                return delete_selected(self, request, queryset)
        except ProtectedError as error:
            self.message_user(request, str(error.args[0]), messages.ERROR)
            return None
