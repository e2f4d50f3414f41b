"""``/objectives``."""

from __future__ import annotations

from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.engine.patching import lenient_operations, rooted, same
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, NOT_MODIFIED, Call, Reply, Route
from django_tavus.sandbox.wire.validation import bare_sentence, patched

UPDATED = Reply({"message": "Objective updated successfully"})


def create(call: Call) -> Reply:
    """POST /objectives."""
    return Reply(call.engine.objectives.create(call.body))


def validate(call: Call) -> Reply:
    """POST /objectives/validate: everything of a creation but the storing."""
    call.engine.objectives.check(call.body)
    return Reply({"valid": True})


def list_all(call: Call) -> Reply:
    """GET /objectives."""
    query, objectives = call.query, call.engine.objectives
    rows = objectives.select(
        owner=query.choice("type", ("user", "system", "all")) or "user",
        name=query.text("name_or_uuid"),
        descending=query.descending(),
    )
    page, envelope = cut_page("objectives", rows, query.whole("limit"), query.whole("page"))
    return Reply({"data": [objectives.row(row) for row in page], **envelope})


def get(call: Call) -> Reply:
    """GET /objectives/{id}."""
    objectives = call.engine.objectives
    return Reply(objectives.detail(objectives.find(call["id"])))


def patch(call: Call) -> Reply:
    """PATCH /objectives/{id}: JSON Patch; here a malformed one is 400."""
    objectives = call.engine.objectives
    stored = objectives.find(call["id"])
    operations = [rooted(operation) for operation in lenient_operations(call.body)]
    before = objectives.document(stored)
    after = patched(before, operations, bodies.OBJECTIVES)
    if same(before, after):
        return NOT_MODIFIED
    objectives.replace(stored, after)
    return UPDATED


def delete(call: Call) -> Reply:
    """DELETE /objectives/{id}."""
    objectives = call.engine.objectives
    objectives.remove(objectives.find(call["id"]).id)
    return NO_CONTENT


ROUTES = (
    Route("POST", "/objectives", create, bodies.OBJECTIVES, bare_sentence),
    Route("POST", "/objectives/validate", validate, bodies.OBJECTIVES, bare_sentence),
    Route("GET", "/objectives", list_all),
    Route("GET", "/objectives/<id>", get),
    Route("PATCH", "/objectives/<id>", patch),
    Route("DELETE", "/objectives/<id>", delete),
)
