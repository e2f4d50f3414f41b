"""``/personas`` and ``/pals``."""

from __future__ import annotations

from typing import Any

from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.engine.patching import (
    INVALID_OPERATION,
    PatchFailed,
    apply_patch,
    checked_operations,
    same,
)
from django_tavus.sandbox.engine.personas import Persona
from django_tavus.sandbox.engine.refusals import Refusal
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, NOT_MODIFIED, OK, Call, Reply, Route
from django_tavus.sandbox.wire.fields import Field, Record
from django_tavus.sandbox.wire.validation import by_field, validate
from django_tavus.sandbox.wire.vocabulary import NEW, OLD, Vocabulary

READ_ONLY: dict[str, Field] = {
    "persona_id": bodies.TEXT,
    "created_at": bodies.TEXT,
    "updated_at": bodies.TEXT,
}


def schema(vocabulary: Vocabulary) -> Record:
    """The fields of a persona in one vocabulary."""
    record = bodies.PERSONA
    if vocabulary is NEW:
        # The docs require a face on this path, and only on this path.
        record = Record(
            members={**record.members, **bodies.PAL_ONLY}, required=("default_replica_id",)
        )
    layers = bodies.LAYERS
    flow = layers.members["conversational_flow"]
    if isinstance(flow, Record):
        layers = layers.extended(conversational_flow=flow.renamed(vocabulary.names))
    return record.extended(layers=layers).renamed(vocabulary.names)


def create(call: Call) -> Reply:
    """POST /personas."""
    fields = call.vocabulary.inward(call.body)
    for tool_id in fields.get("tool_ids") or ():
        call.engine.tools.find(tool_id)
    persona = call.engine.personas.create(fields, replica_error=call.vocabulary.replica_error)
    detail = call.engine.personas.detail(persona)
    shown = {key: detail[key] for key in ("persona_id", "persona_name", "created_at")}
    return Reply(call.vocabulary.outward(shown))


def list_all(call: Call) -> Reply:
    """GET /personas: the user's and the stock ones mixed, oldest first."""
    query, personas = call.query, call.engine.personas
    type_name = "pal_type" if call.vocabulary is NEW else "persona_type"
    rows = personas.owned_by(query.choice(type_name, ("user", "system")))
    if query.descending():
        rows.reverse()
    page, envelope = cut_page("personas", rows, query.whole("limit"), query.whole("page"))
    return Reply({"data": [_shown(call, row) for row in page], **envelope})


def get(call: Call) -> Reply:
    """GET /personas/{id}."""
    shown = _shown(call, call.engine.personas.find(call["id"]))
    return Reply({"data": [shown]} if call.engine.quirks.persona_body == "data" else shown)


def patch(call: Call) -> Reply:
    """PATCH /personas/{id}: JSON Patch; 304 if it changes nothing."""
    personas = call.engine.personas
    persona = personas.find(call["id"])
    operations = checked_operations(call.body)
    _check_conferencing(operations)
    forced = _check_maker_changes(call, persona)
    before = _shown(call, persona)
    try:
        after = apply_patch(before, operations)
    except PatchFailed:
        raise INVALID_OPERATION from None
    _check_patched(call, before, after)
    if same(before, after):
        return NOT_MODIFIED
    body = call.vocabulary.inward(after)
    body = {key: value for key, value in body.items() if key not in READ_ONLY}
    personas.check(body, replica_error=call.vocabulary.replica_error)
    personas.replace(persona, body)
    return Reply({"discarded_maker_changes": True}) if forced else OK


def delete(call: Call) -> Reply:
    """DELETE /personas/{id}."""
    personas = call.engine.personas
    personas.remove(personas.find(call["id"]).id)
    return NO_CONTENT


def publish(call: Call) -> Reply:
    """POST /pals/{id}/publish: what was patched is live already, so this only answers."""
    persona = call.engine.personas.find(call["id"])
    persona.maker_changes = False
    return Reply(_shown(call, persona))


def _shown(call: Call, persona: Persona) -> dict[str, Any]:
    return call.vocabulary.outward(call.engine.personas.detail(persona))


def _check_conferencing(operations: list[dict[str, Any]]) -> None:
    touching = [op["path"].startswith("/layers/conferencing") for op in operations]
    if any(touching) and not all(touching):
        raise Refusal(400, "layers.conferencing must be patched on its own", "message")


def _check_maker_changes(call: Call, persona: Persona) -> bool:
    if not persona.maker_changes:
        return False
    if not call.query.flag("force"):
        conflict = {"conflict": "maker_changes"}
        raise Refusal(409, "The PAL has unpublished changes in PAL Maker.", "message", conflict)
    return True


def _check_patched(call: Call, before: dict[str, Any], after: Any) -> None:
    record = schema(call.vocabulary)
    named = Record(members=READ_ONLY).renamed(call.vocabulary.names)
    whole = Record(members={**record.members, **named.members})
    validate(whole, after, by_field)
    if any(after.get(name) != before.get(name) for name in named.members):
        raise INVALID_OPERATION


def _routes(prefix: str, vocabulary: Vocabulary) -> tuple[Route, ...]:
    one = f"{prefix}/<id>"
    return (
        Route("POST", prefix, create, schema(vocabulary), vocabulary=vocabulary),
        Route("GET", prefix, list_all, vocabulary=vocabulary),
        Route("GET", one, get, vocabulary=vocabulary),
        Route("PATCH", one, patch, vocabulary=vocabulary),
        Route("DELETE", one, delete, vocabulary=vocabulary),
    )


ROUTES = (
    *_routes("/personas", OLD),
    *_routes("/pals", NEW),
    Route("POST", "/pals/<id>/publish", publish, vocabulary=NEW),
)
