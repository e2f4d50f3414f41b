"""``/pronunciation-dictionaries``."""

from __future__ import annotations

from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.engine.patching import (
    PatchFailed,
    apply_patch,
    checked_operations,
    same,
)
from django_tavus.sandbox.engine.refusals import Refusal
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, NOT_MODIFIED, Call, Reply, Route
from django_tavus.sandbox.wire.validation import sentence, validate

PREFIX = "/pronunciation-dictionaries"


def create(call: Call) -> Reply:
    """POST: 201, the only one."""
    dictionaries = call.engine.dictionaries
    return Reply(dictionaries.detail(dictionaries.create(call.body)), 201)


def list_all(call: Call) -> Reply:
    """GET: the first page is 0, newest first."""
    query, dictionaries = call.query, call.engine.dictionaries
    rows = dictionaries.owned_by(None)
    if query.descending(default=True):
        rows.reverse()
    page, envelope = cut_page("dictionaries", rows, query.whole("limit"), query.whole("page"))
    return Reply({"data": [dictionaries.row(row) for row in page], **envelope})


def get(call: Call) -> Reply:
    """GET one."""
    dictionaries = call.engine.dictionaries
    return Reply(dictionaries.detail(dictionaries.find(call["id"])))


def patch(call: Call) -> Reply:
    """PATCH: JSON Patch on ``/name`` and ``/rules``."""
    dictionaries = call.engine.dictionaries
    stored = dictionaries.find(call["id"])
    operations = checked_operations(call.body)
    try:
        after = apply_patch(stored.body, operations)
    except PatchFailed:
        raise Refusal(400, "Invalid request: patch operation failed") from None
    validate(bodies.DICTIONARY, after, sentence)
    after = dictionaries.filled(after)
    if same(after, stored.body):
        return NOT_MODIFIED
    dictionaries.replace(stored, after)
    return Reply(dictionaries.detail(stored))


def delete(call: Call) -> Reply:
    """DELETE."""
    dictionaries = call.engine.dictionaries
    dictionaries.remove(dictionaries.find(call["id"]).id)
    return NO_CONTENT


ROUTES = (
    Route("POST", PREFIX, create, bodies.DICTIONARY, sentence),
    Route("GET", PREFIX, list_all),
    Route("GET", f"{PREFIX}/<id>", get),
    Route("PATCH", f"{PREFIX}/<id>", patch),
    Route("DELETE", f"{PREFIX}/<id>", delete),
)
