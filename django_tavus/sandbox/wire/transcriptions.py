"""``/transcriptions``."""

from __future__ import annotations

from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, Call, Reply, Route


def create(call: Call) -> Reply:
    """POST /transcriptions."""
    return Reply(call.engine.transcriptions.create(call.body))


def list_all(call: Call) -> Reply:
    """GET /transcriptions."""
    query, transcriptions = call.query, call.engine.transcriptions
    rows = transcriptions.owned_by(None)
    page, envelope = cut_page("transcriptions", rows, query.whole("limit"), query.whole("page"))
    return Reply({"data": [transcriptions.detail(row) for row in page], **envelope})


def get(call: Call) -> Reply:
    """GET /transcriptions/{id}."""
    transcriptions = call.engine.transcriptions
    return Reply(transcriptions.detail(transcriptions.find(call["id"])))


def delete(call: Call) -> Reply:
    """DELETE /transcriptions/{id}."""
    transcriptions = call.engine.transcriptions
    transcriptions.remove(transcriptions.find(call["id"]).id)
    return NO_CONTENT


ROUTES = (
    Route("POST", "/transcriptions", create, bodies.TRANSCRIPTION),
    Route("GET", "/transcriptions", list_all),
    Route("GET", "/transcriptions/<id>", get),
    Route("DELETE", "/transcriptions/<id>", delete),
)
