"""`Sandbox`: the account, its faults and its wire, in one object that tests and servers hold."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django_tavus.sandbox.adapter import InProcessAdapter
from django_tavus.sandbox.engine import Engine, Quirks
from django_tavus.sandbox.engine.collection import Stored
from django_tavus.sandbox.engine.conversations import Conversation, Participant, Plan, Turn
from django_tavus.sandbox.engine.documents import Document
from django_tavus.sandbox.engine.personas import Persona
from django_tavus.sandbox.engine.replicas import Replica
from django_tavus.sandbox.engine.world import Callback, Delivery
from django_tavus.sandbox.faults import Faults
from django_tavus.sandbox.records import RecordedRequest
from django_tavus.sandbox.wire.app import App

ORIGIN = "http://sandbox.invalid"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """Tavus, played.

    Nothing in it sleeps; time passes with ``clock`` (a callable returning an aware datetime) and
    `advance`. With a ``seed`` ids and mishaps are the same each time; None draws new ones.
    ``max_concurrent`` conversations may run at once, for ``credits`` minutes in all, each for at
    most ``max_call_duration`` seconds. ``drop`` and ``duplicate`` are probabilities of callbacks,
    ``errors`` of requests; ``latency`` is in seconds and felt over HTTP only.
    """

    def __init__(
        self,
        *,
        seed: int | None = 0,
        clock: Callable[[], datetime] | None = None,
        origin: str = ORIGIN,
        max_concurrent: int | None = None,
        credits: float | None = None,  # noqa: A002 - the word of the service
        max_call_duration: int | None = None,
        pace: str = "quick",
        drop: float = 0.0,
        duplicate: float = 0.0,
        shuffle: bool = False,
        latency: float = 0.0,
        errors: float = 0.0,
        quirks: Quirks | None = None,
    ) -> None:
        self.origin = origin
        self.seed = seed
        self.latency = latency
        self.lock = threading.RLock()
        self.requests: list[RecordedRequest] = []
        self.engine = Engine(
            clock=clock or _utc_now,
            seed=seed,
            pace=pace,
            plan=Plan(max_concurrent, max_call_duration, credits),
            delivery=Delivery(drop, duplicate, shuffle),
            quirks=quirks,
        )
        self.faults = Faults(random.Random(seed), errors)  # noqa: S311 - chance, not secrecy
        self.app = App(self)

    @property
    def base_url(self) -> str:
        """What ``TAVUS["BASE_URL"]`` has to be."""
        return f"{self.origin}/v2"

    def adapter(self) -> InProcessAdapter:
        """A transport to mount on a `requests.Session` at `origin`: no socket is opened."""
        return InProcessAdapter(self.app)

    def now(self) -> datetime:
        """The time by the sandbox's clock."""
        with self.lock:
            return self.engine.world.now()

    def tick(self) -> None:
        """Make happen what is due by now."""
        with self.lock:
            self.engine.tick()

    def advance(self, seconds: float) -> None:
        """Move the clock forward and make happen what fell due."""
        with self.lock:
            self.engine.world.advance(seconds)
            for conversation in self.engine.conversations.active():
                for person in conversation.participants.values():
                    # Whoever is watched in real time did not fall silent by a jump of the clock.
                    if person.last_seen is not None:
                        person.last_seen += timedelta(seconds=seconds)
            self.engine.tick()

    def reset(self) -> None:
        """A new account: the stock, no faults, no requests, the clock as it was."""
        with self.lock:
            self.engine.reset()
            self.faults.clear()
            self.faults.chance.seed(self.seed)
            self.requests.clear()

    def conversation(self, conversation_id: str) -> Conversation:
        """A conversation by id, deleted ones too. Raises KeyError."""
        return self.engine.conversations[conversation_id]

    def join(
        self, conversation_id: str, name: str = "Visitor", *, camera: bool = True
    ) -> Participant:
        """Let a person into the room. Raises `RoomRefusal`."""
        with self.lock:
            self.engine.tick()
            person = self.engine.calls.join(self.conversation(conversation_id), name, camera=camera)
            self.engine.tick()
            return person

    def say(self, conversation_id: str, role: str, content: str) -> list[Turn]:
        """Let ``user`` or ``replica`` say something; the replica answers what a user says.

        Returns the new turns. Raises `RoomRefusal` where nobody is there.
        """
        with self.lock:
            self.engine.tick()
            return self.engine.calls.say(self.conversation(conversation_id), role, content)

    def leave(self, conversation_id: str, participant_id: str | None = None) -> None:
        """Let a person go (who came last, unless said). Raises `RoomRefusal`."""
        with self.lock:
            self.engine.tick()
            self.engine.calls.leave(self.conversation(conversation_id), participant_id)
            self.engine.tick()

    def record(self, conversation_id: str) -> None:
        """Start the recording of a call. Raises `RoomRefusal` where it is not enabled."""
        with self.lock:
            self.engine.tick()
            self.engine.calls.record(self.conversation(conversation_id))

    def emit(
        self,
        conversation_id: str,
        event_type: str,
        properties: dict[str, Any] | None = None,
        message_type: str = "application",
    ) -> None:
        """Make up an event of a conversation: stored, and posted to its callback URL."""
        with self.lock:
            conversation = self.conversation(conversation_id)
            self.engine.calls.emit(conversation, event_type, message_type, properties or {})

    def add_persona(self, **body: Any) -> Persona:
        """Put a persona into the account: ``persona_id`` and any of its fields, ``owner``."""
        with self.lock:
            return self.engine.personas.add(**body)

    def add_replica(self, **body: Any) -> Replica:
        """Put a replica into the account: ``replica_id`` and any of its fields, ``owner``."""
        with self.lock:
            return self.engine.replicas.add(**({"owner": "user"} | body))

    def add_document(self, **body: Any) -> Document:
        """Put a document into the account: ``document_id`` and any of its fields."""
        with self.lock:
            return self.engine.documents.add(**body)

    def put(self, kind: str, **body: Any) -> Stored:
        """Put an object of any kind (the last part of its path) into the account.

        Raises KeyError for an unknown kind.
        """
        engine = self.engine
        adders: dict[str, Callable[..., Stored]] = {
            "personas": self.add_persona,
            "pals": self.add_persona,
            "replicas": self.add_replica,
            "faces": self.add_replica,
            "documents": self.add_document,
            "videos": engine.videos.add,
            "transcriptions": engine.transcriptions.add,
            "objectives": engine.objectives.add,
            "guardrails": engine.guardrails.add,
            "pronunciation-dictionaries": engine.dictionaries.add,
            "tools": engine.tools.add,
        }
        with self.lock:
            return adders[kind](**body)

    def due_callbacks(self) -> list[Callback]:
        """Take the callbacks that are due, with the mishaps of the post applied."""
        with self.lock:
            self.engine.tick()
            return self.engine.world.collect()

    def deliver(self, send: Callable[[str, bytes], object]) -> int:
        """Hand (url, content) of every due callback to ``send``; returns how many."""
        callbacks = self.due_callbacks()
        for callback in callbacks:
            send(callback.url, callback.content)
        return len(callbacks)
