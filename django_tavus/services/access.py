"""Who sees which conversation, and who may do what to it.

Closed by default: users see their own; staff see others' with the model permission, or with the
permission of the one thing that they came to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django_tavus.models import Conversation
from django_tavus.models.conversation import ConversationQuerySet


def has_permission(user: Any, codename: str) -> bool:
    """Whether ``user`` has ``django_tavus.<codename>``; user models without permissions never."""
    check = getattr(user, "has_perm", None)
    return check is not None and bool(check(f"django_tavus.{codename}"))


def is_staff_with(user: Any, codename: str) -> bool:
    """Whether ``user`` is staff and has ``django_tavus.<codename>``."""
    return bool(getattr(user, "is_staff", False)) and has_permission(user, codename)


def is_owner(user: Any, conversation: Conversation) -> bool:
    """Whether ``conversation`` belongs to ``user``; nobody owns one without an owner."""
    return bool(user.is_authenticated) and user.pk == conversation.owner_id


class Act(NamedTuple):
    """One thing that can be done to a conversation.

    ``codename`` lets staff reach others' conversations for it; ``allowed`` decides in the end.
    """

    codename: str
    allowed: Callable[[Any, Conversation], bool]


def may_view(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may see what was asked for and how it stands."""
    return is_owner(user, conversation) or is_staff_with(user, "view_conversation")


def may_join(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may enter the room."""
    return is_owner(user, conversation) or is_staff_with(user, "launch_conversation")


def may_end(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may end it."""
    return is_owner(user, conversation) or is_staff_with(user, "end_conversation")


def may_read_transcript(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may read what was said."""
    return is_owner(user, conversation) or is_staff_with(user, "view_transcript")


def may_delete(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may delete it; owning it is not enough."""
    return has_permission(user, "delete_conversation")


def may_erase(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may erase it here and at Tavus; owning it is not enough."""
    return has_permission(user, "erase_conversation")


def may_view_usage(user: Any) -> bool:
    """Whether ``user`` may see who talked for how long, everybody's included: staff only."""
    return is_staff_with(user, "view_conversation")


def may_view_events(user: Any, conversation: Conversation) -> bool:
    """Whether ``user`` may see raw events, which hold the persona's prompt: staff only."""
    return is_staff_with(user, "view_webhookevent")


ACTS: dict[str, Act] = {
    "view": Act("view_conversation", may_view),
    "end": Act("end_conversation", may_end),
    "transcript": Act("view_transcript", may_read_transcript),
    "events": Act("view_webhookevent", may_view_events),
    "delete": Act("delete_conversation", may_delete),
    "erase": Act("erase_conversation", may_erase),
}


def reachable_conversations(user: Any, act: str = "view") -> ConversationQuerySet:
    """Conversations of which ``user`` may know that they exist, in order to do ``act``."""
    if user.pk is None:  # a null key would match the conversations without an owner
        return Conversation.objects.none()
    codenames = dict.fromkeys(("view_conversation", ACTS[act].codename))
    if any(is_staff_with(user, codename) for codename in codenames):
        return Conversation.objects.all()
    return Conversation.objects.for_user(user)
