"""Lists that leave heavy columns in the database."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from django_tavus.admin.object_tools import AnyModelAdmin


class LeanChangeList(ChangeList):
    """A list without the columns in ``model_admin.list_defer``."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """Return the rows of the page without their heavy columns."""
        rows = super().get_queryset(request, *args, **kwargs)
        model_admin: Any = self.model_admin
        return rows.defer(*model_admin.list_defer)


class LeanListMixin(AnyModelAdmin):
    """Lists rows without ``list_defer``: remote bodies may hold whole transcripts."""

    list_defer: tuple[str, ...] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list class."""
        return LeanChangeList
