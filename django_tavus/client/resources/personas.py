"""Personas (PALs): how an agent behaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django_tavus.client.calls import Call, segment
from django_tavus.client.resources.base import (
    Creatable,
    Deletable,
    Gettable,
    JsonPatched,
    Listed,
    Resource,
)
from django_tavus.client.retry import Kind
from django_tavus.client.transport import Transport
from django_tavus.client.vocabulary import PERSONAS, Row


class Personas(Listed, Gettable, Creatable, JsonPatched, Deletable):
    """`/personas`. A patch that meets unpublished edits in PAL Maker raises `Conflict`.

    Rows do not tell their own `persona_type` (observed): remember the filter that was asked with.
    """

    facts = PERSONAS

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.tools = PersonaTools(transport)
        self.skills = PersonaSkills(transport)


class _PersonaPart(Resource):
    """Something attached to a persona; documented below `/pals` only, the ids are the same."""

    facts = PERSONAS
    part: str

    def _part(
        self,
        method: str,
        persona_id: str,
        item: str | None = None,
        *,
        kind: Kind = Kind.SAFE,
        body: Any = None,
        wants_body: bool = False,
    ) -> Call:
        own = segment("persona_id", persona_id)
        rest = () if item is None else (segment(f"{self.part[:-1]}_id", item),)
        return Call(
            method=method,
            path="/".join(("/pals", own, self.part, *rest)),
            kind=kind,
            body=body,
            subject="persona_id",
            wants_body=wants_body,
        )

    def _json(self, call: Call) -> Any:
        return self._transport.send(call).body


class PersonaTools(_PersonaPart):
    """`/pals/{id}/tools`: reusable tools attached to a persona."""

    part = "tools"

    def list(self, persona_id: str) -> Any:
        """Return what is attached, as Tavus answers it (undocumented shape)."""
        return self._json(self._part("GET", persona_id, wants_body=True))

    def attach(self, persona_id: str, tool_ids: Sequence[str]) -> Any:
        """Attach tools by id; at most 50 per persona."""
        body = {"tool_ids": [*tool_ids]}
        return self._json(self._part("POST", persona_id, kind=Kind.CHANGE, body=body))

    def detach(self, persona_id: str, tool_id: str) -> None:
        """Detach one tool; the tool itself stays."""
        self._transport.send(self._part("DELETE", persona_id, tool_id))


class PersonaSkills(_PersonaPart):
    """`/pals/{id}/skills`: skills such as `presentation` or `magic_canvas`, each with a config."""

    part = "skills"

    def list(self, persona_id: str) -> Any:
        """Return the skills of a persona, as Tavus answers them (undocumented shape)."""
        return self._json(self._part("GET", persona_id, wants_body=True))

    def get(self, persona_id: str, skill_id: str) -> Row:
        """Return one skill of a persona."""
        return self._object(self._part("GET", persona_id, skill_id, wants_body=True))

    def put(self, persona_id: str, skill_id: str, config: Mapping[str, Any] | None = None) -> Any:
        """Attach a skill, or replace its whole config."""
        body = {"config": dict(config or {})}
        return self._json(self._part("PUT", persona_id, skill_id, kind=Kind.CHANGE, body=body))

    def update(self, persona_id: str, skill_id: str, config: Mapping[str, Any]) -> Any:
        """Change the given members of a skill's config."""
        body = {"config": dict(config)}
        return self._json(self._part("PATCH", persona_id, skill_id, kind=Kind.CHANGE, body=body))

    def replace(self, persona_id: str, skills: Mapping[str, Any]) -> Any:
        """Replace all skills of a persona: `{skill_id: {"config": {...}}}`."""
        body = {"skills": dict(skills)}
        return self._json(self._part("PUT", persona_id, kind=Kind.CHANGE, body=body))

    def delete(self, persona_id: str, skill_id: str) -> None:
        """Detach one skill."""
        self._transport.send(self._part("DELETE", persona_id, skill_id))
