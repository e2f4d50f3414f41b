"""Who may enter a room, and who may close it."""

from __future__ import annotations

from typing import Any

from django_tavus.models import Conversation


def may_join(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may enter: the owner, and staff with ``launch_conversation``."""
    return is_owner(user, conversation) or (
        user.is_staff and user.has_perm("django_tavus.launch_conversation")
    )


def may_end(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may end it: the owner, and staff with ``end_conversation``."""
    return is_owner(user, conversation) or (
        user.is_staff and user.has_perm("django_tavus.end_conversation")
    )


def may_read_transcript(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may read what was said: the owner, and staff with ``view_transcript``."""
    return is_owner(user, conversation) or (
        user.is_staff and user.has_perm("django_tavus.view_transcript")
    )


def is_owner(user: Any, conversation: Conversation) -> bool:
    """Whether ``conversation`` belongs to ``user``; nobody owns one without an owner."""
    return user.is_authenticated and user.pk == conversation.owner_id
