"""What holds beside the host's own permission classes and cannot be switched off."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from django_tavus.services import access


class HasAccount(BasePermission):
    """Admits who is a row of the user model: everything here hangs on an owner."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether there is somebody who can own a conversation."""
        return isinstance(request.user, get_user_model()) and request.user.is_authenticated


class MayAct(BasePermission):
    """Admits to a conversation by the act (``services.access.ACTS``) that the view stands for."""

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Whether the user may do this to this conversation."""
        return access.ACTS[view.act].allowed(request.user, obj)


class MayViewUsage(BasePermission):
    """Admits staff who may view everybody's conversations."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the user may see who talked for how long."""
        return access.may_view_usage(request.user)


WRITES = {
    "create": "add",
    "partial_update": "change",
    "recrawl": "change",
    "resolve": "change",
    "destroy": "delete",
}
"""Django's word for what an action of a view does."""


class MayWrite(BasePermission):
    """Admits to an action that changes something by the model's permission for it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the action only reads, or the user has the permission."""
        if view.action not in WRITES:
            return True
        codename = f"{WRITES[view.action]}_{view.queryset.model._meta.model_name}"
        return access.has_permission(request.user, codename)


class MayViewDocuments(BasePermission):
    """Admits who may view documents, which are the company's knowledge; writing is not viewing."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the user has the permission to view documents."""
        return view.action in WRITES or access.has_permission(request.user, "view_document")
