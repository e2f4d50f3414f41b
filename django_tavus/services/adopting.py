"""Doubtful creates: whose is the room that Tavus may have made?

Everything that is no clear refusal may have made a room that is billed by the minute. Such a
launch stays ``launching`` with the code ``outcome_unknown`` and is looked for in Tavus's list:
found, it is adopted; missing from a complete list that was begun late enough, it was not made.

Keys of adoption, by what the create sent:

- our callback URL, which the list shows: its token names our row;
- without one, the generated name ``<persona> · <12 hex of the row's id>``;
- a name chosen by the caller is no key: then only a single unknown room with the same persona,
  replica, name and time is adopted, and there is never a second attempt.

Settings may change between an attempt and its search, so that what counts is what was sent. It is
stored with the attempt, as ``name_key``: see :func:`name_to_send`.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping, Sized
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.client import TavusError
from django_tavus.conf import get_settings
from django_tavus.models import Conversation, OutboxEntry, Persona, WebhookEvent
from django_tavus.models.choices import ConversationStatus, SyncState
from django_tavus.models.conversation import LIVE, OVER, ConversationQuerySet
from django_tavus.services import mapping, tokens
from django_tavus.services.announcing import announce
from django_tavus.services.clients import get_client
from django_tavus.services.enqueue import enqueue
from django_tavus.services.moments import moment

logger = logging.getLogger("django_tavus.adopting")

GRACE = 5  # seconds on top of the time-outs before anyone but its worker touches an attempt
MAX_ATTEMPTS = 2
CLOCK_SKEW = timedelta(seconds=60)  # by which Tavus's clock may be behind ours


# --- keys -------------------------------------------------------------------------------------


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


# --- adoption ---------------------------------------------------------------------------------


def adopt_answer(pk: uuid.UUID, body: Mapping[str, Any], *, replica_id: int | None = None) -> None:
    """Store the body of a create, or of the list, as the conversation's own room.

    ``replica_id`` is the replica in use, where the caller knows it.
    """
    with transaction.atomic():
        entries = adopt(pk, body, replica_id=replica_id)
    announce(entries)
    rows = Conversation.objects.filter(pk=pk).order_by()
    for status, end_owed, asked in rows.values_list("status", "end_owed", "end_requested_at"):
        if end_owed or asked:
            enqueue("end_conversation", str(pk))
        if status in OVER:
            enqueue("start_queued")


def adopt(
    pk: uuid.UUID,
    body: Mapping[str, Any],
    event: WebhookEvent | None = None,
    *,
    replica_id: int | None = None,
) -> list[OutboxEntry | None]:
    """Make ``body`` the room of a launch, in the caller's transaction.

    Where another body was first the same room is completed, and another room is an orphan: it is
    written down to be ended.
    """
    values = mapping.conversation_values(body)
    now = timezone.now()
    # A callback tells neither URL nor date: should the answer be lost, they are asked for at once.
    pause = timedelta(seconds=get_settings().RECONCILE_AFTER if values["conversation_url"] else 0)
    entry = Conversation.objects.transition(
        pk,
        ConversationStatus.ACTIVE,
        event=event,
        launched_at=_launched_at(body, Coalesce("attempted_at", Value(now))),
        next_check_at=now + pause,
        synced_at=now,
        sync_state=SyncState.IN_SYNC,
        error_code="",
        error_message="",
        not_before=None,
        replica=replica_id or _replica_in_use(),
        **values,
    )
    if entry is None:
        _complete_or_disown(pk, values, body)
        return []
    entries: list[OutboxEntry | None] = [entry]
    if body.get("status") == "ended":
        entries.append(_ended_at_once(pk, body, now, event))
    return entries


def _launched_at(body: Mapping[str, Any], otherwise: Coalesce) -> Case:
    """When Tavus began to bill; ``otherwise`` if it does not say, or what cannot be.

    Leaks and budgets are counted from it: a clock that is wrong must not end a call at once, nor
    let it run for ever. What was imported has no attempt to compare it with.
    """
    told = moment(body.get("created_at"))
    if told is None or not 1971 <= told.year < 9999:  # beyond, sums of dates overflow
        return Case(default=otherwise)
    too_early = Q(created_at__gt=told + CLOCK_SKEW, attempted_at__gt=told + CLOCK_SKEW)
    too_late = Q(attempted_at__lt=told - attempt_window() - CLOCK_SKEW)
    return Case(When(too_early | too_late, then=otherwise), default=Value(told))


def _replica_in_use() -> Coalesce:
    """The replica that was asked for, else the default that the persona has at this moment."""
    persona = Persona.objects.filter(pk=OuterRef("persona"))
    return Coalesce("replica", Subquery(persona.order_by().values("default_replica")[:1]))


def _ended_at_once(
    pk: uuid.UUID, body: Mapping[str, Any], now: datetime, event: WebhookEvent | None
) -> OutboxEntry | None:
    """End what was over when it was adopted.

    ``test_mode``: made and over in one answer, and there is nothing to be asked for. Otherwise a
    room that was found too late, in the list, whose bodies have ``updated_at``.
    """
    changed_at = moment(body.get("updated_at"))
    began = F("launched_at")
    return Conversation.objects.transition(
        pk,
        ConversationStatus.ENDED,
        event=event,
        ended_at=Greatest(began, Value(min(changed_at, now))) if changed_at else began,
        next_check_at=now if changed_at else None,
    )


def _complete_or_disown(pk: uuid.UUID, values: dict[str, Any], body: Mapping[str, Any]) -> None:
    tavus_id = values["tavus_id"]
    row = Conversation.objects.filter(pk=pk).first()
    if row is None or tavus_id is None:
        return
    if row.tavus_id == tavus_id:
        complete(row, body)
    else:
        disown(pk, tavus_id)


def complete(conversation: Conversation, body: Mapping[str, Any]) -> None:
    """Fill in what ``body`` tells about the conversation's own room.

    A callback that is faster than the answer knows the id and nothing else.
    """
    values, now = mapping.conversation_values(body), timezone.now()
    given = {name: value for name, value in values.items() if value}
    began = _launched_at(body, Coalesce("launched_at", Value(now)))
    rows = Conversation.objects.filter(pk=conversation.pk)
    rows.store(**given, launched_at=began, synced_at=now, sync_state=SyncState.IN_SYNC)
    rows.filter(ended_at__lt=F("launched_at")).store(ended_at=F("launched_at"))


def disown(pk: uuid.UUID, tavus_id: str) -> None:
    """Write down that a room made for a conversation is not its room and must be ended."""
    with transaction.atomic():
        rows = Conversation.objects.filter(pk=pk)
        rows.store(end_owed=True)  # locks the row: two orphans at once are both remembered
        for row in rows:
            ids = sorted({*row.orphan_ids, tavus_id})
            rows.store(orphan_ids=ids)
    logger.warning("Conversation %s has an orphan at Tavus: %s", pk, tavus_id)


# --- private rooms ----------------------------------------------------------------------------


def lost_token() -> str:
    """Why a private room was ended that Tavus made as it was asked to."""
    return _(
        "Tavus made the private room, but its answer with the meeting token was lost, and Tavus "
        "gives the token only once. Nobody can enter, so the room is ended: please launch anew."
    )


def is_closed_for_good(conversation: Conversation, body: Mapping[str, Any]) -> bool:
    """Whether a room that was found is billed and can be entered by nobody.

    Only the answer to the create has the token of a private room; no GET has it. An answer that
    is still on its way, to a second attempt that began meanwhile, may bring it.
    """
    lost = conversation.require_auth and not mapping.text(body.get("meeting_token"))
    if not lost or body.get("status") == "ended" or conversation.end_requested_at is not None:
        return False
    return _in_attempt(conversation).filter(error_code="outcome_unknown").exists()


def refuse_closed(conversation: Conversation, body: Mapping[str, Any]) -> None:
    """Fail a launch whose room is closed for good, and have the room ended."""
    disown(conversation.pk, str(body["conversation_id"]))  # first: a crash must not leave it open
    _give_up(conversation.pk, lost_token())
    enqueue("end_conversation", str(conversation.pk))


# --- doubt ------------------------------------------------------------------------------------


def attempt_window() -> timedelta:
    """The time in which an attempt is left alone: its time-outs and some grace."""
    return timedelta(seconds=get_settings().request_seconds + GRACE)


def open_doubt(conversation: Conversation, reason: str, *, due: datetime | None = None) -> bool:
    """Note that nobody knows whether the attempt made a room; look for it when ``due``.

    False: the launch is settled by now, or in a later attempt, which is none of our business.
    """
    pause = timedelta(seconds=get_settings().RECONCILE_AFTER)
    return bool(
        _in_attempt(conversation).store(
            error_code="outcome_unknown",
            error_message=_("It is not known whether Tavus made the room: %(reason)s")
            % {"reason": reason},
            next_check_at=due or timezone.now() + pause,
        )
    )


def _in_attempt(conversation: Conversation) -> ConversationQuerySet:
    """The row while it still is in the attempt that was read, without a room."""
    return Conversation.objects.filter(
        pk=conversation.pk,
        status=ConversationStatus.LAUNCHING,
        tavus_id__isnull=True,
        attempted_at=conversation.attempted_at,
    )


def settle(pk: uuid.UUID) -> None:
    """Look for the room of a doubtful attempt: adopt it, try once more, or give up."""
    conversation = _doubtful(pk)
    if conversation is None:
        return
    begun = timezone.now()
    try:
        # Without a status: a room that nobody joined may have ended already.
        listed = list(get_client().conversations.iterate())
    except TavusError as error:
        logger.warning("Could not look for conversation %s: %s", pk, error)
        return
    found = find_rooms(conversation, listed)
    alike = [] if found or has_key(conversation) else find_alike(conversation, listed)
    if len(alike) == 1 and not _has_rival(conversation, alike[0]):
        found = alike
    for body in found:  # the first becomes its room, another one is an orphan
        if is_closed_for_good(conversation, body):
            refuse_closed(conversation, body)
        else:
            adopt_answer(pk, body)
    if not found and is_certainly_missing(conversation, begun):
        _not_made(conversation, alike)


def _doubtful(pk: uuid.UUID) -> Conversation | None:
    rows = Conversation.objects.select_related("persona__default_replica", "replica")
    return rows.filter(pk=pk, status=ConversationStatus.LAUNCHING, tavus_id__isnull=True).first()


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


def _has_rival(conversation: Conversation, body: Mapping[str, Any]) -> bool:
    """Whether a room may as well be that of a launch whose answer is still on its way."""
    waiting = Conversation.objects.select_related("persona__default_replica", "replica").filter(
        status=ConversationStatus.LAUNCHING, tavus_id__isnull=True, error_code=""
    )
    name = _sent_name(conversation)
    rivals = waiting.filter(Q(name_key=name) | Q(conversation_name=name))
    return any(resembles(rival, body) for rival in rivals.exclude(pk=conversation.pk))


def is_certainly_missing(conversation: Conversation, begun: datetime) -> bool:
    """Whether a list begun at ``begun`` is late enough to prove that the attempt made nothing."""
    settings = get_settings()
    late = timedelta(seconds=settings.request_seconds + settings.RECONCILE_AFTER)
    return conversation.attempted_at is not None and begun > conversation.attempted_at + late


def _not_made(conversation: Conversation, alike: Sized = ()) -> None:
    """Attempt once more where a key tells the rooms apart; else give up, and say so."""
    if conversation.end_requested_at is not None:
        cancel(conversation.pk)
    elif may_be_repeated(conversation) and conversation.attempts < MAX_ATTEMPTS:
        _try_again(conversation)
    elif alike:
        message = _("Tavus lists rooms that may be of this launch, or of others.")
        _give_up(conversation.pk, message)
    else:
        _give_up(conversation.pk, not_listed())


def not_listed() -> str:
    """Why a launch was given up whose room is certainly not there."""
    return _("Tavus does not list a room for this launch; nothing is running.")


def cancel(pk: uuid.UUID, sources: Iterable[str] = LIVE) -> None:
    """End a conversation for which Tavus has no room, if it is in one of ``sources``."""
    entry = Conversation.objects.filter(tavus_id__isnull=True, status__in=sources).transition(
        pk,
        ConversationStatus.ENDED,
        ended_at=timezone.now(),
        shutdown_reason="cancelled",
        error_code="",
        error_message="",
        next_check_at=None,
    )
    announce([entry])
    enqueue("start_queued")


def _give_up(pk: uuid.UUID, message: str) -> None:
    entry = Conversation.objects.filter(tavus_id__isnull=True).transition(
        pk,
        ConversationStatus.FAILED,
        error_code="outcome_unknown",
        error_message=message,
        next_check_at=None,
    )
    announce([entry])
    enqueue("start_queued")


def _try_again(conversation: Conversation) -> None:
    """Back to the head of the queue (it keeps its place by age); the attempt stays counted."""
    if _in_attempt(conversation).store(
        status=ConversationStatus.QUEUED, not_before=None, next_check_at=None
    ):
        enqueue("launch_conversation", str(conversation.pk))
