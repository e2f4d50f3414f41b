"""The control room on the change page, and what its script asks for while the page is open."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from django_tavus.admin.control_room import ControlRoom, Viewer
from django_tavus.admin.object_tools import ObjectToolsMixin
from django_tavus.admin.permissions import ConversationPermissions
from django_tavus.models import Conversation


class ControlRoomViews(ConversationPermissions, ObjectToolsMixin):
    """Shows the control room, and keeps it up to date."""

    def viewer(self, request: HttpRequest) -> Viewer:
        """Return what the user may see and do in the control room."""
        has = request.user.has_perm
        return Viewer(
            may_join=self.has_launch_permission(request),
            may_read=has("django_tavus.view_transcript"),
            may_replay=has("django_tavus.replay_event") and has("django_tavus.view_webhookevent"),
            may_open_events=has("django_tavus.view_webhookevent"),
        )

    def get_urls(self) -> list[URLPattern]:
        """Add what the script asks for while the page is open."""
        wrap = self.admin_site.admin_view
        return [
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

    @method_decorator(require_safe)
    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the panel's version as JSON; 304 while nothing has changed."""
        return self._look(request, object_id, self._live)

    @method_decorator(require_safe)
    def panel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the panel and the buttons as HTML."""
        return self._look(request, object_id, self._panel)

    def _look(self, request: HttpRequest, object_id: str, answer: Any) -> HttpResponse:
        """Check permission and existence, in this order."""
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
            context["show_save_and_add_another"] = False
            context["is_kept"] = self.has_delete_permission(request) and not obj.is_over
        return super().render_change_form(request, context, *args, **kwargs)
