"""Personas in the admin, and *Launch conversation*."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from django_tavus.admin import launching
from django_tavus.admin.columns import by_commas, column
from django_tavus.admin.displays import pretty_json
from django_tavus.admin.mirrors import MirrorAdmin
from django_tavus.admin.object_tools import Done, ObjectTool, ToolRefusedError
from django_tavus.admin.permissions import LaunchPermission
from django_tavus.admin.persona_form import PersonaForm
from django_tavus.admin.publishing_tools import PUBLISH_TOOLS
from django_tavus.models import Conversation, Persona
from django_tavus.models.choices import SyncState


def why_no_launch(persona: Persona) -> str:
    """Return why no conversation can be launched with ``persona`` alone; empty if one can."""
    if not persona.tavus_id:
        return _("This persona is not at Tavus yet.")
    if persona.sync_state == SyncState.GONE:
        return _("This persona no longer exists at Tavus.")
    if persona.default_replica_id is None:
        return _("This persona has no default replica: add a conversation and choose a replica.")
    return ""


def _launch(model_admin: PersonaAdmin, request: HttpRequest, persona: Persona) -> Done:
    # The personas of a selection share one token, so the persona is part of the key.
    token = f"{launching.read_token(request.POST)}:{persona.pk}"
    conversation = launching.launch_once(token, persona=persona, owner=request.user)
    return Done(
        message=_("The conversation with “%(persona)s” is being launched.") % {"persona": persona},
        log=_("Launched conversation %(pk)s.") % {"pk": conversation.pk},
        url=model_admin.conversation_url(request, conversation),
    )


class LaunchActionForm(ActionForm):
    """The action bar of the list, with the token of its launches."""

    launch_token = forms.CharField(
        label="",
        required=False,
        initial=launching.new_token,
        widget=forms.HiddenInput(attrs={"autocomplete": "off"}),
    )


@admin.register(Persona)
class PersonaAdmin(LaunchPermission, MirrorAdmin):
    """How agents behave."""

    sync_kind = "personas"
    shows_findings = True
    action_form = LaunchActionForm
    actions = ("launch_selected", "delete_selected")
    object_tools = (
        ObjectTool(
            name="launch",
            label=gettext_lazy("Launch conversation"),
            permission="launch",
            refusal=why_no_launch,
            run=_launch,
            fields=launching.token_field,
        ),
        *PUBLISH_TOOLS,
    )
    list_display = (
        "__str__",
        "default_replica",
        "pipeline_mode",
        "persona_type",
        "tavus_id",
        "sync_badge",
        "updated_at",
    )
    list_filter = ("persona_type", "pipeline_mode", "sync_state")
    list_select_related = ("default_replica",)
    list_defer = (
        *("remote", "conflicts", "layers", "layer_secrets", "system_prompt", "context"),
        *("default_replica__remote", "default_replica__conflicts"),
    )
    search_fields = ("persona_name", "tavus_id")
    date_hierarchy = "created_at"
    autocomplete_fields = ("default_replica", "documents")
    new_form = edit_form = PersonaForm
    new_fieldsets = edit_fieldsets = (
        (None, {"fields": ("edition", "persona_name", "default_replica", "pipeline_mode")}),
        (gettext_lazy("Behavior"), {"fields": ("system_prompt", "context", "greeting")}),
        (
            gettext_lazy("Knowledge and rules"),
            {"fields": ("documents", "document_tags", "objectives_id", "guardrail_ids")},
        ),
        (gettext_lazy("Layers"), {"fields": ("layers",)}),
    )
    shown_fieldsets = (
        (None, {"fields": ("persona_name", "default_replica", "pipeline_mode", "persona_type")}),
        (gettext_lazy("Behavior"), {"fields": ("system_prompt", "context", "greeting")}),
        (
            gettext_lazy("Knowledge and rules"),
            {"fields": ("documents", "tag_list", "objectives_id", "guardrail_list")},
        ),
        (gettext_lazy("Layers"), {"fields": ("layers_body",), "classes": ("collapse",)}),
    )

    def conversation_url(self, request: HttpRequest, conversation: Conversation) -> str:
        """Return the page of ``conversation``; empty for those who may not see it."""
        conversations = self.admin_site.get_model_admin(Conversation)
        if not conversations.has_view_or_change_permission(request, conversation):
            return ""
        name = f"{self.admin_site.name}:django_tavus_conversation_change"
        return reverse(name, args=[conversation.pk])

    @admin.action(
        description=gettext_lazy("Launch conversation"),
        permissions=["launch"],
    )
    def launch_selected(
        self, request: HttpRequest, queryset: QuerySet[Persona]
    ) -> HttpResponse | None:
        """Launch one conversation with each persona; a single one leads to its page."""
        urls: list[str] = []
        for persona in queryset:
            try:
                done = self._launch_one(request, persona)
            except ToolRefusedError as error:
                text = _("“%(persona)s”: %(reason)s") % {"persona": persona, "reason": error}
                self.message_user(request, text, messages.ERROR)
            else:
                urls.append(done.url)
        if urls:
            self._tell(request, len(urls))
        return HttpResponseRedirect(urls[0]) if len(urls) == 1 and urls[0] else None

    def _launch_one(self, request: HttpRequest, persona: Persona) -> Done:
        if reason := why_no_launch(persona):
            raise ToolRefusedError(reason)
        done = _launch(self, request, persona)
        self.log_change(request, persona, done.log)
        return done

    def _tell(self, request: HttpRequest, count: int) -> None:
        message = ngettext(
            "%(n)d conversation is being launched.",
            "%(n)d conversations are being launched.",
            count,
        )
        self.message_user(request, message % {"n": count}, messages.SUCCESS)

    tag_list = column("document_tags", gettext_lazy("document tags"), by_commas)
    guardrail_list = column("guardrail_ids", gettext_lazy("guardrail ids"), by_commas)
    layers_body = column("layers", gettext_lazy("layers"), pretty_json)
