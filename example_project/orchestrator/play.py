"""One whole conversation, from the wish to its transcript, through the site's REST API.

Only the person in the room is played through the sandbox's control calls; everything else is
what a frontend and Tavus would do. Every step is checked against what really came out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

from orchestrator.failures import RunFailedError
from orchestrator.ports import HOST, Ports
from orchestrator.visitor import Visitor

PERSONA = "Sales Coach"
LINES = (
    "Hello! I sell a tool that writes meeting notes. May I have two minutes?",
    "Most teams lose an hour a week to them. How is that for you?",
    "Thank you!",
)
LEFT_TIMEOUT = 2  # seconds; so that the end does not keep anybody waiting
STEP_SECONDS = 60.0
PAUSE = 0.2  # seconds between two looks

Say = Callable[[str], None]


def play(ports: Ports, say: Say, check: Callable[[], None]) -> None:
    """Play one conversation; ``check`` raises if a process has ended.

    Raises:
        RunFailedError: a step did not happen.
    """
    Play(ports, say, check).run()


class Play:
    """The conversation that is played, and what was seen of it so far."""

    def __init__(self, ports: Ports, say: Say, check: Callable[[], None]) -> None:
        self.visitor = Visitor(f"http://{HOST}:{ports.site}")
        self.sandbox = f"http://{HOST}:{ports.sandbox}/sandbox/conversations"
        self.say = say
        self.check = check
        self.pk = ""
        self.seen: set[int] = set()

    def run(self) -> None:
        """All of it, step by step."""
        self.visitor.sign_in()
        self.say("signed in   demo")
        persona = self.choose()
        self.launch(persona)
        room = self.await_room()
        spoken = self.talk(room)
        self.await_end()
        self.check_transcript(spoken, persona)
        self.check_perception()
        self.say("the play    every step has happened")

    def choose(self) -> Any:
        """Return the persona to talk to, as the gallery of a frontend gets it."""
        personas = self.visitor.get("personas/?page_size=100")["results"]
        for persona in personas:
            if persona["persona_name"] == PERSONA:
                self.say(f"persona     {PERSONA} ({persona['persona_id']})")
                return persona
        raise RunFailedError(f"The API lists no persona {PERSONA}, but {len(personas)} others.")

    def launch(self, persona: Any) -> None:
        """Ask for the conversation; what comes back is a place in the queue."""
        body = {
            "persona_id": persona["persona_id"],
            "conversation_name": "make run",
            "properties": {"participant_left_timeout": LEFT_TIMEOUT},
        }
        conversation = self.visitor.launch(body)
        self.pk = conversation["id"]
        self.say(f"launched    {conversation['status']} as {self.pk}")

    def await_room(self) -> Any:
        """Return the conversation once it has a room and the replica is in it."""
        room = self.until("a room", lambda row: row["conversation_url"])
        self.say(f"room        {room['conversation_url']}")
        html = self.visitor.read_page(f"/tavus/rooms/{self.pk}/")
        if escape(room["conversation_url"]) not in html:
            raise RunFailedError("The room page does not hold the frame of the room.")
        self.until("the replica in the room", lambda row: row["joined_at"])
        return room

    def talk(self, room: Any) -> list[tuple[str, str]]:
        """Join, say the lines, leave; return the turns as the room itself has heard them."""
        call = room["conversation_id"]
        self.control(call, "join", {"name": "Demo"})
        self.say("joined      Demo is in the room")
        heard = [turn for line in LINES for turn in self.speak(call, line)]
        self.control(call, "leave", {}, expect=204)
        self.say("left        the room is empty")
        return heard

    def speak(self, call: str, line: str) -> list[tuple[str, str]]:
        """Say one line; return it and what the replica answered."""
        turns = self.control(call, "say", {"role": "user", "content": line})["turns"]
        if [turn["role"] for turn in turns] != ["user", "assistant"]:
            raise RunFailedError(f"The replica did not answer “{line}”.")
        return [(turn["role"], turn["content"]) for turn in turns]

    def await_end(self) -> None:
        """Wait until the call is over and everything about it has arrived."""
        ended = self.until("the end", lambda row: row["status"] == "ended")
        self.say(f"ended       after {ended['duration']} s: {ended['shutdown_reason']}")
        for event in ("application.transcription_ready", "application.perception_analysis"):
            self.until(event, partial(self.has_processed, event))

    def check_transcript(self, spoken: list[tuple[str, str]], persona: Any) -> None:
        """What was said, all of it, in order, after the greeting; and nothing else."""
        turns = self.visitor.get(f"conversations/{self.pk}/transcript/")["transcript"]
        for turn in turns:
            self.say(f"  {turn['role'] + ':':9} {turn['content']}")
        roles = {"assistant": "replica"}
        expected = [(roles.get(role, role), content) for role, content in spoken]
        stored = [(turn["role"], turn["content"]) for turn in turns]
        if stored[1:] != expected or stored[:1] != [("replica", persona["greeting"])]:
            raise RunFailedError(f"The transcript is not what was said: {expected}")
        if any(persona["system_prompt"] in content for _, content in stored):
            raise RunFailedError("The transcript holds the persona's system prompt.")

    def check_perception(self) -> None:
        """What Tavus saw has come, and the site shows it."""
        payload = self.processed("application.perception_analysis")["payload"]
        analysis = payload["properties"]["analysis"]
        for line in filter(None, analysis.splitlines()):
            self.say(f"  perception: {line}")
        line = escape(analysis.strip().splitlines()[-1].lstrip("#- "))
        if line not in self.visitor.read_page(f"/history/{self.pk}/"):
            raise RunFailedError("The perception analysis is not in the database.")

    def until(self, what: str, reached: Callable[[Any], Any]) -> Any:
        """Look at the conversation until ``reached``, and tell its events as they come."""
        deadline = time.monotonic() + STEP_SECONDS
        while time.monotonic() < deadline:
            self.check()
            conversation = self.visitor.get(f"conversations/{self.pk}/")
            if conversation["error"]:
                raise RunFailedError(f"The conversation failed: {conversation['error']}")
            self.tell_events()
            if reached(conversation):
                return conversation
            time.sleep(PAUSE)
        raise RunFailedError(f"Waited {STEP_SECONDS:.0f} s in vain for {what}.")

    def tell_events(self) -> None:
        """Print what has arrived since the last look."""
        for event in sorted(self.events(), key=lambda event: int(event["id"])):
            if event["id"] not in self.seen:
                self.seen.add(event["id"])
                self.say(f"event       {event['event_type']} ({event['source']})")

    def has_processed(self, event_type: str, _: Any) -> bool:
        """Whether an event of a type has come and has had its effect."""
        return self.processed(event_type) is not None

    def processed(self, event_type: str) -> Any:
        """Return the event of a type that has had its effect, or None."""
        for event in self.events():
            if event["event_type"] == event_type and event["status"] == "processed":
                return event
        return None

    def events(self) -> list[Any]:
        """Return the events as staff see them."""
        page = self.visitor.get(f"conversations/{self.pk}/events/?page_size=100")
        results: list[Any] = page["results"]
        return results

    def control(self, call: str, verb: str, body: dict[str, Any], *, expect: int = 200) -> Any:
        """Play a person in the room."""
        url = f"{self.sandbox}/{call}/{verb}"
        response = self.visitor.request("POST", url, expect=expect, json=body)
        return response.json() if response.content else None
