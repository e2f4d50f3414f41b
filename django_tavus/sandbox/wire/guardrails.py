"""``/guardrails``: one path, two shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django_tavus.sandbox.engine.guardrails import is_flat
from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.engine.patching import lenient_operations, rooted, same
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, NOT_MODIFIED, Call, Reply, Route
from django_tavus.sandbox.wire.fields import Field, Problem
from django_tavus.sandbox.wire.validation import bare_sentence, patched

UPDATED = Reply({"message": "Guardrails updated successfully"})


class EitherShape(Field):
    """A set if it has ``data``, a flat rule otherwise."""

    def check(self, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
        """What is wrong with the shape that was chosen."""
        grouped = isinstance(value, dict) and "data" in value
        schema = bodies.GUARDRAIL_SET if grouped else bodies.FLAT_GUARDRAIL
        return schema.check(value, path)


def create(call: Call) -> Reply:
    """POST /guardrails."""
    return Reply(call.engine.guardrails.create(call.body))


def list_all(call: Call) -> Reply:
    """GET /guardrails: flat rules, or with ``legacy=true`` sets."""
    query, guardrails = call.query, call.engine.guardrails
    rows = guardrails.select(
        owner=query.choice("type", ("user", "system", "all")) or "user",
        legacy=query.flag("legacy"),
        name=query.text("name_or_uuid"),
        tags=query.text("tags"),
    )
    if query.descending():
        rows.reverse()
    page, envelope = cut_page("guardrails", rows, query.whole("limit"), query.whole("page"))
    verbose = query.flag("verbose")
    return Reply({"data": [guardrails.row(row, verbose=verbose) for row in page], **envelope})


def list_tags(call: Call) -> Reply:
    """GET /guardrails/tags."""
    search = call.query.text("search") or ""
    tags = [tag for tag in call.engine.guardrails.tags() if search.lower() in tag.lower()]
    return Reply({"tags": tags, "total_count": len(tags)})


def get(call: Call) -> Reply:
    """GET /guardrails/{id}."""
    guardrails = call.engine.guardrails
    return Reply(guardrails.detail(guardrails.find(call["id"])))


def patch(call: Call) -> Reply:
    """PATCH /guardrails/{id}: JSON Patch; here a malformed one is 400."""
    guardrails = call.engine.guardrails
    stored = guardrails.find(call["id"])
    operations = lenient_operations(call.body)
    if not is_flat(stored):
        operations = [rooted(operation) for operation in operations]
    schema = bodies.FLAT_GUARDRAIL if is_flat(stored) else bodies.GUARDRAIL_SET
    after = patched(stored.body, operations, schema)
    if same(stored.body, after):
        return NOT_MODIFIED
    guardrails.replace(stored, after)
    return UPDATED


def delete(call: Call) -> Reply:
    """DELETE /guardrails/{id}: a flat rule is also taken away from personas."""
    guardrails = call.engine.guardrails
    stored = guardrails.find(call["id"])
    guardrails.remove(stored.id)
    if is_flat(stored):
        for persona in call.engine.personas.values():
            ids = persona.body.get("guardrail_ids") or []
            if stored.id in ids:
                persona.body["guardrail_ids"] = [item for item in ids if item != stored.id]
    return NO_CONTENT


ROUTES = (
    Route("POST", "/guardrails", create, EitherShape(), bare_sentence),
    Route("GET", "/guardrails", list_all),
    Route("GET", "/guardrails/tags", list_tags),
    Route("GET", "/guardrails/<id>", get),
    Route("PATCH", "/guardrails/<id>", patch),
    Route("DELETE", "/guardrails/<id>", delete),
)
