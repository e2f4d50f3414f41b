from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from django_tavus.services import examining
from django_tavus.testing.factories import make_conversation, make_persona
from tests.api.conftest import ROOT

USAGE = f"{ROOT}/usage/"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def utc(settings):
    """MariaDB knows other time zones only if its tables of them were loaded."""
    settings.TIME_ZONE = "UTC"


@pytest.fixture
def accountant(as_user, make_staff):
    return as_user(make_staff("view_conversation"))


def talk(minutes: float, begun: datetime = NOON, **values: Any) -> Any:
    return make_conversation(
        status="ended",
        launched_at=begun,
        ended_at=begun + timedelta(minutes=minutes),
        **{"persona": None, **values},
    )


def rows(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_the_name_is_usage_list():
    assert reverse("django_tavus:usage-list") == USAGE


def test_days_without_parameters(accountant):
    talk(1.5)
    talk(2)
    talk(3, NOON + timedelta(days=1))
    answer = accountant.get(USAGE)
    assert answer.json() == {
        "by": ["day"],
        "results": [
            {"day": "2026-05-01", "conversations": 2, "minutes": 3.5},
            {"day": "2026-05-02", "conversations": 1, "minutes": 3.0},
        ],
    }


def test_rows_by_all_three(accountant, owner):
    persona = make_persona(persona_name="Coach")
    talk(1, persona=persona, owner=owner)
    talk(2, persona=persona, owner=None)
    talk(4, persona=None, owner=owner)
    told = rows(accountant.get(USAGE, {"by": "day,persona,owner"}))
    assert {(row["persona_id"], row["owner"], row["minutes"]) for row in told} == {
        (persona.tavus_id, None, 2.0),
        (persona.tavus_id, str(owner.pk), 1.0),
        (None, str(owner.pk), 4.0),
    }
    assert {r["persona_name"] for r in told} == {"Coach", None}
    assert {r["day"] for r in told} == {"2026-05-01"}


def test_personas_of_one_name_are_two(accountant):
    talk(1, persona=make_persona(tavus_id=None, persona_name="New"))
    talk(2, persona=make_persona(tavus_id=None, persona_name="New"))
    assert len(rows(accountant.get(USAGE, {"by": "persona"}))) == 2


def test_what_never_launched_is_not_counted(accountant):
    make_conversation(status="queued")
    make_conversation(status="failed")
    assert rows(accountant.get(USAGE)) == []


def test_a_running_call_counts_until_now(accountant):
    make_conversation(launched_at=timezone.now() - timedelta(minutes=3))
    (row,) = rows(accountant.get(USAGE, {"by": "persona"}))
    assert 3.0 <= row["minutes"] < 3.5


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({"since": "2026-05-02"}, [2, 3]),
        ({"until": "2026-05-02"}, [1, 2]),
        ({"since": "2026-05-02", "until": "2026-05-02"}, [2]),
        ({"since": "2026-05-02T12:00:00Z"}, [2, 3]),
        ({"since": "2026-05-03T08:17:00+20:17"}, [2, 3]),
        ({"since": "2026-05-02T12:00:01Z"}, [3]),
        ({"until": "2026-05-02T12:00:00Z"}, [1]),
        ({"since": "2026-05-03", "until": "2026-05-01"}, []),
    ],
)
def test_a_date_counts_whole_and_a_moment_exactly(accountant, query, days):
    for number in range(3):
        talk(1, NOON + timedelta(days=number))
    told = [date.fromisoformat(row["day"]).day for row in rows(accountant.get(USAGE, query))]
    assert told == days


def test_days_are_those_of_the_time_zone(accountant, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    timezone.deactivate()
    if not examining._knows_days():
        pytest.skip("NOT PROVEN HERE: this MariaDB has no time zone tables")
    talk(1, datetime(2026, 5, 1, 20, tzinfo=UTC))
    assert [row["day"] for row in rows(accountant.get(USAGE))] == ["2026-05-02"]
    assert rows(accountant.get(USAGE, {"since": "2026-05-02", "until": "2026-05-02"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("by", "week"),
        ("by", "day,"),
        ("by", "owner__password"),
        ("since", "yesterday"),
        ("since", "2026-02-30"),
        ("since", "\x00"),
        ("until", "9999-12-31"),
        ("until", "2026-13-01"),
        ("until", "today"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(accountant, name, value):
    answer = accountant.get(USAGE, {name: value})
    assert answer.status_code == 400
    assert list(answer.json()) == [name]


@pytest.mark.parametrize("way", ["parameter", "header"])
def test_csv(accountant, owner, way):
    talk(1.25, persona=make_persona(persona_name="Coach", tavus_id="p1"), owner=owner)
    query, header = {"by": "persona,owner"}, {}
    if way == "parameter":
        query["format"] = "csv"
    else:
        header["HTTP_ACCEPT"] = "text/csv"
    answer = accountant.get(USAGE, query, **header)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="usage.csv"'
    assert list(csv.reader(io.StringIO(answer.content.decode()))) == [
        ["persona_id", "persona_name", "owner", "conversations", "minutes"],
        ["p1", "Coach", str(owner.pk), "1", "1.25"],
    ]


def test_csv_of_nothing_has_its_head(accountant):
    assert accountant.get(USAGE, {"format": "csv"}).content == b"day,conversations,minutes\r\n"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_csv_is_a_formula(accountant, name):
    talk(1, persona=make_persona(persona_name=name))
    answer = accountant.get(USAGE, {"by": "persona", "format": "csv"})
    cell = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))[1][1]
    assert cell == f"'{name}"


def test_errors_are_json_whatever_was_asked_for(accountant, api):
    assert accountant.get(USAGE, {"format": "csv", "by": "x"}).json() == {
        "by": ["Must be one of: day, persona, owner."]
    }
    assert api.get(USAGE, {"format": "csv"}).json()["code"] == "permission_denied"
    assert accountant.get(USAGE, {"format": "xml"}).status_code == 406


def test_permission_without_staff_is_not_enough(as_user, make_user):
    client = as_user(make_user("curious", "view_conversation"))
    assert client.get(USAGE).status_code == 403


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_queries_are_the_same_at_two_sizes(accountant, make_user, kind):
    query = {"by": "day,persona,owner", "format": kind}

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert accountant.get(USAGE, query).status_code == 200
        return len(queries)

    talk(1, persona=make_persona(), owner=make_user("u"))
    few = count()
    for number in range(15):
        begun = NOON + timedelta(days=number)
        talk(1, begun, persona=make_persona(), owner=make_user(f"u{number}"))
    assert count() == few


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_usage_is_read_only(accountant, method):
    assert getattr(accountant, method)(USAGE).status_code == 405
