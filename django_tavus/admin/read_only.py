"""Rows that are only looked at."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from django_tavus.admin.object_tools import AnyModelAdmin


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
