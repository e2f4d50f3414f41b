"""The page on which a conversation is launched, and that on which its own fields are changed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.admin.launch_form import AfterLaunchForm, LaunchForm
from django_tavus.admin.launch_record import OURS, READ_ONLY, LaunchRecord, change_fieldsets
from django_tavus.admin.object_tools import ObjectToolsMixin, ToolRefusedError
from django_tavus.models import Conversation

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


class LaunchPage(LaunchRecord, ObjectToolsMixin):
    """Adding is launching; after it the form shows what was asked for."""

    # The host's user admin may be missing or have no search: then the owner is a raw id.
    raw_id_fields = ("owner",)

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
        """Nothing at the launch; after it all that was asked for."""
        return READ_ONLY if obj else ()

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
            return self.refuse(request, str(error), request.get_full_path())
