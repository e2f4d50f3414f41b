"""Who may launch, end, find, erase and delete conversations."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from django_tavus.admin.object_tools import AnyModelAdmin
from django_tavus.models import Conversation


class LaunchPermission(AnyModelAdmin):
    """For the admins of personas and of conversations: both launch."""

    def has_launch_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may launch conversations, and join those of others."""
        return request.user.has_perm("django_tavus.launch_conversation")


class ConversationPermissions(LaunchPermission):
    """What may be done with a conversation beside looking at it and changing it."""

    def has_end_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may end conversations."""
        return request.user.has_perm("django_tavus.end_conversation")

    def has_find_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may have a doubtful launch looked for."""
        return self.has_launch_permission(request) or self.has_change_permission(request, obj)

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may erase conversations here and at Tavus."""
        return request.user.has_perm("django_tavus.erase_conversation")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Adding is launching."""
        return self.has_launch_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        """A live one stays: its room would go on costing money with nobody to end it."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_over)
