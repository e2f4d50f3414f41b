"""What a room shows at a moment, and how soon its page should look again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus

TRANSCRIPT_WAIT = timedelta(minutes=30)
"""After the end, how long a page goes on asking for the transcript."""


class Phase(NamedTuple):
    """A phase of the room: its template is ``django_tavus/room_<name>.html``."""

    name: str
    poll_seconds: int | None
    """Seconds to the next look; well below ``leaving.AWAY``, so that a reload is noticed."""
    title: str | Promise
    """What the page is called meanwhile: a tab in the background shows only that."""


WAITING = Phase("waiting", 2, _("In the queue"))
LAUNCHING = Phase("launching", 1, _("Preparing the room"))
JOINING = Phase("joining", 3, _("In the call"))
ENDING = Phase("ending", 1, _("Hanging up"))
ENDED = Phase("ended", 2, _("Ended"))
SETTLED = Phase("ended", None, _("Ended"))
FAILED = Phase("failed", None, _("Failed"))

PHASES: dict[str, Phase] = {
    ConversationStatus.QUEUED: WAITING,
    ConversationStatus.LAUNCHING: LAUNCHING,
    ConversationStatus.ACTIVE: JOINING,
    ConversationStatus.ENDED: ENDED,
    ConversationStatus.FAILED: FAILED,
}


def phase_of(conversation: Conversation, now: datetime | None = None) -> Phase:
    """Return the phase that the room of ``conversation`` is in."""
    phase = PHASES[conversation.status]
    if phase is ENDED and _nothing_to_wait_for(conversation, now or timezone.now()):
        return SETTLED
    if not conversation.is_over and conversation.end_requested_at:
        return ENDING
    if phase is JOINING and not conversation.is_joinable:
        return LAUNCHING  # known from a callback only: the URL is still being fetched
    return phase


def _nothing_to_wait_for(conversation: Conversation, now: datetime) -> bool:
    """Whether the transcript is here, or will hardly come: nobody joined, or it is long ago."""
    if conversation.turns is not None or conversation.ended_at is None:
        return True
    never_open = conversation.tavus_id is None
    return never_open or now - conversation.ended_at > TRANSCRIPT_WAIT


def describe(conversation: Conversation) -> dict[str, Any]:
    """Return what the page's script is told: JSON without anything secret."""
    phase = phase_of(conversation)
    return {
        "status": conversation.status,
        "phase": phase.name,
        "queue_position": getattr(conversation, "queue_position", None),
        "turns": conversation.turns,
        "poll_seconds": phase.poll_seconds,
    }
