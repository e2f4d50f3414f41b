"""Any order of things: the engine keeps its promises.

The machine drives conversations through the API and the rooms, with time passing in between, and
compares with what a bookkeeper outside would have noted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from django_tavus.sandbox import RoomRefusal, Sandbox
from django_tavus.sandbox.engine.conversations import Conversation
from django_tavus.sandbox.engine.refusals import Refusal
from tests.sandbox.clocks import noon

LIMIT = 3
HOOK = "https://site.example/"
ONCE = {
    "system.replica_joined",
    "system.pal_joined",
    "system.shutdown",
    "application.transcription_ready",
    "application.perception_analysis",
}


class Calls(RuleBasedStateMachine):
    conversations: Bundle[str] = Bundle("conversations")
    people: Bundle[tuple[str, str]] = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = Sandbox(seed=1, clock=noon, max_concurrent=LIMIT)
        self.statuses: dict[str, str] = {}
        self.posted: dict[str, list[str]] = {}
        self.latest: dict[str, str] = {}

    def call(self, conversation_id: str) -> Conversation:
        return self.sandbox.conversation(conversation_id)

    @rule(
        target=conversations,
        left=st.sampled_from([0, 30]),
        absent=st.sampled_from([60, 300]),
        longest=st.sampled_from([60, 120, 3600]),
    )
    def create(self, left: int, absent: int, longest: int) -> Any:
        properties = {
            "participant_left_timeout": left,
            "participant_absent_timeout": absent,
            "max_call_duration": longest,
        }
        fields = {
            "persona_id": "pcb7a34da5fe",
            "callback_url": HOOK,
            "properties": properties,
        }
        engine = self.sandbox.engine
        running = len(engine.conversations.active())
        if running == LIMIT:
            with pytest.raises(Refusal, match="maximum concurrent"):
                engine.conversations.create(fields, rooms="http://rooms")
            return next(iter(engine.conversations))
        conversation = engine.conversations.create(fields, rooms="http://rooms")
        engine.calls.open(conversation)
        self.posted[conversation.id] = []
        return conversation.id

    @rule(target=people, conversation_id=conversations)
    def join(self, conversation_id: str) -> Any:
        if not self.call(conversation_id).is_active:
            with pytest.raises(RoomRefusal):
                self.sandbox.join(conversation_id)
            return conversation_id, "nobody"
        return conversation_id, self.sandbox.join(conversation_id).id

    @rule(person=consumes(people))
    def leave(self, person: tuple[str, str]) -> None:
        conversation_id, person_id = person
        if person_id in self.call(conversation_id).participants:
            self.sandbox.leave(conversation_id, person_id)
        else:
            with pytest.raises(RoomRefusal):
                self.sandbox.leave(conversation_id, person_id)

    @rule(conversation_id=conversations, words=st.sampled_from(["Why?", "Well.", "Bye"]))
    def say(self, conversation_id: str, words: str) -> None:
        call = self.call(conversation_id)
        if call.is_active and call.participants:
            turns = self.sandbox.say(conversation_id, "user", words)
            assert len(turns) == (2 if call.replica_joined_at else 1)
        else:
            with pytest.raises(RoomRefusal):
                self.sandbox.say(conversation_id, "user", words)

    @rule(conversation_id=conversations)
    def end(self, conversation_id: str) -> None:
        call = self.call(conversation_id)
        if call.is_active:
            self.sandbox.engine.calls.end(call)
            assert call.shutdown_reason == "end_conversation_endpoint_hit"
        else:
            with pytest.raises(Refusal, match="already ended"):
                self.sandbox.engine.calls.end(call)

    @rule(conversation_id=conversations)
    def delete(self, conversation_id: str) -> None:
        self.sandbox.engine.conversations.delete(self.call(conversation_id))

    @rule(seconds=st.sampled_from([0.1, 1, 29, 31, 100]))
    def advance(self, seconds: float) -> None:
        self.sandbox.advance(seconds)

    @rule()
    def post(self) -> None:
        for callback in self.sandbox.due_callbacks():
            body = callback.body
            self.posted[body["conversation_id"]].append(body["event_type"])
            before = self.latest.get(body["conversation_id"], "")
            assert before <= body["timestamp"]
            self.latest[body["conversation_id"]] = body["timestamp"]

    @invariant()
    def ended_stays_ended(self) -> None:
        for conversation_id, call in self.sandbox.engine.conversations.items():
            if self.statuses.get(conversation_id) == "ended":
                assert call.status == "ended"
            self.statuses[conversation_id] = call.status

    @invariant()
    def no_more_run_than_the_plan_allows(self) -> None:
        assert len(self.sandbox.engine.conversations.active()) <= LIMIT

    @invariant()
    def nobody_stays_in_a_room_that_is_over(self) -> None:
        for call in self.sandbox.engine.conversations.values():
            assert call.is_active or not call.participants

    @invariant()
    def nothing_runs_longer_than_it_may(self) -> None:
        now = self.sandbox.now()
        for call in self.sandbox.engine.conversations.values():
            longest = timedelta(seconds=call.properties["max_call_duration"])
            assert (call.ended_at or now) - call.created_at <= longest

    @invariant()
    def nobody_waits_longer_than_agreed(self) -> None:
        for call in self.sandbox.engine.conversations.values():
            absent = timedelta(seconds=call.properties["participant_absent_timeout"])
            if call.is_active and not call.visitors:
                assert self.sandbox.now() - call.created_at < absent

    @invariant()
    def turns_are_in_order(self) -> None:
        for call in self.sandbox.engine.conversations.values():
            moments: list[datetime] = [turn.said_at for turn in call.turns]
            assert moments == sorted(set(moments))

    def teardown(self) -> None:
        """In the end everything is over, and was told exactly once."""
        self.sandbox.advance(10_000)
        self.post()
        for conversation_id, call in self.sandbox.engine.conversations.items():
            posted = self.posted[conversation_id]
            assert not call.is_active
            assert len(posted) == len(set(posted))
            assert set(posted) <= ONCE
            assert "system.shutdown" in posted
            assert ("application.transcription_ready" in posted) is bool(call.visitors)
            assert ("system.replica_joined" in posted) is bool(call.replica_joined_at)
            assert [event.event_type for event in call.events] == posted


Calls.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestCalls = Calls.TestCase
