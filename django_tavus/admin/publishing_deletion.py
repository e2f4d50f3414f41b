"""Deleting what is published: the wish is stored here, and a task tells Tavus."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from django_tavus.admin.object_tools import ObjectToolsMixin
from django_tavus.services import publishing


class PublishingDeletion(ObjectToolsMixin):
    """The page that asks, the wish, and the bulk action."""

    delete_confirmation_template = "admin/django_tavus/delete_published.html"
    can_erase = False
    """Whether deleting may be asked to erase what Tavus would keep."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tavus's stock cannot be deleted, nor anything twice."""
        may_go = obj is None or not (obj.is_system or obj.delete_requested_at)
        return super().has_delete_permission(request, obj) and may_go

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
            return self.refuse(request, text, request.get_full_path())
        try:
            return super().delete_view(request, object_id, context)
        except ValidationError as error:
            return self.refuse(request, " ".join(error.messages), self.page_url())

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
