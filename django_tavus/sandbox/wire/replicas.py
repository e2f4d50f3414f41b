"""``/replicas`` and ``/faces``."""

from __future__ import annotations

from typing import Any

from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.engine.replicas import Replica
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, Call, Reply, Route
from django_tavus.sandbox.wire.vocabulary import NEW, OLD, Vocabulary


def create(call: Call) -> Reply:
    """POST /replicas."""
    answer = call.engine.replicas.create(call.vocabulary.inward(call.body))
    return Reply(call.vocabulary.outward(answer))


def list_all(call: Call) -> Reply:
    """GET /replicas."""
    query, replicas, names = call.query, call.engine.replicas, call.vocabulary.names
    rows = replicas.select(
        owner=query.choice(names.get("replica_type", "replica_type"), ("user", "system")),
        ids=query.text(names.get("replica_ids", "replica_ids")),
        model_name=query.text("model_name"),
    )
    page, envelope = cut_page("replicas", rows, query.whole("limit"), query.whole("page"))
    verbose = query.flag("verbose")
    data = [call.vocabulary.outward(replicas.row(row, verbose=verbose)) for row in page]
    return Reply({"data": data, **envelope})


def get(call: Call) -> Reply:
    """GET /replicas/{id}."""
    detail = call.engine.replicas.detail(_find(call), verbose=call.query.flag("verbose"))
    return Reply(call.vocabulary.outward(detail))


def rename(call: Call) -> Reply:
    """PATCH /replicas/{id}/name: 204 (observed; the docs say 200)."""
    fields: dict[str, Any] = call.vocabulary.inward(call.body)
    call.engine.replicas.rename(_find(call), fields["replica_name"])
    return NO_CONTENT


def delete(call: Call) -> Reply:
    """DELETE /replicas/{id}: 204 (observed; the docs say 200)."""
    replica = _find(call)
    call.query.flag("hard")
    call.engine.replicas.delete(replica)
    return NO_CONTENT


def _find(call: Call) -> Replica:
    error = "face_id" if call.vocabulary is NEW else "replica_id"
    return call.engine.replicas.find(call["id"], error)


def _routes(prefix: str, vocabulary: Vocabulary) -> tuple[Route, ...]:
    one, names = f"{prefix}/<id>", vocabulary.names
    fields, name = bodies.REPLICA.renamed(names), bodies.REPLICA_NAME.renamed(names)
    return (
        Route("POST", prefix, create, fields, vocabulary=vocabulary),
        Route("GET", prefix, list_all, vocabulary=vocabulary),
        Route("GET", one, get, vocabulary=vocabulary),
        Route("PATCH", f"{one}/name", rename, name, vocabulary=vocabulary),
        Route("DELETE", one, delete, vocabulary=vocabulary),
    )


ROUTES = (*_routes("/replicas", OLD), *_routes("/faces", NEW))
