from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_tavus.client import Page, ServerError, TavusClient
from django_tavus.client.pagination import MAX_REQUESTS, walk
from django_tavus.client.vocabulary import CONVERSATIONS, DOCUMENTS, RESOURCES, Row
from tests.client.wire import Wire

FIRST_PAGES = {
    "conversations": 1,
    "personas": 1,
    "replicas": 1,
    "voices": 1,
    "objectives": 1,
    "guardrails": 1,
    "tools": 1,
    "transcriptions": 1,
    "documents": 0,
    "videos": 0,
    "pronunciation_dictionaries": 0,
}


class Remote:
    """A remote list: rows, and things that happen to them before a given request."""

    def __init__(self, count: int, *, first: int = 1, cap: int = 1000, totals: bool = True) -> None:
        self.rows: list[Row] = [{"conversation_id": f"c{number}"} for number in range(count)]
        self.first = first
        self.cap = cap
        self.totals = totals
        self.pages: list[int] = []
        self.happens: dict[int, Callable[[list[Row]], Any]] = {}

    def __call__(self, page: int, limit: int) -> Page:
        if event := self.happens.get(len(self.pages)):
            event(self.rows)
        self.pages.append(page)
        size = min(limit, self.cap)
        start = (page - self.first) * size
        return Page(
            data=self.rows[start : start + size],
            total_count=len(self.rows) if self.totals else None,
            page=page,
            limit=limit,
        )

    def walk(self, limit: int = 10) -> list[str]:
        facts = CONVERSATIONS if self.first else DOCUMENTS
        rows = walk(self, facts=facts, limit=limit)
        return [row["conversation_id"] for row in rows]


@pytest.mark.parametrize("name", RESOURCES)
def test_the_first_page_is_that_of_the_resource(name: str, tavus: TavusClient, wire: Wire) -> None:
    wire.answers(200, {"data": [], "total_count": 0})
    assert list(getattr(tavus, name).iterate()) == []
    assert wire.sent[0].query == {"page": str(FIRST_PAGES[name]), "limit": "100"}
    assert getattr(tavus, name).list().page == FIRST_PAGES[name]


@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
@pytest.mark.parametrize("first", [0, 1])
def test_every_row_comes_once(first: int, count: int, totals: bool) -> None:
    remote = Remote(count, first=first, totals=totals)
    assert remote.walk() == [f"c{number}" for number in range(count)]


@pytest.mark.parametrize("totals", [True, False])
def test_a_server_that_allows_fewer_rows_than_asked_is_read_to_its_end(totals: bool) -> None:
    assert len(Remote(120, cap=50, totals=totals).walk(limit=100)) == 120


def test_with_a_total_no_page_is_fetched_in_vain() -> None:
    remote = Remote(20)
    remote.walk()
    assert remote.pages == [1, 2]


def test_pages_are_fetched_as_they_are_wanted() -> None:
    remote = Remote(30)
    rows = walk(remote, facts=CONVERSATIONS, limit=10)
    assert remote.pages == []
    next(rows)
    assert remote.pages == [1]


@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("many", [1, 5, 10, 13])
def test_rows_added_in_front_meanwhile_repeat_nothing(many: int, totals: bool) -> None:
    remote = Remote(35, totals=totals)
    new = [{"conversation_id": f"new{number}"} for number in range(many)]
    remote.happens[1] = lambda rows: rows.__setitem__(slice(0, 0), new)
    names = remote.walk()
    assert len(names) == len(set(names))
    assert [name for name in names if name.startswith("c")] == [f"c{n}" for n in range(35)]


@pytest.mark.parametrize("many", [1, 5, 10])
@pytest.mark.parametrize("when", [1, 2, 3])
def test_rows_deleted_in_front_meanwhile_hide_nothing(many: int, when: int) -> None:
    remote = Remote(45)
    remote.happens[when] = lambda rows: rows.__delitem__(slice(0, many))
    names = remote.walk()
    assert len(names) == len(set(names))
    assert {f"c{number}" for number in range(many, 45)} <= set(names)


def test_a_server_that_ignores_the_page_is_not_read_forever() -> None:
    pages: list[int] = []

    def same(page: int, limit: int) -> Page:
        pages.append(page)
        return Page([{"conversation_id": f"c{n}"} for n in range(limit)], None, page, limit)

    assert len(list(walk(same, facts=CONVERSATIONS, limit=10))) == 10
    assert len(pages) == 3


def test_a_list_without_an_end_is_an_error() -> None:
    def endless(page: int, limit: int) -> Page:
        return Page([{"conversation_id": f"c{page}"}], 10**9, page, limit)

    rows = walk(endless, facts=CONVERSATIONS, limit=1)
    assert sum(1 for _ in zip(range(MAX_REQUESTS), rows, strict=False)) == MAX_REQUESTS
    with pytest.raises(ServerError, match="did not end"):
        next(rows)


def test_rows_without_an_id_are_told_by_their_content(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(200, {"data": [{"status": "active"}, {"status": "ended"}, {"status": "active"}]})
    assert list(tavus.conversations.iterate()) == [{"status": "active"}, {"status": "ended"}]


@pytest.mark.parametrize(
    ("envelope", "total"),
    [
        ({"total_count": 7}, 7),
        ({"total_count": "7"}, 7),
        ({"total": 7}, 7),
        ({}, None),
        ({"total_count": None}, None),
        ({"total_count": -1}, None),
        ({"total_count": True}, None),
        ({"total_count": "many"}, None),
        ({"total_count": 0}, None),  # a row is on this very page
    ],
)
def test_total_count(
    envelope: dict[str, Any], total: int | None, tavus: TavusClient, wire: Wire
) -> None:
    wire.answers(200, {"data": [{"conversation_id": "c1"}], **envelope})
    assert tavus.conversations.list().total_count == total


def test_what_tavus_says_of_page_and_limit_wins(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(200, {"data": [], "page": 3, "limit": 50})
    page = tavus.voices.list(page=2, limit=100)
    assert (page.page, page.limit) == (3, 50)


def test_without_arguments_nothing_is_asked_for(tavus: TavusClient, wire: Wire) -> None:
    wire.answers(200, {"data": []})
    page = tavus.tools.list()
    assert (page.page, page.limit) == (1, 25)
    assert wire.sent[0].query == {}


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"error": "x"}, "x", 1])
def test_an_answer_without_a_list_is_no_empty_list(
    body: object, once: TavusClient, wire: Wire
) -> None:
    """Whoever looks for a lost conversation would conclude that it was never made."""
    wire.answers(200, body)
    with pytest.raises(ServerError):
        once.conversations.list()


@pytest.mark.parametrize("row", [None, "c1", {"conversation_id": 5}, {"status": {}}])
def test_a_row_of_the_wrong_shape_is_an_error(row: object, once: TavusClient, wire: Wire) -> None:
    wire.answers(200, {"data": [row]})
    with pytest.raises(ServerError):
        list(once.conversations.iterate())


def test_unknown_filters_are_refused_at_once(tavus: TavusClient, wire: Wire) -> None:
    with pytest.raises(TypeError, match="stauts"):
        tavus.conversations.list(stauts="active")
    with pytest.raises(TypeError, match="persona_type"):
        tavus.conversations.iterate(persona_type="user")
    assert wire.sent == []
