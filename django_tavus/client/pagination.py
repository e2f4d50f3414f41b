"""Pages of remote lists, and walking through all of them.

There is no cursor at Tavus: rows shift between pages while one reads, the first page is 0 or 1,
`total_count` may be missing, and an undocumented largest `limit` may make pages shorter than
asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django_tavus.client.errors import ServerError
from django_tavus.client.vocabulary import Facts, Row

PAGE_SIZE = 100
"""Rows asked for per page: the largest value that every resource accepts."""
MAX_REQUESTS = 1_000
"""Pages after which a list is taken for endless."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    data: list[Row]
    """The rows, names canonical."""
    total_count: int | None
    """Rows of all pages, None where Tavus does not say."""
    page: int
    """Number of this page; the first is 0 or 1, depending on the resource."""
    limit: int
    """Rows a page may hold."""


def read_page(
    body: Any, rows: list[Row], *, facts: Facts, page: int | None, limit: int | None
) -> Page:
    """Make the page of a list answer; where Tavus tells page and limit, that wins."""
    envelope = body if isinstance(body, dict) else {}
    return Page(
        data=rows,
        total_count=_count(envelope.get("total_count", envelope.get("total")), len(rows)),
        page=_number(envelope.get("page"), facts.first_page if page is None else page),
        limit=_number(envelope.get("limit"), limit or facts.default_limit),
    )


def _number(told: Any, asked: int) -> int:
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else asked


def _count(told: Any, shown: int) -> int | None:
    """A total below the rows on this very page is no total."""
    if isinstance(told, str) and told.isascii() and told.isdigit():
        told = int(told[:18])
    number = _number(told, -1)
    return number if number >= shown else None


class Walk:
    """Decides, page by page, where a list goes on and where it ends: no network, no clock."""

    def __init__(self, first_page: int, limit: int) -> None:
        self._first = first_page
        self._limit = limit
        self._size = 0
        self._total: int | None = None
        self._stale = 0

    def next_page(self, number: int, page: Page, fresh: int) -> int | None:
        """Number of the page to read after page `number`, of which `fresh` rows were new.

        None ends the walk.
        """
        shrunk = self._shrunk(page)
        self._total = page.total_count
        self._size = max(self._size, len(page.data))
        if shrunk and number > self._first:
            # rows before this page have gone, those behind moved up into pages already read
            return max(self._first, number - math.ceil(shrunk / max(self._size, 1)))
        return None if self._is_last(number, page, fresh) else number + 1

    def _shrunk(self, page: Page) -> int:
        if page.total_count is None or self._total is None:
            return 0
        return max(self._total - page.total_count, 0)

    def _is_last(self, number: int, page: Page, fresh: int) -> bool:
        if not page.data:
            return True
        if page.total_count is not None:
            # by the largest page seen, not by the limit: Tavus may allow fewer rows than asked
            return (number - self._first + 1) * self._size >= page.total_count
        self._stale = 0 if fresh else self._stale + 1
        # one page without news may be rows that moved; two mean that `page` is not heeded
        return len(page.data) < min(self._size, self._limit) or self._stale > 1


def walk(
    fetch: Callable[[int, int], Page], *, facts: Facts, limit: int = PAGE_SIZE
) -> Iterator[Row]:
    """Yield every row once, fetching `fetch(page, limit)` only as the rows are wanted.

    Raises `ServerError` if the list does not end: a list that was not read to its end must not
    look as if it had been.
    """
    plan = Walk(facts.first_page, limit)
    seen: set[str] = set()
    number = facts.first_page
    for _ in range(MAX_REQUESTS):
        page = fetch(number, limit)
        fresh = [row for row in page.data if _is_new(row, facts, seen)]
        yield from fresh
        following = plan.next_page(number, page, len(fresh))
        if following is None:
            return
        number = following
    raise ServerError(
        f"The list did not end within {MAX_REQUESTS} pages.",
        request=f"GET {facts.path}",
        reason="endless_list",
    )


def _is_new(row: Row, facts: Facts, seen: set[str]) -> bool:
    """Whether the row's id has not been met; a row without an id is told by its content."""
    key = str(row.get(facts.id_key) or repr(row))
    if key in seen:
        return False
    seen.add(key)
    return True
