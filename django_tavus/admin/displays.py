"""How values look in the admin: badges, links, durations, JSON.

A badge is a shape, a word and a color, never a color alone. Everything is escaped, and nothing
needs an inline script or style.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.urls import NoReverseMatch
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.models import Conversation
from django_tavus.models.choices import (
    ConversationStatus,
    DocumentStatus,
    EventStatus,
    ReplicaStatus,
    SyncState,
)
from django_tavus.services.mapping import keep

EMPTY = "-"


def breakable(name: str) -> SafeString:
    """Return a long name of Tavus's that may go over to the next line after each underscore."""
    return format_html_join(mark_safe("_<wbr>"), "{}", ((part,) for part in name.split("_")))


class Look(NamedTuple):
    """Shape and tone of a badge; the tones are classes of ``admin.css``."""

    shape: str
    tone: str


UNKNOWN = Look("·", "quiet")  # a status that Tavus has thought of since

LOOKS: dict[str, Look] = {
    ConversationStatus.QUEUED: Look("○", "quiet"),
    ConversationStatus.LAUNCHING: Look("◔", "busy"),
    ConversationStatus.ACTIVE: Look("●", "good"),
    ConversationStatus.ENDED: Look("■", "quiet"),
    ConversationStatus.FAILED: Look("⚠", "bad"),
    "ending": Look("◐", "busy"),
    "outcome unknown": Look("?", "bad"),
    SyncState.IN_SYNC: Look("✓", "good"),
    SyncState.PENDING: Look("◔", "busy"),
    SyncState.GONE: Look("✕", "quiet"),
    ReplicaStatus.TRAINING: Look("◔", "busy"),
    ReplicaStatus.READY: Look("✓", "good"),
    ReplicaStatus.ERROR: Look("⚠", "bad"),
    DocumentStatus.STARTED: Look("○", "busy"),
    DocumentStatus.PROCESSING: Look("◔", "busy"),
    DocumentStatus.RECRAWLING: Look("↺", "busy"),
    EventStatus.RECEIVED: Look("◔", "busy"),
    EventStatus.PROCESSED: Look("✓", "good"),
    EventStatus.REJECTED: Look("✕", "bad"),
}

# What the page says of a conversation although its status is still another.
PSEUDO_STATUS = {
    "ending": gettext_lazy("ending"),
    "outcome unknown": gettext_lazy("outcome unknown"),
}


def badge(state: str, label: object) -> SafeString:
    """Return a badge for ``state`` that says ``label``."""
    look = LOOKS.get(state, UNKNOWN)
    return format_html(
        '<span class="tavus-badge tavus-{}"><span aria-hidden="true">{}</span> {}</span>',
        look.tone,
        look.shape,
        label,
    )


def field_badge(row: Any, field: str) -> SafeString | str:
    """Return a badge for a field with choices; a dash where it is empty."""
    value = getattr(row, field)
    return badge(value, getattr(row, f"get_{field}_display")()) if value else EMPTY


def conversation_state(conversation: Conversation) -> str:
    """Return the status, or what says more than it: ``ending``, ``outcome unknown``."""
    if conversation.is_in_doubt:
        return "outcome unknown"
    if conversation.end_requested_at is not None and not conversation.is_over:
        return "ending"
    return conversation.status


def conversation_state_label(conversation: Conversation) -> str:
    """Return the word for :func:`conversation_state`."""
    label = PSEUDO_STATUS.get(conversation_state(conversation))
    return str(label or conversation.get_status_display())


def conversation_badge(conversation: Conversation) -> SafeString:
    """Return the badge of a conversation."""
    return badge(conversation_state(conversation), conversation_state_label(conversation))


def clock(seconds: float | None) -> str:
    """Return ``seconds`` as ``mm:ss`` or ``h:mm:ss``; a dash for ``None``."""
    if seconds is None:
        return EMPTY
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def is_web_address(url: str) -> bool:
    """Whether ``url`` may be a link: what came from outside may be ``javascript:`` too."""
    return url.startswith(("https://", "http://"))


def web_link(url: str, label: object = "", css: str = "") -> SafeString | str:
    """Return a link that opens in a new tab; the bare text of anything but a web address."""
    if not is_web_address(url):
        return url or EMPTY
    return format_html(
        '<a href="{}" class="{}" target="_blank" rel="noopener noreferrer">{}</a>',
        url,
        css,
        label or url,
    )


def room_address(conversation: Conversation) -> str:
    """Return where to join: our room page, for closing its tab ends a call of one's own.

    Where our URLs are not mounted it is the room itself.
    """
    if not conversation.is_joinable or not is_web_address(conversation.room_url):
        return ""
    try:
        return conversation.get_absolute_url()
    except NoReverseMatch:
        return conversation.room_url


def room_link(conversation: Conversation, label: object) -> SafeString | str:
    """Return a link into the room that opens in a new tab, while it can be joined."""
    url = room_address(conversation)
    template = '<a href="{}" class="tavus-nowrap" target="_blank" rel="noopener noreferrer">{}</a>'
    return format_html(template, url, label) if url else EMPTY


def pretty(value: Any) -> str:
    """Return ``value`` as indented JSON, its secrets masked once more."""
    kept = keep({"value": value})["value"]
    return json.dumps(kept, indent=2, ensure_ascii=False, sort_keys=True)


def pretty_json(value: Any) -> SafeString | str:
    """Return ``value`` as a block of indented JSON; a dash where there is nothing."""
    if value in (None, {}, [], ""):
        return EMPTY
    return format_html('<pre class="tavus-json" dir="ltr" tabindex="0">{}</pre>', pretty(value))


def without_prompt(payload: Any) -> Any:
    """Return an event's payload without what nobody said.

    Tavus puts the persona's confidential system prompt first in its transcripts.
    """
    if isinstance(payload, dict):
        if payload.get("role") == "system":
            return {**payload, "content": _("(not shown here)")}
        return {key: without_prompt(member) for key, member in payload.items()}
    if isinstance(payload, list):
        return [without_prompt(member) for member in payload]
    return payload
