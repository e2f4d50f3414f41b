"""What the admins of mirrored objects have in common: they show, and sync."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_permission_codename
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.admin.displays import field_badge, pretty_json
from django_tavus.admin.object_tools import AnyModelAdmin, Done, ObjectTool, ObjectToolsMixin
from django_tavus.models.base import RemoteObject
from django_tavus.services.enqueue import enqueue


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


class MirrorAdmin(ObjectToolsMixin, ReadOnlyAdmin):
    """A mirrored kind of object: read-only, with *Sync from Tavus* above the list."""

    sync_kind = ""
    """Key of ``services.syncing.KINDS``."""
    list_defer: tuple[str, ...] = ("remote",)
    changelist_tools = (
        ObjectTool(
            name="sync", label=gettext_lazy("Sync from Tavus"), permission="sync", run=_sync
        ),
    )

    def has_sync_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change objects of this kind may overwrite them with what Tavus has."""
        codename = get_permission_codename("change", self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")

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
    def sync_badge(self, obj: RemoteObject) -> SafeString | str:
        """How the row stands towards Tavus."""
        return field_badge(obj, "sync_state")

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, obj: Any) -> SafeString | str:
        """The remote status."""
        return field_badge(obj, "status")

    @admin.display(description=gettext_lazy("remote body"))
    def remote_body(self, obj: RemoteObject) -> SafeString | str:
        """The last body that Tavus gave, secrets masked."""
        return pretty_json(obj.remote)


Fieldset = tuple[Any, Any]

SYNC_FIELDSET: Fieldset = (
    gettext_lazy("Sync"),
    {"fields": ("tavus_id", "sync_badge", "sync_error", "synced_at", "created_at", "updated_at")},
)
REMOTE_FIELDSET: Fieldset = (
    gettext_lazy("Remote body"),
    {"fields": ("remote_body",), "classes": ("collapse",)},
)
