"""Who may enter a room, and who may close it."""

from __future__ import annotations

from typing import Any

from django_tavus.models import Conversation


def may_join(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may enter: the owner, and staff with ``launch_conversation``."""
    return is_owner(user, conversation) or _is_staff_with(user, "launch_conversation")


def may_end(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may end it: the owner, and staff with ``end_conversation``."""
    return is_owner(user, conversation) or _is_staff_with(user, "end_conversation")


def may_read_transcript(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may read what was said: the owner, and staff with ``view_transcript``."""
    return is_owner(user, conversation) or _is_staff_with(user, "view_transcript")


def is_owner(user: Any, conversation: Conversation) -> bool:
    """Whether ``conversation`` belongs to ``user``; nobody owns one without an owner."""
    return bool(user.is_authenticated) and user.pk == conversation.owner_id


def _is_staff_with(user: Any, codename: str) -> bool:
    """Whether ``user`` is staff with a permission; user models that know of neither never are."""
    check = getattr(user, "has_perm", None)
    is_staff = bool(getattr(user, "is_staff", False))
    return is_staff and check is not None and bool(check(f"django_tavus.{codename}"))
