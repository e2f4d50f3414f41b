"""Documents: the knowledge base, files and crawled websites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_tavus.client.resources.base import Creatable, Deletable, Gettable, Listed
from django_tavus.client.retry import Kind
from django_tavus.client.vocabulary import DOCUMENTS, Row


class Documents(Listed, Gettable, Creatable, Deletable):
    """`/documents`. Pages count from 0."""

    facts = DOCUMENTS

    def update(self, document_id: str, **fields: Any) -> Row:
        """Change `document_name` and/or `tags` (the whole list) and return the document.

        Plain JSON, not JSON Patch.
        """
        call = self._call("PATCH", kind=Kind.CHANGE, tavus_id=document_id, body=fields)
        return self._row(call, document_id)

    def recrawl(self, document_id: str, *, crawl: Mapping[str, int] | None = None) -> Row:
        """Crawl a website document again and return it, status `recrawling`.

        `crawl` (`depth` 1 to 10, `max_pages` 1 to 100) replaces its crawl configuration. Raises
        `InvalidRequest` if it was not made with one, `Conflict` unless it is `ready` or `error`,
        `RateLimited` within an hour of the last crawl (`retry_after` from the text) or with five
        crawls running.
        """
        body = None if crawl is None else {"crawl": dict(crawl)}
        call = self._call("POST", "recrawl", kind=Kind.CHANGE, tavus_id=document_id, body=body)
        return self._row(call, document_id)

    def tags(
        self, *, search: str | None = None, page: int | None = None, limit: int | None = None
    ) -> Row:
        """Return the tags in use, `{"tags": [...], "total_count": n}`.

        In use by the provider's command line, not in its OpenAPI file.
        """
        query = {"search": search, "page": page, "limit": limit}
        return self._object(self._call("GET", "tags", query=query))
