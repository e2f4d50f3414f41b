"""The operations of every resource; `ROUTES` is the whole API."""

from __future__ import annotations

from typing import Any

from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.engine.refusals import Refusal
from django_tavus.sandbox.engine.voices import select_voices
from django_tavus.sandbox.wire import (
    conversations,
    dictionaries,
    documents,
    guardrails,
    objectives,
    personas,
    replicas,
    tools,
    transcriptions,
    videos,
)
from django_tavus.sandbox.wire.calls import Call, Reply, Route


def list_voices(call: Call) -> Reply:
    """GET /voices."""
    rows: list[Any] = select_voices(
        search=call.query.text("search"),
        tag=call.query.text("tag"),
        descending=call.query.descending(),
    )
    page = call.query.whole("page")
    if page is not None and page < 1:
        raise Refusal(400, "Invalid request: page must be a positive integer")
    data, envelope = cut_page("voices", rows, call.query.whole("limit"), page)
    return Reply({"data": data, **envelope})


ROUTES: tuple[Route, ...] = (
    *conversations.ROUTES,
    *personas.ROUTES,
    *replicas.ROUTES,
    Route("GET", "/voices", list_voices),
    *documents.ROUTES,
    *videos.ROUTES,
    *transcriptions.ROUTES,
    *objectives.ROUTES,
    *guardrails.ROUTES,
    *dictionaries.ROUTES,
    *tools.ROUTES,
)
"""Paths are below ``/v2``; a trailing slash is tolerated everywhere."""
