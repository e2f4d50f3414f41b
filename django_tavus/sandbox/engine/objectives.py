"""Objectives: ordered or branching steps that a conversation should get through, in sets."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django_tavus.sandbox.engine import dates
from django_tavus.sandbox.engine.collection import Collection, Owner, Stored, matches
from django_tavus.sandbox.engine.refusals import Refusal, not_found

STEP_DEFAULTS: dict[str, Any] = {
    "confirmation_mode": "auto",
    "output_variables": [],
    "modality": "verbal",
    "callback_url": "",
}


class Objectives(Collection[Stored]):
    """What can be done with sets of objectives."""

    def create(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Make a set."""
        stored = self.add(**fields)
        return {
            "objectives_id": stored.id,
            "objective_name": self._name(stored),
            "status": "created",
            "created_at": dates.seconds(stored.created_at),
        }

    def add(self, *, owner: Owner = "user", **body: Any) -> Stored:
        """Put a set into the account, with a given ``objectives_id`` if there is one."""
        if not body.get("data"):
            raise ValueError("A set of objectives has data.")
        self.check(body)
        now = self.world.now()
        objectives_id = body.pop("objectives_id", None) or self.world.new_id("o", 11)
        steps = [STEP_DEFAULTS | step for step in body["data"]]
        return self.put(Stored(objectives_id, owner, now, now, body | {"data": steps}))

    def find(self, objectives_id: str) -> Stored:
        """The set. Documented as both 400 (malformed) and 404 (unknown); nothing is malformed."""
        if objectives_id not in self:
            raise not_found("Objective", "error")
        return self[objectives_id]

    def check(self, body: dict[str, Any]) -> None:
        """Refuse steps that do not form a path; the rules are those of the provider's own CLI."""
        names = [step["objective_name"] for step in body["data"]]
        doubled = [name for name, count in Counter(names).items() if count > 1]
        if doubled:
            raise Refusal(400, f"duplicate objective_name(s) in set: {doubled}", "message")
        for step in body["data"]:
            _check_references(step, set(names))
        if not body.get("allow_loops") and _loops(body["data"]):
            raise Refusal(400, "objectives must not form a loop", "message")

    def document(self, stored: Stored) -> dict[str, Any]:
        """What a patch is applied to."""
        return {"data": stored.body["data"], "name": self._name(stored)}

    def replace(self, stored: Stored, body: dict[str, Any]) -> None:
        """Store the outcome of a patch. Raises the refusal of steps that form no path."""
        self.check({"allow_loops": stored.body.get("allow_loops"), **body})
        stored.body |= body
        self.touch(stored)

    def select(self, *, owner: str | None, name: str | None, descending: bool) -> list[Stored]:
        """The filters of the list."""
        rows = [row for row in self.owned_by(owner) if matches(name, row.id, self._name(row))]
        return rows[::-1] if descending else rows

    def row(self, stored: Stored) -> dict[str, Any]:
        """An item of the list: the set's own members, then those of its first step."""
        first = stored.body["data"][0]
        return {
            "objectives_id": stored.id,
            "objectives_name": self._name(stored),
            **first,
            **self._times(stored),
        }

    def detail(self, stored: Stored) -> dict[str, Any]:
        """The answer to GET: ``data`` is a list of steps (observed; the docs show an object)."""
        steps = [step | self._times(stored) for step in stored.body["data"]]
        return {"objectives_id": stored.id, "name": self._name(stored), "data": steps}

    def _name(self, stored: Stored) -> str:
        return str(stored.body.get("name") or stored.body["data"][0]["objective_name"])

    def _times(self, stored: Stored) -> dict[str, str]:
        return {
            "created_at": dates.seconds(stored.created_at),
            "updated_at": dates.seconds(stored.updated_at),
        }


def _check_references(step: dict[str, Any], names: set[str]) -> None:
    name, following = step["objective_name"], _following(step)
    if step.get("next_required_objective") and step.get("next_conditional_objectives"):
        raise Refusal(
            400,
            "an objective may have either next_required_objective or "
            "next_conditional_objectives, not both",
            "message",
        )
    for reference in following:
        if reference == name:
            raise Refusal(400, f"objective '{name}' cannot reference itself", "message")
        if reference not in names:
            raise Refusal(400, f"objective '{name}' references unknown '{reference}'", "message")


def _following(step: dict[str, Any]) -> list[str]:
    required = step.get("next_required_objective")
    return [*([required] if required else []), *(step.get("next_conditional_objectives") or {})]


def _loops(steps: list[dict[str, Any]]) -> bool:
    # Take away steps that nothing refers to until none is left; what remains is a loop.
    left = {step["objective_name"]: _following(step) for step in steps}
    while left:
        targets = {name for following in left.values() for name in following}
        free = left.keys() - targets
        if not free:
            return True
        left = {name: following for name, following in left.items() if name not in free}
    return False
