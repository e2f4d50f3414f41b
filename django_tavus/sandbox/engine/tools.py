"""Tools that personas can be given, and the skills that come with the service."""

from __future__ import annotations

import copy
import json
from typing import Any

from django_tavus.sandbox.engine import dates
from django_tavus.sandbox.engine.collection import Collection, Owner, Stored, matches
from django_tavus.sandbox.engine.personas import Persona, Personas
from django_tavus.sandbox.engine.refusals import Refusal, not_found
from django_tavus.sandbox.engine.world import World

MAX_SIZE = 10_000
"""Characters of description and parameters together."""
MAX_PER_PERSONA = 50
MASK = "*" * 8
SECRETS = ("token", "password", "value", "secret", "client_secret")
"""Members of ``delivery.api.auth`` that are never shown again."""

DEFAULTS: dict[str, Any] = {
    "parameters": {},
    "delivery": {"app_message": True},
    "origin": "llm",
    "on_resolve": "fire_and_forget",
    "tags": [],
}

SKILLS: dict[str, dict[str, Any]] = {
    "magic_canvas": {"display_name": "Magic Canvas", "description": "Shows cards and forms."},
    "presentation": {"display_name": "Presentation", "description": "Walks through slides."},
    "internet_search": {"display_name": "Internet search", "description": "Looks things up."},
}


class Tools(Collection[Stored]):
    """What can be done with tools and skills."""

    def __init__(self, world: World, personas: Personas) -> None:
        super().__init__(world)
        self.personas = personas

    def create(self, fields: dict[str, Any]) -> Stored:
        """Make a tool."""
        return self.add(**fields)

    def add(self, *, owner: Owner = "user", **body: Any) -> Stored:
        """Put a tool into the account, with a given ``tool_id`` if there is one."""
        tool_id = body.pop("tool_id", None) or self.world.new_id("t", 11)
        filled = DEFAULTS | body
        if not filled.get("name") or not filled.get("description"):
            raise ValueError("A tool has a name and a description.")
        self.check(filled)
        now = self.world.now()
        return self.put(Stored(tool_id, owner, now, now, filled))

    def find(self, tool_id: str) -> Stored:
        """The tool, or 404."""
        if tool_id not in self:
            raise not_found("Tool")
        return self[tool_id]

    def change(self, stored: Stored, fields: dict[str, Any]) -> None:
        """Merge: what is not sent stays, secrets too."""
        body = stored.body | fields
        self.check(body)
        stored.body = body
        self.touch(stored)

    def delete(self, stored: Stored) -> None:
        """Delete a tool, and take it away from every persona."""
        self.remove(stored.id)
        for persona in self.personas.values():
            persona.tools = [tool for tool in persona.tools if tool != stored.id]

    def check(self, body: dict[str, Any]) -> None:
        """Refuse what the types cannot: size, reserved names, two ways of delivery or none."""
        if len(body["description"]) + len(json.dumps(body["parameters"])) > MAX_SIZE:
            raise Refusal(400, "tool spec is too large", "message")
        names = body["parameters"].get("properties") or {}
        if any(name.startswith("tavus_") for name in names):
            raise Refusal(400, "parameter names starting with tavus_ are reserved", "message")
        delivery = body["delivery"]
        if (delivery.get("app_message") is True) == bool(delivery.get("api")):
            raise Refusal(400, "delivery must enable exactly one channel", "message")

    def select(self, *, owner: str | None, name: str | None, descending: bool) -> list[Stored]:
        """The filters of the list."""
        rows = [row for row in self.owned_by(owner) if matches(name, row.id, row.body["name"])]
        return rows[::-1] if descending else rows

    def detail(self, stored: Stored) -> dict[str, Any]:
        """The tool with its secrets masked."""
        body = copy.deepcopy(stored.body)
        auth = (body["delivery"].get("api") or {}).get("auth") or {}
        auth.update({key: MASK for key in SECRETS if key in auth})
        return {
            "tool_id": stored.id,
            **body,
            "created_at": dates.seconds(stored.created_at),
            "updated_at": dates.seconds(stored.updated_at),
        }

    def attach(self, persona: Persona, tool_ids: list[str]) -> None:
        """Give a persona tools."""
        for tool_id in tool_ids:
            self.find(tool_id)
        persona.tools = list(dict.fromkeys([*persona.tools, *tool_ids]))
        if len(persona.tools) > MAX_PER_PERSONA:
            raise Refusal(400, f"a persona can carry at most {MAX_PER_PERSONA} tools", "message")

    def detach(self, persona: Persona, tool_id: str) -> None:
        """Take a tool away from a persona."""
        if tool_id not in persona.tools:
            raise not_found("Tool")
        persona.tools.remove(tool_id)

    def skill(self, skill_id: str) -> dict[str, Any]:
        """An entry of the registry."""
        if skill_id not in SKILLS:
            raise not_found("Skill")
        return {"skill_id": skill_id, "tool_names": [], **SKILLS[skill_id]}
