"""How each resource words its refusal of a body that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django_tavus.sandbox.engine.patching import INVALID_OPERATION, PatchFailed, apply_patch
from django_tavus.sandbox.engine.refusals import Refusal
from django_tavus.sandbox.wire.fields import Field, Problem

Style = Callable[[Sequence[Problem]], Refusal]


def by_field(problems: Sequence[Problem]) -> Refusal:
    """``{"message": {"properties": {"pipeline_mode": ["Unknown field."]}}}``.

    Conversations, personas, replicas, videos and tools: a mapping, so ``message`` is no string.
    """
    tree: dict[str, Any] = {}
    for problem in problems:
        branch = tree
        *parents, last = problem.path or ("_schema",)
        for name in parents:
            branch = branch.setdefault(name, {})
        branch.setdefault(last, []).append(problem.text)
    return Refusal(400, tree, "message")


def sentence(problems: Sequence[Problem]) -> Refusal:
    """``{"error": "Invalid request: document_url is required"}``: documents, dictionaries."""
    return Refusal(400, f"Invalid request: {_sentence(problems[0])}")


def bare_sentence(problems: Sequence[Problem]) -> Refusal:
    """``{"message": "objective_name is required"}``: objectives, guardrails."""
    return Refusal(400, _sentence(problems[0]), "message")


def patched(before: Any, operations: Sequence[dict[str, Any]], schema: Field) -> Any:
    """``before`` after a patch, or the one refusal that objectives and guardrails have for it."""
    try:
        after = apply_patch(before, operations)
    except PatchFailed:
        raise INVALID_OPERATION from None
    if any(schema.problems(after, ())):
        raise INVALID_OPERATION
    return after


def validate(schema: Field, body: Any, style: Style) -> None:
    """Refuse a body that does not fit ``schema``."""
    problems = list(schema.problems(body, ()))
    if problems:
        raise style(problems)


ARTICLES = {"integer": "an integer", "object": "an object"}


def _sentence(problem: Problem) -> str:
    name = next((part for part in reversed(problem.path) if not part.isdigit()), "body")
    if problem.kind == "required":
        return f"{name} is required"
    if problem.kind == "unknown":
        return f"{name} is not a known field"
    if problem.text.startswith("Not a valid"):
        return f"{name} must be {ARTICLES.get(problem.kind, f'a {problem.kind}')}"
    return f"{name}: {problem.text}"
