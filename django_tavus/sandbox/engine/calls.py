"""Life in a room: people come, talk to the replica, and go; the call ends, and is told about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django_tavus.sandbox.engine import events, magic, recordings, script, tokens
from django_tavus.sandbox.engine.conversations import Conversation, Event, Participant, Turn
from django_tavus.sandbox.engine.goals import Goals
from django_tavus.sandbox.engine.refusals import Refusal, RoomRefusal
from django_tavus.sandbox.engine.world import World

ALREADY_ENDED = "Conversation has already ended"
"""What ending twice answers. That it is a 400 was observed, the words are a guess."""

PRESENCE = timedelta(seconds=90)
"""How long a page may be silent before its visitor counts as gone (hidden tabs poll slowly)."""

ENDED = "The conversation has ended."
NOT_ALLOWED = "You are not allowed to join this meeting."
FULL = "The meeting is full."
NOBODY = "Nobody is in the room."

ROLES = {"user": "user", "replica": "assistant", "assistant": "assistant", "pal": "assistant"}
"""Roles that can speak, with the word that transcripts have for them."""


class Calls:
    """The rules of the room. Every method takes the conversation it is about."""

    def __init__(self, world: World, goals: Goals) -> None:
        self.world = world
        self.goals = goals

    def open(self, call: Conversation) -> None:
        """Start the clocks of a new conversation."""
        if not call.is_active:
            return
        self._wait_for_replica(call)
        limits = call.properties
        absent, longest = limits["participant_absent_timeout"], limits["max_call_duration"]
        self.world.after(absent, lambda: self._nobody_came(call))
        self.world.after(longest, lambda: self._shut(call, "max_call_duration reached"))

    def join(
        self,
        call: Conversation,
        name: str = "Visitor",
        *,
        camera: bool = True,
        watched: bool = False,
    ) -> Participant:
        """Let a person in. ``watched`` ones have to be `seen` from time to time."""
        self._check_open(call)
        limit = call.request.get("max_participants")
        if limit and len(call.participants) + 1 >= limit:  # the replica counts as one
            raise RoomRefusal(FULL)
        seen = self.world.now() if watched else None
        person = Participant(self.world.new_id("u", 12), name, camera, seen)
        call.participants[person.id] = person
        call.visitors.append(name)
        call.camera_used = call.camera_used or camera
        self._greet(call)
        if watched:
            self._watch(call, person)
        return person

    def admit(self, call: Conversation, token: str) -> None:
        """Refuse those who may not enter a private room."""
        if call.private and not tokens.admits(token, call.id, self.world.now()):
            raise RoomRefusal(NOT_ALLOWED)

    def seen(self, call: Conversation, person_id: str) -> None:
        """A page has shown that its visitor is still there."""
        person = call.participants.get(person_id)
        if person is not None and person.last_seen is not None:
            person.last_seen = self.world.now()

    def say(self, call: Conversation, role: str, content: str) -> list[Turn]:
        """Let somebody say something; to a person the replica answers. Returns the new turns."""
        self._check_open(call)
        if not call.participants:
            raise RoomRefusal(NOBODY)
        if role not in ROLES:
            raise RoomRefusal(f"Unknown role; one of {', '.join(ROLES)}.")
        before = len(call.turns)
        spoken = sum(turn.role == "user" for turn in call.turns)
        self._speak(call, ROLES[role], content)
        if ROLES[role] == "user":
            self.goals.heard(call, content, self.emit)
            self._answer(call, content, spoken)
        return call.turns[before:]

    def leave(self, call: Conversation, person_id: str | None = None) -> None:
        """Let a person go; without an id, the one who came last."""
        if person_id is None and call.participants:
            person_id = next(reversed(call.participants))
        if person_id is None or call.participants.pop(person_id, None) is None:
            raise RoomRefusal(NOBODY)
        if not call.participants:
            self._emptied(call)

    def record(self, call: Conversation) -> None:
        """Start the recording, as a client in the room does."""
        self._check_open(call)
        if not call.properties.get("enable_recording"):
            raise RoomRefusal("Recording is not enabled for this conversation.")
        call.recording_started_at = call.recording_started_at or self.world.now()

    def end(self, call: Conversation) -> None:
        """End a call over the REST API."""
        if not call.is_active:
            raise Refusal(400, ALREADY_ENDED)
        self._shut(call, "end_conversation_endpoint_hit")

    def emit(
        self,
        call: Conversation,
        event_type: str,
        message_type: str,
        properties: dict[str, Any],
        url: str | None = None,
    ) -> None:
        """Note an event and post it, to the conversation's own callback URL unless said."""
        event = Event(event_type, message_type, self.world.now(), properties)
        call.events.append(event)
        target = call.callback_url if url is None else url
        if target and call.persona.name != magic.SILENT:
            self.world.post(target, events.envelope(call, event, target))

    def _check_open(self, call: Conversation) -> None:
        if not call.is_active:
            raise RoomRefusal(ENDED)

    def _wait_for_replica(self, call: Conversation) -> None:
        if call.persona.name == magic.NO_SHOW:
            return
        crash = call.persona.name == magic.CRASH
        arrive: Callable[[Conversation], None] = self._crash if crash else self._replica_joins
        self.world.after(self.world.pacing.replica_joins, lambda: arrive(call))

    def _crash(self, call: Conversation) -> None:
        self._shut(call, "exception_encountered_during_conversation_startup")

    def _replica_joins(self, call: Conversation) -> None:
        if not call.is_active:
            return
        call.replica_joined_at = self.world.now()
        # One fact under two names, both are posted (Tavus docs, later generation).
        self.emit(call, "system.replica_joined", "system", {"replica_id": call.replica.id})
        self.emit(call, "system.pal_joined", "system", {"face_id": call.replica.id})
        self._greet(call)

    def _greet(self, call: Conversation) -> None:
        if call.began_at or not call.participants or not call.replica_joined_at:
            return
        call.began_at = self.world.now()
        if call.properties.get("auto_start_recording"):
            call.recording_started_at = self.world.now()
        words = call.request.get("custom_greeting") or call.persona.body.get("greeting")
        self._speak(call, "assistant", words or script.greeting(call.replica.name))

    def _answer(self, call: Conversation, heard: str, spoken: int) -> None:
        if not call.replica_joined_at:
            return
        echo = call.persona.body.get("pipeline_mode") == "echo"
        self._speak(call, "assistant", heard if echo else script.answer(heard, spoken))

    def _speak(self, call: Conversation, role: str, content: str) -> None:
        now = self.world.now()
        # Strictly later than the turn before: a transcript is sorted by time.
        soonest = call.turns[-1].said_at + timedelta(milliseconds=10) if call.turns else now
        inference = self.world.new_id("inf_", 12) if role == "assistant" else None
        duration = script.speaking_time(content)
        call.turns.append(Turn(role, content, max(now, soonest), duration, inference))

    def _watch(self, call: Conversation, person: Participant) -> None:
        def look() -> None:
            if person.id not in call.participants or person.last_seen is None:
                return
            if self.world.now() - person.last_seen >= PRESENCE:
                self.leave(call, person.id)
            else:
                self.world.at(person.last_seen + PRESENCE, look)

        self.world.after(PRESENCE.total_seconds(), look)

    def _emptied(self, call: Conversation) -> None:
        call.empty_since += 1
        departure = call.empty_since

        def still_empty() -> None:
            if not call.participants and call.empty_since == departure:
                self._shut(call, "participant_left_timeout reached")

        self.world.after(call.properties["participant_left_timeout"], still_empty)

    def _nobody_came(self, call: Conversation) -> None:
        if not call.visitors:
            self._shut(call, "participant_absent_timeout reached")

    def _shut(self, call: Conversation, reason: str) -> None:
        if not call.is_active:
            return
        call.status, call.shutdown_reason = "ended", reason
        call.ended_at = call.updated_at = self.world.now()
        call.participants.clear()
        properties = {"replica_id": call.replica.id, "shutdown_reason": reason}
        self.emit(call, "system.shutdown", "system", properties)
        if call.visitors:
            self._promise_aftermath(call)

    def _promise_aftermath(self, call: Conversation) -> None:
        # Nobody ever came: then there is no dialogue, and no transcript is made of none.
        pacing = self.world.pacing
        self.world.after(pacing.transcript, lambda: self._transcribe(call))
        self.world.after(pacing.perception, lambda: self._analyze(call))
        if call.recording_started_at and recordings.bucket(call.properties):
            self.world.after(pacing.recording, lambda: self._hand_over_recording(call))

    def _transcribe(self, call: Conversation) -> None:
        properties = {"replica_id": call.replica.id, "transcript": transcript(call)}
        self.emit(call, "application.transcription_ready", "application", properties)

    def _analyze(self, call: Conversation) -> None:
        perception = (call.persona.body.get("layers") or {}).get("perception") or {}
        if perception.get("perception_model") == "off":
            return
        if not call.camera_used:
            reason = {"reason": "no_vision_history"}
            self.emit(call, "application.perception_unavailable", "application", reason)
            return
        spoken = sum(turn.role == "user" for turn in call.turns)
        analysis = script.perception_analysis(call.visitors, spoken)
        self.emit(call, "application.perception_analysis", "application", {"analysis": analysis})

    def _hand_over_recording(self, call: Conversation) -> None:
        if call.recording_started_at and call.ended_at:
            seconds = int((call.ended_at - call.recording_started_at).total_seconds())
            properties = recordings.ready(call.id, call.properties, seconds)
            self.emit(call, "application.recording_ready", "application", properties)


def transcript(call: Conversation) -> list[dict[str, Any]]:
    """The turns as they are posted: the confidential system prompt first, then who said what."""
    parts = (
        call.persona.body.get("system_prompt"),
        call.persona.body.get("context"),
        call.request.get("conversational_context"),
    )
    prompt = "\n\n".join(part for part in parts if part)
    return [{"role": "system", "content": prompt}, *(_entry(call, turn) for turn in call.turns)]


def _entry(call: Conversation, turn: Turn) -> dict[str, Any]:
    began = call.began_at or turn.said_at
    entry: dict[str, Any] = {
        "role": turn.role,
        "content": turn.content,
        "timestamp": turn.said_at.timestamp(),
        "seconds_from_start": round((turn.said_at - began).total_seconds(), 3),
        "duration": turn.duration,
    }
    return entry | ({"inference_id": turn.inference_id} if turn.inference_id else {})
