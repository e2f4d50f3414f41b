"""Conversations as the REST API sees them: created, listed, read, ended, deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django_tavus.sandbox.engine import dates, tokens
from django_tavus.sandbox.engine.collection import Collection
from django_tavus.sandbox.engine.documents import Documents
from django_tavus.sandbox.engine.personas import Persona, Personas
from django_tavus.sandbox.engine.refusals import Refusal, invalid
from django_tavus.sandbox.engine.replicas import Replica, Replicas
from django_tavus.sandbox.engine.world import World

DEFAULT_PROPERTIES: dict[str, Any] = {
    "max_call_duration": 3600,
    # Zero: a reload of the page ends the call, unless the caller asks for more patience.
    "participant_left_timeout": 0,
    "participant_absent_timeout": 300,
    "enable_recording": False,
    "language": "english",
}
STOCK_PERSONA = "pb87e71797da"
"""Who speaks when only a replica is named."""

HIDDEN_CAUSE = (
    "There was an error creating the conversation, please reach out to support at support@tavus.io!"
)
TOO_MANY = Refusal(400, "User has reached maximum concurrent conversations", "message")
NO_CREDITS = Refusal(402, "The user is out of conversational credits", "message")

Vocabulary = Literal["old", "new"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the account may use; None is no limit."""

    max_concurrent: int | None = None
    max_call_duration: int | None = None
    """Seconds. Caps ``properties.max_call_duration`` without a word."""
    credit_minutes: float | None = None


@dataclass
class Participant:
    """A person in a room. ``last_seen`` is None for one that a test put there."""

    id: str
    name: str
    camera: bool = True
    last_seen: datetime | None = None


@dataclass
class Turn:
    """Something that was said."""

    role: str
    content: str
    said_at: datetime
    duration: float
    inference_id: str | None = None


@dataclass
class Event:
    """Something that Tavus tells about a conversation."""

    event_type: str
    message_type: str
    happened_at: datetime
    properties: dict[str, Any]


@dataclass
class Conversation:
    """A conversation and everything that happened in it."""

    id: str
    persona: Persona
    replica: Replica
    request: dict[str, Any]
    """The body of the create call, as it was sent."""
    properties: dict[str, Any]
    conversation_name: str
    conversation_url: str
    created_at: datetime
    updated_at: datetime
    private: bool
    status: Literal["active", "ended"] = "active"
    meeting_token: str | None = None
    replica_joined_at: datetime | None = None
    began_at: datetime | None = None
    """When a person and the replica were first together: second 0 of the transcript."""
    ended_at: datetime | None = None
    shutdown_reason: str | None = None
    deleted: bool = False
    recording_started_at: datetime | None = None
    participants: dict[str, Participant] = field(default_factory=dict)
    visitors: list[str] = field(default_factory=list)
    """Names of everyone who was ever in the room."""
    camera_used: bool = False
    turns: list[Turn] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    empty_since: int = 0
    """Counts departures, so that an old departure's time-out does not end a new visit."""
    objectives_done: int = 0
    canvas: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def callback_url(self) -> str:
        """Where its callbacks go, or the empty string."""
        return str(self.request.get("callback_url") or "")

    @property
    def is_active(self) -> bool:
        """Whether it holds a slot and costs money."""
        return self.status == "active"

    @property
    def test_mode(self) -> bool:
        """Whether it was over as soon as it was made."""
        return bool(self.request.get("test_mode"))

    def minutes(self, now: datetime) -> float:
        """What it has cost: from creation, because the replica waits in the room."""
        if self.test_mode:
            return 0.0
        return ((self.ended_at or now) - self.created_at).total_seconds() / 60


class Conversations(Collection[Any]):
    """What can be done with conversations over the REST API. Life in the room is in `calls`."""

    _objects: dict[str, Conversation]

    def __init__(
        self,
        world: World,
        plan: Plan,
        personas: Personas,
        replicas: Replicas,
        documents: Documents,
    ) -> None:
        super().__init__(world)
        self.plan = plan
        self.personas = personas
        self.replicas = replicas
        self.documents = documents

    def __getitem__(self, key: str) -> Conversation:
        return self._objects[key]

    def active(self) -> list[Conversation]:
        """Those that hold a slot, deleted ones too: deleting does not hang up."""
        return [row for row in self._objects.values() if row.is_active]

    def create(self, fields: dict[str, Any], *, rooms: str) -> Conversation:
        """Make a conversation; ``rooms`` is the URL below which its room is."""
        persona, replica = self._cast(fields)
        for document_id in fields.get("document_ids") or ():
            self.documents.known(document_id)
        if not fields.get("test_mode"):
            self._check_plan()
        conversation = self._new(fields, persona, replica, rooms)
        return self._objects.setdefault(conversation.id, conversation)

    def find(self, conversation_id: str) -> Conversation:
        """The conversation, or 400: unknown ids are not 404 here, deleted ones neither."""
        conversation = self._objects.get(conversation_id)
        if conversation is None or conversation.deleted:
            raise invalid("conversation_id")
        return conversation

    def select(
        self, *, status: str | None, persona_id: str | None, replica_id: str | None
    ) -> list[Conversation]:
        """The filters of the list, newest first (the real order is not documented)."""
        return [
            row
            for row in reversed(self._objects.values())
            if not row.deleted
            and status in (None, row.status)
            and persona_id in (None, row.persona.id)
            and replica_id in (None, row.replica.id)
        ]

    def delete(self, conversation: Conversation) -> None:
        """Take the record away; a running call keeps running and costing."""
        conversation.deleted = True

    def created(self, conversation: Conversation) -> dict[str, Any]:
        """The answer to creating it; the only place that ever shows the meeting token."""
        row = self.row(conversation)
        del row["updated_at"]
        token = conversation.meeting_token
        return row | ({"meeting_token": token} if token else {})

    def row(self, conversation: Conversation) -> dict[str, Any]:
        """An item of the list, and the answer to GET."""
        request = conversation.request
        # Rows speak the vocabulary in which they were created (observed).
        persona_key = "pal_id" if "pal_id" in request else "persona_id"
        replica_key = "face_id" if "face_id" in request else "replica_id"
        return {
            "conversation_id": conversation.id,
            "conversation_name": conversation.conversation_name,
            "conversation_url": conversation.conversation_url,
            "status": conversation.status,
            "callback_url": conversation.callback_url,
            persona_key: conversation.persona.id,
            replica_key: conversation.replica.id,
            "created_at": dates.micros(conversation.created_at),
            "updated_at": dates.micros(conversation.updated_at),
        }

    def _cast(self, fields: dict[str, Any]) -> tuple[Persona, Replica]:
        persona_id = _either(fields, "persona_id", "pal_id")
        replica_id = _either(fields, "replica_id", "face_id")
        if not persona_id and not replica_id:
            raise Refusal(400, HIDDEN_CAUSE)
        persona = self.personas.find(persona_id or STOCK_PERSONA)
        replica_id = replica_id or persona.body.get("default_replica_id")
        if not replica_id:
            raise Refusal(400, HIDDEN_CAUSE)
        replica = self.replicas.find(replica_id, "replica_uuid")
        if replica.status != "completed":
            raise Refusal(400, HIDDEN_CAUSE)
        return persona, replica

    def _check_plan(self) -> None:
        limit, credit = self.plan.max_concurrent, self.plan.credit_minutes
        if limit is not None and len(self.active()) >= limit:
            raise TOO_MANY
        now = self.world.now()
        if credit is not None and sum(c.minutes(now) for c in self._objects.values()) >= credit:
            raise NO_CREDITS

    def _new(
        self, fields: dict[str, Any], persona: Persona, replica: Replica, rooms: str
    ) -> Conversation:
        now = self.world.now()
        conversation_id = self.world.new_id("c", 15)
        properties = DEFAULT_PROPERTIES | (fields.get("properties") or {})
        conversation = Conversation(
            id=conversation_id,
            persona=persona,
            replica=replica,
            request=fields,
            properties=properties,
            conversation_name=fields.get("conversation_name") or f"A meeting with {replica.name}",
            conversation_url=f"{rooms}/{conversation_id}",
            created_at=now,
            updated_at=now,
            # The provider's file has require_auth in both places.
            private=bool(fields.get("require_auth") or properties.get("require_auth")),
        )
        if conversation.private:
            # The token lives as long as the room waits for somebody (Tavus docs).
            expiry = self.world.later(properties["participant_absent_timeout"])
            conversation.meeting_token = tokens.mint(conversation_id, expiry)
        if conversation.test_mode:
            conversation.status, conversation.ended_at = "ended", now
        return conversation


def _either(fields: dict[str, Any], old: str, new: str) -> str | None:
    if old in fields and new in fields:
        raise Refusal(400, f"Cannot have both {old} and {new}")
    return fields.get(old) or fields.get(new)
