"""``{% load tavus %}``: a room, or a check of camera and microphone, in a page of the host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from django_tavus.models import Conversation
from django_tavus.rooms.phases import phase_of
from django_tavus.services import tokens
from django_tavus.services.access import is_owner, may_join, may_read_transcript

register = template.Library()

ALLOW = "camera; microphone; fullscreen; display-capture; autoplay"
"""What the room inside the frame may use; Tavus docs on embedding."""

EXPLANATIONS = {
    "concurrency_limit": _("All rooms were taken for too long. Please try again in a while."),
    "budget_exhausted": _("The minutes of today are used up. Please try again tomorrow."),
    "out_of_credits": _("The account of this site at Tavus is out of credits."),
    "tavus_unavailable": _("Tavus could not be reached. Please try again in a while."),
    "tavus_unauthorized": _("This site is not set up correctly: Tavus refused its key."),
    "outcome_unknown": _("Tavus did not answer. Please try again."),
}
"""What a participant is told of a failure; others get the general sentence."""
GENERAL = _("The conversation could not be started.")


@register.inclusion_tag("django_tavus/room_frame.html", takes_context=True)
def tavus_room(context: Context, conversation: Conversation) -> dict[str, Any]:
    """Render the room of ``conversation`` as it is now: the frame to join in, or what to await.

    Shown to those who may join. A template without a user in its context, and a conversation
    without an owner, are the host's to show to whom it likes: then there is the frame, but no
    polling, for nobody is known who may poll.
    """
    user = _viewer(context)
    admitted = user is not None and may_join(user, conversation)
    shown = admitted or user is None or conversation.owner_id is None
    phase = phase_of(conversation)
    return {
        "conversation": conversation,
        "phase": phase,
        "template": f"django_tavus/room_{phase.name}.html",
        "shown": shown,
        "allow": ALLOW,
        "room_url": _web_url(conversation) if shown else "",
        "partner": partner(conversation),
        "position": getattr(conversation, "queue_position", None),
        "explanation": EXPLANATIONS.get(conversation.error_code, GENERAL),
        "utterances": _utterances(user, conversation),
        "length": _length(conversation.duration),
        "status_url": _url("room-status", conversation) if admitted else "",
        "leave_url": _leave_url(user, conversation) if admitted else "",
        "csp_nonce": _nonce(context),
    }


@register.inclusion_tag("django_tavus/room_device_check.html", takes_context=True)
def tavus_device_check(context: Context, *, audio_only: bool = False) -> dict[str, Any]:
    """Render a button that tries camera and microphone, for a form that launches.

    Nothing is paid for yet, and nothing is sent anywhere. Without scripts it shows nothing.
    """
    return {"audio_only": audio_only, "with_assets": True, "csp_nonce": _nonce(context)}


@register.simple_tag(takes_context=True)
def tavus_nonce(context: Context) -> str:
    """Render the attribute ``nonce`` for the style sheet and script of a page, if there is one."""
    nonce = _nonce(context)
    return format_html(' nonce="{}"', nonce) if nonce else ""


def partner(conversation: Conversation) -> str:
    """Return whom one talks to: the persona's name, else the replica's."""
    subject = conversation.persona or conversation.replica
    return str(subject) if subject is not None else ""


def _viewer(context: Context) -> Any:
    return getattr(context.get("request"), "user", None) or context.get("user")


def _nonce(context: Context) -> str:
    """Return the nonce of this answer's Content-Security-Policy, or nothing.

    Django puts it into the context, django-csp at the request. Both are lazy, and Django's is
    false until somebody has read it: ``{% if csp_nonce %}`` alone would never write it.
    """
    given = (context.get("csp_nonce"), getattr(context.get("request"), "csp_nonce", None))
    return next((str(nonce) for nonce in given if nonce is not None), "")


def _web_url(conversation: Conversation) -> str:
    """Return where to join; never a ``javascript:`` URL, which a frame would run as ours."""
    if not conversation.is_joinable:
        return ""
    try:
        scheme = urlsplit(conversation.conversation_url).scheme
    except ValueError:  # "Invalid IPv6 URL"
        return ""
    return conversation.room_url if scheme in {"http", "https"} else ""


def _length(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    return gettext("%(length)s minutes") % {"length": f"{seconds // 60}:{seconds % 60:02}"}


def _utterances(user: Any, conversation: Conversation) -> list[Any]:
    if user is None or not conversation.is_over or not may_read_transcript(user, conversation):
        return []
    return list(conversation.utterances.exclude(role="tool"))


def _leave_url(user: Any, conversation: Conversation) -> str:
    """Return the beacon's URL, for the owner: staff who look in and go must not end the call."""
    if conversation.is_over or not is_owner(user, conversation):
        return ""
    return _url("room-leave", conversation, token=tokens.make_leave_token(conversation))


def _url(name: str, conversation: Conversation, **kwargs: str) -> str:
    return reverse(f"django_tavus:{name}", kwargs={"pk": conversation.pk, **kwargs})
