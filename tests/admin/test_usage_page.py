from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_tavus.models import Conversation
from django_tavus.testing import make_conversation, make_persona
from tests.admin.conftest import Staff, changelist_url, counted

URL = "/admin/django_tavus/conversation/usage/"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MAY = {"since": "2026-05-01", "until": "2026-05-31"}


@pytest.fixture(autouse=True)
def utc(settings: Any) -> None:
    """MariaDB knows other time zones only if its tables of them were loaded."""
    settings.TIME_ZONE = "UTC"


def talk(minutes: float, begun: datetime = NOON, **values: Any) -> Conversation:
    ended = begun + timedelta(minutes=minutes)
    return make_conversation(status="ended", launched_at=begun, ended_at=ended, **values)


def groups(page: Any) -> list[list[str]]:
    return [[str(one) for one in row["groups"]] for row in page.context["rows"]]


def test_the_list_leads_to_it(viewer: Staff) -> None:
    assert f'href="{URL}"' in viewer.get(changelist_url(Conversation)).content.decode()


def test_days_and_personas_of_the_last_thirty_days(viewer: Staff) -> None:
    now = timezone.now()
    persona = make_persona(persona_name="<b>Coach</b>")
    talk(2.5, now - timedelta(minutes=10), persona=persona)
    talk(9, now - timedelta(days=31))
    page = viewer.get(URL)
    assert groups(page) == [[str(timezone.localdate(now - timedelta(minutes=10))), "<b>Coach</b>"]]
    assert page.context["total"] == {"conversations": 1, "minutes": 2.5}
    assert "&lt;b&gt;Coach&lt;/b&gt;" in page.content.decode()


def test_owners_are_shown_by_name(viewer: Staff) -> None:
    talk(1, owner=viewer.user)
    talk(2, owner=None)
    page = viewer.get(URL, {**MAY, "by": "owner"})
    assert sorted(groups(page)) == [["-"], [viewer.user.username]]


def test_both_days_are_included(viewer: Staff) -> None:
    for day in range(3):
        talk(1, NOON + timedelta(days=day))
    page = viewer.get(URL, {"since": "2026-05-02", "until": "2026-05-03", "by": "day"})
    assert groups(page) == [["2026-05-02"], ["2026-05-03"]]


def test_csv_holds_what_the_page_shows(viewer: Staff) -> None:
    talk(1.5, persona=make_persona(persona_name="=2+3", tavus_id="p1"))
    page = viewer.get(URL, {**MAY, "by": ["day", "persona"]})
    answer = viewer.get(f"{URL}?{page.context['csv_query']}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    assert list(csv.reader(io.StringIO(answer.content.decode()))) == [
        ["day", "persona_id", "persona_name", "conversations", "minutes"],
        ["2026-05-01", "p1", "'=2+3", "1", "1.5"],
    ]


def test_csv_without_a_choice_is_that_of_the_last_thirty_days(viewer: Staff) -> None:
    talk(1, timezone.now() - timedelta(days=1))
    talk(1, timezone.now() - timedelta(days=40))
    assert len(viewer.get(URL, {"format": "csv"}).content.splitlines()) == 2


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"by": "week"},
        {"since": "x", "format": "csv"},
    ],
)
def test_what_cannot_be_read_is_told(viewer: Staff, query: dict[str, str]) -> None:
    page = viewer.get(URL, query)
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()


@pytest.mark.parametrize(
    ("codenames", "status"),
    [
        ((), 403),
        (("change_conversation",), 403),
        (("view_persona",), 403),
        (("view_conversation",), 200),
    ],
)
def test_it_is_for_those_who_may_view(
    staff: Callable[..., Staff], codenames: tuple[str, ...], status: int
) -> None:
    for query in ({}, {"format": "csv"}):
        assert staff(*codenames).get(URL, query).status_code == status


def test_it_is_read_only(boss: Staff) -> None:
    assert boss.post(URL).status_code == 405


def test_queries_are_the_same_at_two_sizes(viewer: Staff, staff: Callable[..., Staff]) -> None:
    query = {**MAY, "by": ["day", "persona", "owner"]}
    talk(1, owner=viewer.user)
    viewer.get(URL, query)
    with counted() as few:
        viewer.get(URL, query)
    for day in range(10):
        talk(1, NOON + timedelta(days=day), owner=staff().user, persona=make_persona())
    with counted() as many:
        assert len(viewer.get(URL, query).context["rows"]) == 11
    assert len(many) == len(few)
