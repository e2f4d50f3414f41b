"""Pronunciation dictionaries."""

from __future__ import annotations

from typing import Any

from django_tavus.sandbox.engine import dates
from django_tavus.sandbox.engine.collection import Collection, Owner, Stored
from django_tavus.sandbox.engine.refusals import Refusal, not_found

RULE_DEFAULTS: dict[str, Any] = {"case_sensitive": False, "word_boundaries": True}


class Dictionaries(Collection[Stored]):
    """What can be done with pronunciation dictionaries."""

    def create(self, fields: dict[str, Any]) -> Stored:
        """Make a dictionary."""
        return self.add(**fields)

    def add(self, *, owner: Owner = "user", **body: Any) -> Stored:
        """Put one into the account; ``pronunciation_dictionary_id`` may be given."""
        given = body.pop("pronunciation_dictionary_id", None)
        if not body.get("name"):
            raise ValueError("A dictionary has a name.")
        now = self.world.now()
        stored_id = given or self.world.new_id("pd_", 14)
        return self.put(Stored(stored_id, owner, now, now, self.filled(body)))

    def filled(self, body: dict[str, Any]) -> dict[str, Any]:
        """``body`` with defaults. Raises the refusal of two rules for one text."""
        rules = [RULE_DEFAULTS | rule for rule in body.get("rules") or ()]
        if len({rule["text"] for rule in rules}) < len(rules):
            raise Refusal(400, "Invalid request: duplicate text values in rules")
        return body | {"rules": rules}

    def find(self, dictionary_id: str) -> Stored:
        """The dictionary, or 404."""
        if dictionary_id not in self:
            raise not_found("Pronunciation dictionary")
        return self[dictionary_id]

    def replace(self, stored: Stored, body: dict[str, Any]) -> None:
        """Store the outcome of a patch."""
        stored.body = self.filled(body)
        self.touch(stored)

    def row(self, stored: Stored) -> dict[str, Any]:
        """An item of the list: without the rules."""
        return {
            "pronunciation_dictionary_id": stored.id,
            "name": stored.body["name"],
            "rules_count": len(stored.body["rules"]),
            "created_at": dates.seconds(stored.created_at),
            "updated_at": dates.seconds(stored.updated_at),
        }

    def detail(self, stored: Stored) -> dict[str, Any]:
        """The answer to GET, POST and PATCH."""
        return self.row(stored) | {"rules": stored.body["rules"]}
