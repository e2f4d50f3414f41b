"""Guardrails: sets with ``data`` (legacy), or flat rules of their own keyed ``uuid``."""

from __future__ import annotations

from typing import Any

from django_tavus.sandbox.engine import dates
from django_tavus.sandbox.engine.collection import Collection, Owner, Stored, matches, tagged
from django_tavus.sandbox.engine.refusals import not_found

RULE_DEFAULTS: dict[str, Any] = {"modality": "verbal", "callback_url": ""}
FLAT_DEFAULTS: dict[str, Any] = RULE_DEFAULTS | {"app_message": True, "tags": []}


class Guardrails(Collection[Stored]):
    """What can be done with guardrails of both shapes."""

    def create(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Make a set or a flat rule, whichever ``fields`` describe."""
        stored = self.add(**fields)
        if is_flat(stored):
            return self.detail(stored)
        return {
            "guardrails_id": stored.id,
            "guardrails_name": self._name(stored),
            "status": "created",
            "created_at": dates.seconds(stored.created_at),
        }

    def add(self, *, owner: Owner = "user", **body: Any) -> Stored:
        """Put one into the account, with a given ``guardrails_id`` or ``uuid`` if there is one."""
        now = self.world.now()
        given = body.pop("guardrails_id", None) or body.pop("uuid", None)
        guardrails_id = given or self.world.new_id("g", 11)
        if "data" not in body and not body.get("guardrail_name"):
            raise ValueError("A guardrail has a guardrail_name, or data.")
        if "data" in body:
            body["data"] = [RULE_DEFAULTS | rule for rule in body["data"]]
        else:
            body = FLAT_DEFAULTS | body
        return self.put(Stored(guardrails_id, owner, now, now, body))

    def find(self, guardrails_id: str) -> Stored:
        """The set or rule, or 404."""
        if guardrails_id not in self:
            raise not_found("Guardrails", "error")
        return self[guardrails_id]

    def select(
        self, *, owner: str | None, legacy: bool, name: str | None, tags: str | None
    ) -> list[Stored]:
        """The filters of the list; ``legacy`` chooses between sets and flat rules."""
        return [
            row
            for row in self.owned_by(owner)
            if is_flat(row) is not legacy
            and matches(name, row.id, self._name(row))
            and tagged(row, tags)
        ]

    def tags(self) -> list[str]:
        """Every tag in use."""
        return sorted({tag for row in self.values() for tag in row.body.get("tags") or ()})

    def replace(self, stored: Stored, body: dict[str, Any]) -> None:
        """Store the outcome of a patch."""
        stored.body = body
        self.touch(stored)

    def row(self, stored: Stored, *, verbose: bool = False) -> dict[str, Any]:
        """An item of the list; that of a set is only its id, name and times."""
        row: dict[str, Any] = {"guardrails_id": stored.id, "guardrails_name": self._name(stored)}
        if is_flat(stored):
            row = {"uuid": stored.id, **stored.body}
        extra: dict[str, Any] = {}
        if verbose:
            extra = {"guardrail_type": stored.owner, "persona_refs": []}
        return row | extra | self._times(stored)

    def detail(self, stored: Stored) -> dict[str, Any]:
        """The answer to GET: flat, or ``data`` with a list (observed; the docs show an object)."""
        if is_flat(stored):
            return self.row(stored)
        rules = [rule | self._times(stored) for rule in stored.body["data"]]
        return {"guardrails_id": stored.id, "name": self._name(stored), "data": rules}

    def of_persona(self, persona: dict[str, Any]) -> list[dict[str, Any]]:
        """The rules that a persona is under: by set, by id, by tag."""
        ids = [persona.get("guardrails_id"), *(persona.get("guardrail_ids") or ())]
        tags = set(persona.get("guardrail_tags") or ())
        chosen = [
            row for row in self.values() if row.id in ids or tags & set(row.body.get("tags") or ())
        ]
        return [rule for row in chosen for rule in row.body.get("data", [row.body])]

    def _name(self, stored: Stored) -> str:
        if is_flat(stored):
            return str(stored.body["guardrail_name"])
        return str(stored.body.get("name") or stored.body["data"][0]["guardrail_name"])

    def _times(self, stored: Stored) -> dict[str, str]:
        return {
            "created_at": dates.seconds(stored.created_at),
            "updated_at": dates.seconds(stored.updated_at),
        }


def is_flat(stored: Stored) -> bool:
    """Whether this is a rule of its own rather than a set."""
    return "data" not in stored.body
