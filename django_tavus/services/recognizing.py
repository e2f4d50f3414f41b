"""Recognizing: whose is the room that Tavus shows?

Tavus knows no idempotency keys. What tells a launch's room from every other, by what the create
sent:

- our callback URL, which the list shows: its token names our row;
- without one, the generated name ``<persona> · <12 hex of the row's id>``;
- a name chosen by the caller is no key: then only a single unknown room with the same persona,
  replica, name and time is adopted, and there is never a second attempt.

Settings may change between an attempt and its search, so that what counts is what was sent. It is
stored with the attempt, as ``name_key``: see :func:`name_to_send`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Q

from django_tavus.conf import get_settings
from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus
from django_tavus.services import tokens
from django_tavus.services.moments import moment

GRACE = 5  # seconds on top of the time-outs before anyone but its worker touches an attempt
CLOCK_SKEW = timedelta(seconds=60)  # by which Tavus's clock may be behind ours


def attempt_window() -> timedelta:
    """The time in which an attempt is left alone: its time-outs and some grace."""
    return timedelta(seconds=get_settings().request_seconds + GRACE)


# --- keys -----------------------------------------------------------------------------------------


def name_to_send(conversation: Conversation) -> str:
    """Return the name to send where no callback URL of ours is; it is stored as ``name_key``.

    Blank: our callback URL is the key. Generated: the name is. As the caller chose it: no key.
    """
    if sends_our_callback(conversation):
        return ""
    if conversation.conversation_name:
        return conversation.conversation_name
    suffix = _key_suffix(conversation)
    who = conversation.persona or conversation.replica
    return f"{str(who or 'Conversation')[: 255 - len(suffix)]}{suffix}"


def _key_suffix(conversation: Conversation) -> str:
    """What ends a generated name, and no other: nobody knows a row's id before it is stored."""
    return f" · {conversation.pk.hex[:12]}"


def sends_our_callback(conversation: Conversation) -> bool:
    """Whether Tavus is given a callback URL of ours for it."""
    return not conversation.callback_url and bool(get_settings().PUBLIC_URL)


def has_key(conversation: Conversation) -> bool:
    """Whether a room made by its attempts, as they were sent, could be told from every other."""
    sent_callback = not conversation.name_key and not conversation.callback_url
    return sent_callback or name_is_key(conversation)


def name_is_key(conversation: Conversation) -> bool:
    """Whether an attempt sent a generated name."""
    return conversation.name_key.endswith(_key_suffix(conversation))


def may_be_repeated(conversation: Conversation) -> bool:
    """Whether the attempt had a key, and another one would have a key too."""
    keyed = sends_our_callback(conversation) or not conversation.conversation_name
    return has_key(conversation) and keyed


def is_ours(conversation: Conversation, body: Mapping[str, Any]) -> bool:
    """Whether the remote ``body`` carries the key of ``conversation``."""
    subject = tokens.subject_of_url(body.get("callback_url"))
    if subject is not None:
        return subject == ("conversation", conversation.pk)
    named = body.get("conversation_name") == conversation.name_key
    return named and name_is_key(conversation)


def resembles(conversation: Conversation, body: Mapping[str, Any]) -> bool:
    """Whether ``body`` may be its room, judged without a key."""
    began = moment(body.get("created_at"))
    attempted = conversation.attempted_at
    if began is None or attempted is None:
        return False
    replica = conversation.replica or getattr(conversation.persona, "default_replica", None)
    return (
        body.get("conversation_name") == _sent_name(conversation)
        and _same_id(body.get("persona_id"), conversation.persona)
        and _same_id(body.get("replica_id"), replica)
        and tokens.subject_of_url(body.get("callback_url")) is None  # that is another row's key
        and attempted - CLOCK_SKEW <= began <= attempted + attempt_window()
    )


def was_answered(conversation: Conversation, body: Mapping[str, Any]) -> bool:
    """Whether an orphan without a key can only have been told by the answer to our own create."""
    return (
        not has_key(conversation)
        and tokens.subject_of_url(body.get("callback_url")) is None
        and body.get("conversation_name") == _sent_name(conversation)
    )


def is_anothers(conversation: Conversation, body: Mapping[str, Any]) -> bool:
    """Whether another launch made the room, or may be about to be told so.

    Anyone may name a call like another one, and so copy its key.
    """
    theirs = Q(tavus_id=str(body.get("conversation_id")))
    if name_is_key(conversation):
        in_flight = Q(status=ConversationStatus.LAUNCHING, tavus_id__isnull=True)
        theirs |= in_flight & Q(name_key=conversation.name_key)
    launched = Conversation.objects.filter(attempts__gt=0)  # not what was imported
    return launched.exclude(pk=conversation.pk).filter(theirs).exists()


def _sent_name(conversation: Conversation) -> str:
    return conversation.name_key or conversation.conversation_name


def _same_id(tavus_id: object, row: Any) -> bool:
    """Whether both name the same object, or one of them says nothing."""
    return not tavus_id or row is None or tavus_id == row.tavus_id


# --- rooms ----------------------------------------------------------------------------------------


def find_rooms(
    conversation: Conversation, listed: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the rooms that carry the conversation's key and are no other row's.

    Anyone may name a call like another one, and so copy its key.
    """
    return _unknown([body for body in listed if is_ours(conversation, body)])


def find_alike(
    conversation: Conversation, listed: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the rooms that nobody here knows and that may be the conversation's."""
    return _unknown([body for body in listed if resembles(conversation, body)])


def _unknown(bodies: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those of ``bodies`` that are the room of no row."""
    ids = [body["conversation_id"] for body in bodies if body.get("conversation_id")]
    known = set(Conversation.objects.filter(tavus_id__in=ids).values_list("tavus_id", flat=True))
    return [body for body in bodies if body.get("conversation_id") not in known]


def has_rival(conversation: Conversation, body: Mapping[str, Any]) -> bool:
    """Whether a room may as well be that of a launch whose answer is still on its way."""
    waiting = Conversation.objects.select_related("persona__default_replica", "replica").filter(
        status=ConversationStatus.LAUNCHING, tavus_id__isnull=True, error_code=""
    )
    name = _sent_name(conversation)
    rivals = waiting.filter(Q(name_key=name) | Q(conversation_name=name))
    return any(resembles(rival, body) for rival in rivals.exclude(pk=conversation.pk))
