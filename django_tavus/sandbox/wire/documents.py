"""``/documents``."""

from __future__ import annotations

from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, Call, Reply, Route
from django_tavus.sandbox.wire.validation import sentence


def create(call: Call) -> Reply:
    """POST /documents."""
    documents = call.engine.documents
    return Reply(documents.detail(documents.create(call.body)))


def list_all(call: Call) -> Reply:
    """GET /documents: the first page is 0."""
    query, documents = call.query, call.engine.documents
    rows = documents.select(
        status=query.text("status"), name=query.text("name_or_uuid"), tags=query.text("tags")
    )
    if query.descending():
        rows.reverse()
    page, envelope = cut_page("documents", rows, query.whole("limit"), query.whole("page"))
    return Reply({"data": [documents.detail(row) for row in page], **envelope})


def list_tags(call: Call) -> Reply:
    """GET /documents/tags (sent by the provider's command line)."""
    search = call.query.text("search") or ""
    tags = [tag for tag in call.engine.documents.tags() if search.lower() in tag.lower()]
    return Reply({"tags": tags, "total_count": len(tags)})


def get(call: Call) -> Reply:
    """GET /documents/{id}."""
    documents = call.engine.documents
    return Reply(documents.detail(documents.find(call["id"])))


def list_chunks(call: Call) -> Reply:
    """GET /documents/{id}/chunks (sent by the provider's command line)."""
    document = call.engine.documents.find(call["id"])
    text = f"The text of {document.name} would be here."
    ready = document.status == "ready"
    return Reply({"chunks": [{"text": text}] if ready else [], "next_offset": None})


def patch(call: Call) -> Reply:
    """PATCH /documents/{id}: plain JSON here, not JSON Patch."""
    documents = call.engine.documents
    document = documents.find(call["id"])
    documents.change(document, call.body)
    return Reply(documents.detail(document))


def delete(call: Call) -> Reply:
    """DELETE /documents/{id}."""
    documents = call.engine.documents
    documents.remove(documents.find(call["id"]).id)
    return NO_CONTENT


def recrawl(call: Call) -> Reply:
    """POST /documents/{id}/recrawl: 202."""
    documents = call.engine.documents
    document = documents.find(call["id"])
    documents.recrawl(document, call.body.get("crawl"))
    return Reply(documents.detail(document), 202)


ROUTES = (
    Route("POST", "/documents", create, bodies.DOCUMENT, sentence),
    Route("GET", "/documents", list_all),
    Route("GET", "/documents/tags", list_tags),
    Route("GET", "/documents/<id>", get),
    Route("GET", "/documents/<id>/chunks", list_chunks),
    Route("PATCH", "/documents/<id>", patch, bodies.DOCUMENT_CHANGES, sentence),
    Route("DELETE", "/documents/<id>", delete),
    Route("POST", "/documents/<id>/recrawl", recrawl, bodies.RECRAWL, sentence),
)
