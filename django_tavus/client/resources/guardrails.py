"""Guardrails: what a persona must not do."""

from __future__ import annotations

from django_tavus.client.resources.base import Creatable, Deletable, Gettable, JsonPatched, Listed
from django_tavus.client.vocabulary import GUARDRAILS, Row


class Guardrails(Listed, Gettable, Creatable, JsonPatched, Deletable):
    """`/guardrails`: older sets (`data` holds the steps) and newer flat ones, keyed by `uuid`."""

    facts = GUARDRAILS

    def tags(
        self, *, search: str | None = None, page: int | None = None, limit: int | None = None
    ) -> Row:
        """Return the tags in use, `{"tags": [...], "total_count": n}`.

        In use by the provider's command line, not in its OpenAPI file.
        """
        query = {"search": search, "page": page, "limit": limit}
        return self._object(self._call("GET", "tags", query=query))
