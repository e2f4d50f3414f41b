"""Objectives and guardrails at work in a call, by a rule that a person can see through.

Whatever a person says completes the next objective of the persona. A guardrail is triggered when
its name (with spaces for underscores) is among the words. Real ones are judged by a model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django_tavus.sandbox.engine.conversations import Conversation
from django_tavus.sandbox.engine.guardrails import Guardrails
from django_tavus.sandbox.engine.objectives import Objectives

Emit = Callable[[Conversation, str, str, dict[str, Any], str | None], None]


class Goals:
    """Watches what people say."""

    def __init__(self, objectives: Objectives, guardrails: Guardrails) -> None:
        self.objectives = objectives
        self.guardrails = guardrails

    def heard(self, call: Conversation, text: str, emit: Emit) -> None:
        """Complete an objective and trigger guardrails; their callbacks have URLs of their own."""
        self._complete_objective(call, text, emit)
        self._trigger_guardrails(call, text, emit)

    def _complete_objective(self, call: Conversation, text: str, emit: Emit) -> None:
        stored = self.objectives.get(call.persona.body.get("objectives_id") or "")
        steps = stored.body["data"] if stored else []
        if call.objectives_done >= len(steps):
            return
        step = steps[call.objectives_done]
        call.objectives_done += 1
        variables = dict.fromkeys(step.get("output_variables") or (), text)
        properties = {"objective_name": step["objective_name"], "output_variables": variables}
        url = step.get("callback_url") or ""
        emit(call, "conversation.objective.completed", "conversation", properties, url)

    def _trigger_guardrails(self, call: Conversation, text: str, emit: Emit) -> None:
        for rule in self.guardrails.of_persona(call.persona.body):
            if rule["guardrail_name"].replace("_", " ").lower() in text.lower():
                # The shape of this callback is undocumented; a demo of the provider's reads this.
                properties = {"guardrail_name": rule["guardrail_name"]}
                url = rule.get("callback_url") or ""
                emit(call, "conversation.guardrail.triggered", "conversation", properties, url)
