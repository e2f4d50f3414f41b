"""Doubting: creates of which nobody knows whether they made a room.

Everything that is no clear refusal may have made one, which is billed by the minute. Such a launch
stays ``launching`` with the code ``outcome_unknown`` and is looked for in Tavus's list: found, it
is adopted; missing from a complete list that was begun late enough, it was not made.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sized
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.client import TavusError
from django_tavus.conf import get_settings
from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus
from django_tavus.services import ending, mapping, recognizing
from django_tavus.services.adopting import adopt_answer, disown
from django_tavus.services.announcing import announce
from django_tavus.services.clients import get_client
from django_tavus.services.enqueue import enqueue

logger = logging.getLogger("django_tavus.doubting")

MAX_ATTEMPTS = 2


def open_doubt(conversation: Conversation, reason: str, *, due: datetime | None = None) -> bool:
    """Note that nobody knows whether the attempt made a room; look for it when ``due``.

    False: the launch is settled by now, or in a later attempt, which is none of our business.
    """
    pause = timedelta(seconds=get_settings().RECONCILE_AFTER)
    return bool(
        Conversation.objects.in_attempt_of(conversation).store(
            error_code="outcome_unknown",
            error_message=_("It is not known whether Tavus made the room: %(reason)s")
            % {"reason": reason},
            next_check_at=due or timezone.now() + pause,
        )
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
    found = recognizing.find_rooms(conversation, listed)
    alike: list[Mapping[str, Any]] = []
    if not found and not recognizing.has_key(conversation):
        alike = recognizing.find_alike(conversation, listed)
    if len(alike) == 1 and not recognizing.has_rival(conversation, alike[0]):
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


def is_certainly_missing(conversation: Conversation, begun: datetime) -> bool:
    """Whether a list begun at ``begun`` is late enough to prove that the attempt made nothing."""
    settings = get_settings()
    late = timedelta(seconds=settings.request_seconds + settings.RECONCILE_AFTER)
    return conversation.attempted_at is not None and begun > conversation.attempted_at + late


def _not_made(conversation: Conversation, alike: Sized = ()) -> None:
    """Attempt once more where a key tells the rooms apart; else give up, and say so."""
    if conversation.end_requested_at is not None:
        ending.cancel(conversation.pk)
    elif recognizing.may_be_repeated(conversation) and conversation.attempts < MAX_ATTEMPTS:
        _try_again(conversation)
    elif alike:
        message = _("Tavus lists rooms that may be of this launch, or of others.")
        _give_up(conversation.pk, message)
    else:
        _give_up(conversation.pk, not_listed())


def not_listed() -> str:
    """Why a launch was given up whose room is certainly not there."""
    return _("Tavus does not list a room for this launch; nothing is running.")


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
    if Conversation.objects.in_attempt_of(conversation).store(
        status=ConversationStatus.QUEUED, not_before=None, next_check_at=None
    ):
        enqueue("launch_conversation", str(conversation.pk))


# --- private rooms --------------------------------------------------------------------------------


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
    return (
        Conversation.objects.in_attempt_of(conversation)
        .filter(error_code="outcome_unknown")
        .exists()
    )


def refuse_closed(conversation: Conversation, body: Mapping[str, Any]) -> None:
    """Fail a launch whose room is closed for good, and have the room ended."""
    disown(conversation.pk, str(body["conversation_id"]))  # first: a crash must not leave it open
    _give_up(conversation.pk, lost_token())
    enqueue("end_conversation", str(conversation.pk))
