"""Deleting conversations: all of a selection or none of it, and no live one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.actions import delete_selected
from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from django_tavus.admin.object_tools import ObjectToolsMixin
from django_tavus.admin.permissions import ConversationPermissions
from django_tavus.models import (
    Conversation,
    ConversationDocument,
    OutboxEntry,
    Recording,
    Utterance,
    WebhookEvent,
)

# What goes with a conversation needs no permission of its own.
PARTS = (ConversationDocument, OutboxEntry, Recording, Utterance, WebhookEvent)


class ConversationDeletion(ConversationPermissions, ObjectToolsMixin):
    """The page that asks, the deletion, and the bulk action."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Refuse live ones as protected; ask no permission for what goes with a conversation."""
        shown, counts, lacking, protected = super().get_deleted_objects(objs, request)
        lacking -= {model._meta.verbose_name for model in PARTS}
        if live := [str(row) for row in objs if not row.is_over]:
            protected = [*protected, *live]
            if self.has_delete_permission(request):
                lacking.discard(self.opts.verbose_name)
        return shown, counts, lacking, protected

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Tell that it came to life between the question and the answer."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except ProtectedError as error:
            return self.refuse(request, str(error.args[0]), self.page_url())

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
            return self.refuse(request, str(error.args[0]), request.get_full_path())
