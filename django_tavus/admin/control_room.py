"""The control room: one conversation as its page shows it.

Is it live, who is in it, what was said, and what can be done now? :func:`build` answers from the
row, its events, turns and recordings in a fixed number of queries.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext as _

from django_tavus.admin.displays import (
    badge,
    breakable,
    clock,
    conversation_badge,
    conversation_state,
    conversation_state_label,
    pretty,
    room_address,
)
from django_tavus.models import Conversation, Recording, Utterance, WebhookEvent
from django_tavus.models.choices import ConversationStatus, EventStatus, UtteranceRole
from django_tavus.services.capacity import call_seconds

SHOWN_EVENTS = 50
WORKER_PATIENCE = timedelta(seconds=10)  # after which a launch that nobody took is worth a hint
LIVE_SECONDS, IDLE_SECONDS = 2, 10  # between two polls of the page

# Members of a remote body that the page shows elsewhere, under permissions of their own: the
# events of a verbose GET hold the transcript, and the persona's prompt with it.
SHOWN_ELSEWHERE = ("events",)
FOR_JOINERS = ("conversation_url", "meeting_token")

TRANSCRIPT = "application.transcription_ready"
RECORDED = ("application.recording_ready", "application.recording_copy_failed")


@dataclass(frozen=True)
class Viewer:
    """What the user who looks may see and do."""

    may_join: bool = False
    may_read: bool = False
    may_replay: bool = False
    may_open_events: bool = False


@dataclass(frozen=True)
class Step:
    """One of the six facts of a conversation's life."""

    label: str
    state: str
    """``done``, ``waiting`` (may still come) or ``skipped`` (will not come)."""
    at: datetime | None = None
    note: str = ""
    is_current: bool = False


@dataclass(frozen=True)
class EventRow:
    """One event in the list."""

    pk: int
    type: str
    received_at: datetime
    badge: SafeString
    attempts: int
    error: str
    may_replay: bool


@dataclass(frozen=True)
class Share:
    """Who spoke how much, in whole percent."""

    replica: int
    user: int
    measure: str


class ControlRoom:
    """Everything that the panel shows of ``conversation`` to ``viewer``."""

    def __init__(self, conversation: Conversation, viewer: Viewer) -> None:
        self.conversation = conversation
        self.viewer = viewer
        self.now = timezone.now()

    # --- head ---------------------------------------------------------------------------------

    @property
    def badge(self) -> SafeString:
        """Status as shape, word and color."""
        return conversation_badge(self.conversation)

    @property
    def join_url(self) -> str:
        """Where to join, for those who may, while it can be joined."""
        return room_address(self.conversation) if self.viewer.may_join else ""

    @property
    def limit(self) -> int:
        """The longest that the call may last, in seconds."""
        return call_seconds(self.conversation)

    @property
    def elapsed(self) -> int | None:
        """Seconds since the room was ready, until the end."""
        began = self.conversation.launched_at
        if began is None:
            return None
        return max(0, int(((self.conversation.ended_at or self.now) - began).total_seconds()))

    @property
    def elapsed_text(self) -> str:
        """``mm:ss of mm:ss``."""
        return self.clock_words % {"elapsed": clock(self.elapsed), "limit": clock(self.limit)}

    @property
    def clock_words(self) -> str:
        """The words around the clock, which the script fills in each second."""
        return _("%(elapsed)s of %(limit)s")

    @property
    def progress(self) -> str:
        """Elapsed seconds for ``<progress>``; a string, since markup knows no locales."""
        return str(min(self.elapsed or 0, self.limit))

    @property
    def limit_value(self) -> str:
        """The limit for ``<progress>``."""
        return str(self.limit)

    @property
    def clock_base(self) -> str:
        """Seconds elapsed now if the clock is running, for the script; else empty."""
        running = self.conversation.status == ConversationStatus.ACTIVE
        return str(self.elapsed) if running and self.elapsed is not None else ""

    @cached_property
    def queue_position(self) -> int | None:
        """Place in the queue, from 1; ``None`` unless queued."""
        if self.conversation.status != ConversationStatus.QUEUED:
            return None
        row = Conversation.objects.with_queue_position().filter(pk=self.conversation.pk).first()
        return getattr(row, "queue_position", None)

    @property
    def hint(self) -> str:
        """What a waiting launch waits for; empty where there is nothing to explain."""
        row = self.conversation
        if row.status != ConversationStatus.QUEUED or self.now - row.created_at < WORKER_PATIENCE:
            return ""
        if row.error_message:
            return _("Tavus could not take it yet and will be asked again: %(reason)s") % {
                "reason": row.error_message
            }
        return _("It waits for a free slot, or for a Celery worker. Is one running?")

    @property
    def failure(self) -> str:
        """Why the launch failed, or made a room that nobody could enter; empty otherwise."""
        row = self.conversation
        unusable = row.status == ConversationStatus.ENDED and row.error_code
        if row.status != ConversationStatus.FAILED and not unusable:
            return ""
        return row.error_message or row.error_code or _("The reason is not known.")

    # --- steps --------------------------------------------------------------------------------

    @cached_property
    def steps(self) -> list[Step]:
        """The six facts; the last that has happened is the current one."""
        row = self.conversation
        steps = [
            Step(_("Requested"), "done", row.created_at),
            self._step(_("Room ready"), row.launched_at, expected=not row.is_over),
            self._step(_("Replica joined"), row.joined_at, expected=not row.is_over),
            self._end_step(),
            self._late_step(_("Transcript"), (TRANSCRIPT,), known=row.turns is not None),
            self._late_step(
                _("Recording"), RECORDED, known=bool(self.recordings), wanted=self._is_recorded
            ),
        ]
        current = max(n for n, step in enumerate(steps) if step.state == "done")
        steps[current] = Step(**{**steps[current].__dict__, "is_current": True})
        return steps

    def _step(self, label: str, at: datetime | None, *, expected: bool) -> Step:
        if at is not None:
            return Step(label, "done", at)
        return Step(
            label, "waiting" if expected else "skipped", note="" if expected else _("never")
        )

    def _end_step(self) -> Step:
        row = self.conversation
        if row.status == ConversationStatus.FAILED:
            return Step(_("Failed"), "done", row.ended_at, breakable(row.error_code))
        state = "done" if row.is_over else "waiting"
        return Step(_("Ended"), state, row.ended_at, breakable(row.shutdown_reason))

    def _late_step(
        self,
        label: str,
        types: Sequence[str],
        *,
        known: bool,
        wanted: bool = True,
    ) -> Step:
        """A fact that may come minutes after the end, or never."""
        if known:
            return Step(label, "done", self._received_at(types))
        if not wanted or not self.is_expecting:
            return Step(label, "skipped", note=_("not expected"))
        return Step(label, "waiting", note=_("waiting") if self.conversation.is_over else "")

    def _received_at(self, types: Sequence[str]) -> datetime | None:
        return next((e.received_at for e in self._events if e.event_type in types), None)

    @property
    def _is_recorded(self) -> bool:
        return bool(self.conversation.properties.get("enable_recording"))

    @property
    def is_expecting(self) -> bool:
        """Whether anything may still come: reconciling has not given up on it."""
        row = self.conversation
        if not row.is_over:
            return True
        return row.tavus_id is not None and row.next_check_at is not None

    @property
    def is_final(self) -> bool:
        """Whether the page will not change by itself any more."""
        return self.conversation.is_over and all(s.state != "waiting" for s in self.steps)

    @property
    def interval(self) -> int:
        """Seconds until the page should ask again."""
        return IDLE_SECONDS if self.conversation.is_over else LIVE_SECONDS

    # --- content ------------------------------------------------------------------------------

    @cached_property
    def turns(self) -> list[Utterance]:
        """The transcript, for those who may read it."""
        if not self.viewer.may_read:
            return []
        return list(self.conversation.utterances.order_by("position"))

    def turn_rows(self) -> list[dict[str, Any]]:
        """The transcript as the template shows it."""
        return [
            {
                "role": turn.role if turn.role in UtteranceRole.values else "tool",
                "speaker": turn.get_role_display(),
                "content": turn.content,
                "offset": None
                if turn.seconds_from_start is None
                else clock(turn.seconds_from_start),
            }
            for turn in self.turns
        ]

    @property
    def share(self) -> Share | None:
        """Who spoke how much: by time if every turn has one, else by words."""
        spoken = [t for t in self.turns if t.role in (UtteranceRole.USER, UtteranceRole.REPLICA)]
        timed = all(turn.duration is not None for turn in spoken)
        amount = {UtteranceRole.USER.value: 0.0, UtteranceRole.REPLICA.value: 0.0}
        for turn in spoken:
            amount[turn.role] += (turn.duration or 0) if timed else len(turn.content.split())
        total = sum(amount.values())
        if total <= 0:
            return None
        replica = round(100 * amount[UtteranceRole.REPLICA.value] / total)
        return Share(replica, 100 - replica, _("by time") if timed else _("by words"))

    @property
    def perception(self) -> str:
        """What Tavus saw and heard, for those who may read the transcript."""
        return self.conversation.perception_analysis if self.viewer.may_read else ""

    @cached_property
    def recordings(self) -> list[Recording]:
        """Recordings, or why there is none."""
        return list(self.conversation.recordings.all())

    @cached_property
    def _events(self) -> list[WebhookEvent]:
        newest = self.conversation.events.defer("payload").order_by("-received_at", "-pk")
        return list(newest[: SHOWN_EVENTS + 1])

    @property
    def events(self) -> list[EventRow]:
        """The newest events, newest first."""
        return [self._event_row(event) for event in self._events[:SHOWN_EVENTS]]

    @property
    def has_more_events(self) -> bool:
        """Whether there are older events than those shown."""
        return len(self._events) > SHOWN_EVENTS

    def _event_row(self, event: WebhookEvent) -> EventRow:
        settled_badly = event.status in (EventStatus.FAILED, EventStatus.REJECTED)
        return EventRow(
            event.pk,
            event.event_type or _("(untyped)"),
            event.received_at,
            badge(event.status, event.get_status_display()),
            event.attempts,
            event.error,
            self.viewer.may_replay and settled_badly,
        )

    @property
    def raw(self) -> str:
        """The remote body as JSON, without what is shown elsewhere under a permission."""
        hidden = SHOWN_ELSEWHERE + (() if self.viewer.may_join else FOR_JOINERS)
        remote = self.conversation.remote
        kept = {name: value for name, value in remote.items() if name not in hidden}
        return pretty(kept) if kept else ""

    # --- live ---------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """A digest that changes with anything that the panel shows, but not with the clock."""
        row = self.conversation
        parts = [
            str(row.pk),
            str(row.updated_at),
            conversation_state(row),
            row.next_check_at is None,
            bool(self.hint),
            self.queue_position,
            [(event.pk, event.status, event.attempts) for event in self._events],
            len(self.recordings),
            get_language(),
            self.viewer.__dict__,
        ]
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]

    def as_json(self) -> dict[str, Any]:
        """Return what the poller needs: whether, and when, to look at the panel again."""
        return {
            "version": self.version,
            "status": self.conversation.status,
            "label": conversation_state_label(self.conversation),
            "is_over": self.conversation.is_over,
            "is_final": self.is_final,
            "interval": self.interval,
        }
