"""The page of one published object: its form, its state, and what is in conflict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.admin.columns import column, status_badge
from django_tavus.admin.displays import badge, field_badge, pretty_json
from django_tavus.admin.object_tools import Fieldset, ObjectToolsMixin
from django_tavus.admin.publishing_forms import PublishedForm
from django_tavus.models.base import PublishedObject
from django_tavus.services import publishing

CONFLICT_FIELDSET: Fieldset = (
    gettext_lazy("In conflict"),
    {"fields": ("conflict_table",), "classes": ("tavus-wide",)},
)
SYNC_FIELDSET: Fieldset = (
    gettext_lazy("Sync"),
    {"fields": ("tavus_id", "sync_badge", "sync_error", "synced_at", "created_at", "updated_at")},
)
REMOTE_FIELDSET: Fieldset = (
    gettext_lazy("Remote body"),
    {"fields": ("remote_body",), "classes": ("collapse",)},
)


class PublishingPage(ObjectToolsMixin):
    """Nothing is saved in the request: what is wished for is stored, and a task tells Tavus."""

    new_form: type[PublishedForm]
    """While Tavus does not have the object."""
    edit_form: type[PublishedForm]
    new_fieldsets: Sequence[Fieldset]
    edit_fieldsets: Sequence[Fieldset]
    shown_fieldsets: Sequence[Fieldset]
    """For those who may not change it."""
    state_fieldsets: Sequence[Fieldset] = ()
    """What Tavus tells of an object, below what is edited."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What can be said of a new object, changed of a published one, or seen."""
        if obj is None:
            return self.new_fieldsets
        first = [CONFLICT_FIELDSET] if obj.conflicts else []
        if not self.has_change_permission(request, obj):
            fieldsets = self.shown_fieldsets
        elif obj.tavus_id:
            fieldsets = (*self.edit_fieldsets, *self.state_fieldsets)
        else:
            fieldsets = self.new_fieldsets
        return [*first, *fieldsets, SYNC_FIELDSET, REMOTE_FIELDSET]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything on the page but what is published from it."""
        columns = publishing.fields_of(obj or self.model())
        names = flatten_fieldsets(self.get_fieldsets(request, obj))
        own = {field.name for field in self.opts.get_fields()}
        return [
            name
            for name in names
            if hasattr(type(self), name) or (name in own and name not in columns)
        ]

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        **kwargs: Any,
    ) -> Any:
        """The form of a new object or of a published one; none where nothing can be changed."""
        if obj is None or self.has_change_permission(request, obj):
            kwargs["form"] = self.edit_form if obj and obj.tavus_id else self.new_form
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Publish what was changed."""
        obj.pk = form.publish().pk
        obj.refresh_from_db()
        if form.warnings:
            message = _("Not known to this site, and sent as they are: %(names)s.")
            names = ", ".join(form.warnings)
            self.message_user(request, message % {"names": names}, messages.WARNING)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Do nothing: relations were stored with the rest."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tell a refusal that came between the form's check and its publishing."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ValidationError as error:
            return self.refuse(request, " ".join(error.messages), request.get_full_path())

    @admin.display(description=gettext_lazy("sync state"), ordering="sync_state")
    def sync_badge(self, obj: PublishedObject) -> SafeString | str:
        """How the row stands towards Tavus."""
        if obj.delete_requested_at:
            return badge("ending", _("being deleted"))
        return field_badge(obj, "sync_state")

    @admin.display(description=gettext_lazy("versions"))
    def conflict_table(self, obj: PublishedObject) -> SafeString:
        """Both versions of what is in conflict, side by side."""
        conflicts = [
            {
                "path": str(conflict.get("path", "")).strip("/").replace("/", " › "),
                **{side: pretty_json(conflict.get(side)) for side in ("base", "ours", "theirs")},
            }
            for conflict in obj.conflicts
        ]
        return render_to_string("admin/django_tavus/conflicts.html", {"conflicts": conflicts})

    status_badge = status_badge
    remote_body = column("remote", gettext_lazy("remote body"), pretty_json)
