"""What the admins of mirrored objects have in common: they show, sync and publish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.admin.lean_lists import LeanListMixin
from django_tavus.admin.object_tools import Done, ObjectTool
from django_tavus.admin.publishing_deletion import PublishingDeletion
from django_tavus.admin.publishing_page import PublishingPage
from django_tavus.admin.publishing_tools import PUBLISH_TOOLS
from django_tavus.models.base import PublishedObject
from django_tavus.models.choices import SyncState
from django_tavus.services.enqueue import enqueue


def _sync(model_admin: MirrorAdmin, request: HttpRequest, obj: None) -> Done:
    enqueue("sync_objects", model_admin.sync_kind)
    return Done(
        message=_("Syncing %(kind)s from Tavus. Reload this page in a moment.")
        % {"kind": model_admin.opts.verbose_name_plural},
        log=_("Synced from Tavus."),
    )


def is_fixed(obj: PublishedObject) -> bool:
    """Whether ``obj`` can only be looked at."""
    is_gone = obj.sync_state == SyncState.GONE
    return obj.is_system or is_gone or obj.delete_requested_at is not None


class MirrorAdmin(PublishingPage, PublishingDeletion, LeanListMixin):
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

    def has_sync_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change objects of this kind may overwrite them with what Tavus has."""
        return super().has_change_permission(request)

    def has_publish_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change objects of this kind decides how they are published."""
        return super().has_change_permission(request) and not (obj and obj.is_system)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tavus's stock, what is gone and what is being deleted can only be looked at."""
        return super().has_change_permission(request, obj) and (obj is None or not is_fixed(obj))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Offer no object in an autocomplete field that Tavus does not have."""
        match = request.resolver_match
        if match is not None and match.url_name == "autocomplete":
            queryset = queryset.known()  # type: ignore[attr-defined]
        return super().get_search_results(request, queryset, search_term)
