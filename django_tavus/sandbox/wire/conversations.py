"""``/conversations``."""

from __future__ import annotations

from django_tavus.sandbox.engine import events
from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, OK, Call, Reply, Route


def create(call: Call) -> Reply:
    """POST /conversations: 200, not 201."""
    engine = call.engine
    conversation = engine.conversations.create(call.body, rooms=call.rooms)
    limit = engine.conversations.plan.max_call_duration
    if limit is not None:
        # The plan's maximum wins without a word (Tavus docs).
        wanted = conversation.properties["max_call_duration"]
        conversation.properties["max_call_duration"] = min(wanted, limit)
    engine.calls.open(conversation)
    return Reply(engine.conversations.created(conversation))


def list_all(call: Call) -> Reply:
    """GET /conversations."""
    query, conversations = call.query, call.engine.conversations
    rows = conversations.select(
        status=query.choice("status", ("active", "ended")),
        # Not documented, but sent by the provider's own internal client.
        persona_id=query.text("persona_id") or query.text("pal_id"),
        replica_id=query.text("replica_id") or query.text("face_id"),
    )
    page, envelope = cut_page("conversations", rows, query.whole("limit"), query.whole("page"))
    return Reply({"data": [conversations.row(row) for row in page], **envelope})


def get(call: Call) -> Reply:
    """GET /conversations/{id}; the events only with ``verbose``."""
    conversations = call.engine.conversations
    conversation = conversations.find(call["id"])
    answer = conversations.row(conversation)
    if call.query.flag("verbose"):
        answer["events"] = [events.stored(event) for event in conversation.events]
    return Reply(answer)


def end(call: Call) -> Reply:
    """POST /conversations/{id}/end: 200 with an empty body."""
    call.engine.calls.end(call.engine.conversations.find(call["id"]))
    return OK


def delete(call: Call) -> Reply:
    """DELETE /conversations/{id}; ``hard`` erases what the call left behind as well."""
    conversations = call.engine.conversations
    conversation = conversations.find(call["id"])
    conversations.delete(conversation)
    if call.query.flag("hard"):
        conversation.turns.clear()
        conversation.events.clear()
    return NO_CONTENT


def submit_interaction(call: Call) -> Reply:
    """POST /conversations/{id}/canvas/interactions, from a browser, without a key."""
    conversation = call.engine.conversations.find(call["id"])
    return Reply(call.engine.canvas.submit(conversation, call.body))


def list_interactions(call: Call) -> Reply:
    """GET /conversations/{id}/canvas/interactions, oldest first."""
    conversation = call.engine.conversations.find(call["id"])
    return Reply({"data": list(conversation.canvas.values())})


ROUTES = (
    Route("POST", "/conversations", create, bodies.CONVERSATION),
    Route("GET", "/conversations", list_all),
    Route("GET", "/conversations/<id>", get),
    Route("POST", "/conversations/<id>/end", end),
    Route("DELETE", "/conversations/<id>", delete),
    Route(
        "POST",
        "/conversations/<id>/canvas/interactions",
        submit_interaction,
        bodies.CANVAS_INTERACTION,
        open=True,
    ),
    Route("GET", "/conversations/<id>/canvas/interactions", list_interactions),
)
