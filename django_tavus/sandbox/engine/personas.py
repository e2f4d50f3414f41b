"""Personas (PALs): how an agent behaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django_tavus.sandbox.engine import dates, magic
from django_tavus.sandbox.engine.collection import Collection, Owner, Stored
from django_tavus.sandbox.engine.documents import Documents
from django_tavus.sandbox.engine.refusals import Refusal, invalid
from django_tavus.sandbox.engine.replicas import Replicas
from django_tavus.sandbox.engine.world import World

PROMPTLESS_MODES = ("echo", "speech-to-speech")
"""Pipelines without a language model of the persona's own: a prompt is refused, not ignored."""

DEFAULTS: dict[str, Any] = {
    "system_prompt": "",
    "pipeline_mode": "full",
    "context": "",
    "greeting": "",
    "document_ids": [],
    "document_tags": [],
    "layers": {},
}


@dataclass
class Persona(Stored):
    """A persona; ``body`` is what GET answers, in the persona vocabulary, without id and times."""

    maker_changes: bool = False
    """Whether somebody left unpublished edits in the provider's editor."""
    tools: list[str] = field(default_factory=list)
    skills: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.body.get("persona_name") or "")


class Personas(Collection[Persona]):
    """What can be done with personas."""

    def __init__(self, world: World, replicas: Replicas, documents: Documents) -> None:
        super().__init__(world)
        self.replicas = replicas
        self.documents = documents

    def create(self, fields: dict[str, Any], *, replica_error: str) -> Persona:
        """Make a persona of the user's own."""
        body = DEFAULTS | fields
        self.check(body, replica_error=replica_error)
        now = self.world.now()
        persona_id = self.world.new_id("p", 11)
        body.setdefault("persona_name", f"Persona {persona_id}")
        tools = body.pop("tool_ids", [])
        persona = Persona(persona_id, "user", now, now, body, tools=list(tools))
        persona.maker_changes = persona.name == magic.MAKER_CHANGES
        return self.put(persona)

    def add(self, *, owner: Owner = "user", **body: Any) -> Persona:
        """Put a persona with a given ``persona_id`` into the account."""
        now = self.world.now()
        persona_id = body.pop("persona_id", None) or self.world.new_id("p", 11)
        filled = DEFAULTS | {"persona_name": f"Persona {persona_id}"} | body
        persona = Persona(persona_id, owner, now, now, filled)
        persona.maker_changes = persona.name == magic.MAKER_CHANGES
        return self.put(persona)

    def find(self, persona_id: str) -> Persona:
        """The persona, or the refusal."""
        if persona_id not in self:
            raise invalid("persona_id")
        return self[persona_id]

    def check(self, body: dict[str, Any], *, replica_error: str) -> None:
        """Refuse what Tavus refuses beyond types: prompts, references, unknown models."""
        self._check_prompt(body)
        if body.get("default_replica_id"):
            self.replicas.find(body["default_replica_id"], replica_error)
        for document_id in body.get("document_ids") or ():
            self.documents.known(document_id)
        self._check_model((body.get("layers") or {}).get("llm") or {})

    def replace(self, persona: Persona, body: dict[str, Any]) -> None:
        """Store the outcome of a patch."""
        persona.body = body
        persona.maker_changes = False
        self.touch(persona)

    def detail(self, persona: Persona) -> dict[str, Any]:
        """What GET and the list answer. There is no type in it, not even in the list (observed)."""
        return {
            "persona_id": persona.id,
            **persona.body,
            "created_at": dates.micros(persona.created_at),
            "updated_at": dates.micros(persona.updated_at),
        }

    def _check_prompt(self, body: dict[str, Any]) -> None:
        promptless = body.get("pipeline_mode") in PROMPTLESS_MODES
        if promptless and (body.get("system_prompt") or body.get("context")):
            mode = body["pipeline_mode"]
            raise Refusal(400, f"system_prompt and context are not allowed for {mode}", "message")
        if not promptless and not body.get("system_prompt"):
            raise Refusal(400, {"system_prompt": ["Missing data for required field."]}, "message")

    def _check_model(self, llm: dict[str, Any]) -> None:
        model = llm.get("model") or ""
        if model and not model.startswith("tavus-") and not llm.get("base_url"):
            # An unknown hosted model is not refused but breaks the server (reported by users).
            raise Refusal(500, "Internal Server Error", "message")
