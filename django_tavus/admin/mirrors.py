"""What the admins of mirrored objects have in common: they show, sync and publish.

Nothing is saved or deleted in the request: ``services.publishing`` stores what is wished for, and
a task tells Tavus.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from django_tavus.admin.displays import badge, field_badge, pretty_json
from django_tavus.admin.object_tools import (
    AnyModelAdmin,
    Done,
    ObjectTool,
    ObjectToolsMixin,
    ToolRefusedError,
)
from django_tavus.admin.publishing_forms import PublishedForm
from django_tavus.models.base import PublishedObject, RemoteObject
from django_tavus.models.choices import SyncState
from django_tavus.services import documents, publishing
from django_tavus.services.enqueue import enqueue

Fieldset = tuple[Any, Any]


class LeanChangeList(ChangeList):
    """A list that leaves the columns in ``model_admin.list_defer`` in the database.

    Remote bodies may hold whole transcripts; no list shows them.
    """

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """Return the rows of the page without their heavy columns."""
        rows = super().get_queryset(request, *args, **kwargs)
        model_admin: Any = self.model_admin
        return rows.defer(*model_admin.list_defer)


class ReadOnlyAdmin(AnyModelAdmin):
    """Shows rows that nobody edits by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows, but they go with the object that they belong to."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever might change them elsewhere may see them here."""
        return super().has_view_permission(request, obj) or super().has_change_permission(
            request, obj
        )


def _sync(model_admin: MirrorAdmin, request: HttpRequest, obj: None) -> Done:
    enqueue("sync_objects", model_admin.sync_kind)
    return Done(
        message=_("Syncing %(kind)s from Tavus. Reload this page in a moment.")
        % {"kind": model_admin.opts.verbose_name_plural},
        log=_("Synced from Tavus."),
    )


def refusable(act: Callable[[Any], None], message: Any) -> Callable[..., Done]:
    """Return what a tool runs: a service, whose refusal is told."""

    def run(model_admin: MirrorAdmin, request: HttpRequest, obj: Any) -> Done:
        try:
            act(obj)
        except ValidationError as error:
            raise ToolRefusedError(" ".join(error.messages)) from error
        except documents.RecrawlRefusedError as error:
            raise ToolRefusedError(error.message) from error
        return Done(message=str(message))

    return run


def why_no_retry(obj: PublishedObject) -> str:
    """Return why what failed cannot simply be tried again; empty if it can."""
    return _("Choose a version: keep ours, or take theirs.") if obj.conflicts else ""


PUBLISH_TOOLS = (
    ObjectTool(
        name="keep-ours",
        label=gettext_lazy("Keep ours"),
        permission="publish",
        is_shown=lambda obj: bool(obj.conflicts),
        run=refusable(
            lambda obj: publishing.resolve(obj, "ours"),
            gettext_lazy("Our version is kept. Tavus is being told."),
        ),
        confirm=gettext_lazy("Write our version of the members in conflict over that of Tavus?"),
    ),
    ObjectTool(
        name="take-theirs",
        label=gettext_lazy("Take theirs"),
        permission="publish",
        is_shown=lambda obj: bool(obj.conflicts),
        run=refusable(
            lambda obj: publishing.resolve(obj, "theirs"),
            gettext_lazy("The version of Tavus is taken over."),
        ),
        confirm=gettext_lazy("Give up our version of the members in conflict?"),
    ),
    ObjectTool(
        name="retry",
        label=gettext_lazy("Retry"),
        permission="publish",
        is_shown=lambda obj: obj.sync_state == SyncState.FAILED,
        refusal=why_no_retry,
        run=refusable(publishing.retry, gettext_lazy("Tavus is being told again.")),
    ),
    ObjectTool(
        name="create-again",
        label=gettext_lazy("Create again"),
        permission="publish",
        is_shown=lambda obj: (
            obj.sync_state == SyncState.FAILED
            and not obj.delete_requested_at
            and publishing.is_in_doubt(obj)
        ),
        run=refusable(
            lambda obj: publishing.retry(obj, create_again=True),
            gettext_lazy("It is being created again."),
        ),
        confirm=gettext_lazy(
            "Nobody knows whether Tavus has made this already. Have you looked there, and want to "
            "create it once more?"
        ),
    ),
)


class MirrorAdmin(ObjectToolsMixin, AnyModelAdmin):
    """A mirrored kind of object: edited through the services, and synced."""

    sync_kind = ""
    """Key of ``services.syncing.KINDS``."""
    list_defer: tuple[str, ...] = ("remote", "conflicts")
    changelist_tools = (
        ObjectTool(
            name="sync", label=gettext_lazy("Sync from Tavus"), permission="sync", run=_sync
        ),
    )
    object_tools: Sequence[ObjectTool] = PUBLISH_TOOLS
    actions: Any = ("delete_selected",)
    delete_confirmation_template = "admin/django_tavus/delete_published.html"
    can_erase = False
    """Whether deleting may be asked to erase what Tavus would keep."""
    new_form: type[PublishedForm]
    """While Tavus does not have the object."""
    edit_form: type[PublishedForm]
    new_fieldsets: Sequence[Fieldset]
    edit_fieldsets: Sequence[Fieldset]
    shown_fieldsets: Sequence[Fieldset]
    """For those who may not change it."""

    # --- permissions --------------------------------------------------------------------------

    def has_sync_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change objects of this kind may overwrite them with what Tavus has."""
        return super().has_change_permission(request)

    def has_publish_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change objects of this kind decides how they are published."""
        return super().has_change_permission(request) and not (obj and obj.is_system)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tavus's stock, what is gone and what is being deleted can only be looked at."""
        return super().has_change_permission(request, obj) and (obj is None or not is_fixed(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tavus's stock cannot be deleted, nor anything twice."""
        may_go = obj is None or not (obj.is_system or obj.delete_requested_at)
        return super().has_delete_permission(request, obj) and may_go

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change objects of this kind sees those, too, that cannot be changed."""
        return super().has_view_permission(request, obj) or super().has_change_permission(request)

    # --- forms --------------------------------------------------------------------------------

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

    state_fieldsets: Sequence[Fieldset] = ()
    """What Tavus tells of an object, below what is edited."""

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
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    # --- delete -------------------------------------------------------------------------------

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the objects alone: what hangs on them goes once Tavus has deleted them."""
        rows = list(objs)
        fixed = any(not self.has_delete_permission(request, row) for row in rows)
        lacking = {self.opts.verbose_name} if fixed else set()
        return [str(row) for row in rows], {self.opts.verbose_name_plural: len(rows)}, lacking, []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, with a typed name before anything is erased; then store the wish."""
        context = {"can_erase": self.can_erase, **(extra_context or {})}
        if self._erases(request) and not self._is_named(request, object_id):
            text = _("Nothing was deleted: the name that you typed is another one.")
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        try:
            return super().delete_view(request, object_id, context)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return HttpResponseRedirect(self.page_url())

    def _erases(self, request: HttpRequest) -> bool:
        return self.can_erase and bool(request.POST.get("hard"))

    def _is_named(self, request: HttpRequest, object_id: str) -> bool:
        obj = self.get_object(request, unquote(object_id))
        return obj is None or request.POST.get("typed", "").strip() == str(obj).strip()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Store that ``obj`` is to be deleted at Tavus, and then here."""
        publishing.request_delete(obj, hard=self._erases(request))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        """Say that it is on its way out."""
        text = _("“%(name)s” is being deleted at Tavus, and then here.") % {"name": obj_display}
        self.message_user(request, text, messages.SUCCESS)
        if self.has_view_or_change_permission(request):
            return HttpResponseRedirect(self.page_url())
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:index"))

    @admin.action(
        description=gettext_lazy("Delete selected %(verbose_name_plural)s"), permissions=["delete"]
    )
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Ask with Django's page, then store the wish for each."""
        rows = list(queryset)
        if "post" not in request.POST or self.get_deleted_objects(rows, request)[2]:
            return delete_selected(self, request, queryset)
        with transaction.atomic():
            for row in rows:
                publishing.request_delete(row)
                self.log_change(request, row, _("Asked for its deletion."))
        text = ngettext(
            "%(n)d object is being deleted at Tavus, and then here.",
            "%(n)d objects are being deleted at Tavus, and then here.",
            len(rows),
        )
        self.message_user(request, text % {"n": len(rows)}, messages.SUCCESS)
        return None

    # --- show ---------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list class."""
        return LeanChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Offer no object in an autocomplete field that Tavus does not have."""
        match = request.resolver_match
        if match is not None and match.url_name == "autocomplete":
            queryset = queryset.known()  # type: ignore[attr-defined]
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=gettext_lazy("sync state"), ordering="sync_state")
    def sync_badge(self, obj: PublishedObject) -> SafeString | str:
        """How the row stands towards Tavus."""
        if obj.delete_requested_at:
            return badge("ending", _("being deleted"))
        return field_badge(obj, "sync_state")

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, obj: Any) -> SafeString | str:
        """The remote status."""
        return field_badge(obj, "status")

    @admin.display(description=gettext_lazy("remote body"))
    def remote_body(self, obj: RemoteObject) -> SafeString | str:
        """The last body that Tavus gave, secrets masked."""
        return pretty_json(obj.remote)

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


def is_fixed(obj: PublishedObject) -> bool:
    """Whether ``obj`` can only be looked at."""
    is_gone = obj.sync_state == SyncState.GONE
    return obj.is_system or is_gone or obj.delete_requested_at is not None


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
