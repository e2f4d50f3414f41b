from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from django_tavus.client import parse_datetime
from tests.client.sizes import few


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2025-07-11T06:45:47.472000Z", utc(2025, 7, 11, 6, 45, 47, 472000)),
        ("2026-04-29T03:45:53Z", utc(2026, 4, 29, 3, 45, 53)),
        ("2024-01-24T07:14:03.327Z", utc(2024, 1, 24, 7, 14, 3, 327000)),
        ("2024-08-28 15:27:40.824457", utc(2024, 8, 28, 15, 27, 40, 824457)),
        ("Mon, 14 Jul 2025 09:14:24 GMT", utc(2025, 7, 14, 9, 14, 24)),
        ("Mon, 14 Jul 2025 09:14:24 -0000", utc(2025, 7, 14, 9, 14, 24)),
        ("2026-06-09T21:14:03.518923", utc(2026, 6, 9, 21, 14, 3, 518923)),
        ("2026-06-09T21:14:03+02:00", utc(2026, 6, 9, 19, 14, 3)),
        (1746000000.5, utc(2025, 4, 30, 8, 0, 0, 500000)),
        (1746000000, utc(2025, 4, 30, 8)),
        (1746000000500, utc(2025, 4, 30, 8, 0, 0, 500000)),
        ("1746000000.5", utc(2025, 4, 30, 8, 0, 0, 500000)),
        ("  2026-04-29T03:45:53Z ", utc(2026, 4, 29, 3, 45, 53)),
        (datetime(2026, 1, 1), utc(2026, 1, 1)),  # noqa: DTZ001
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), utc(2026, 1, 1)),
    ],
)
def test_every_format_of_tavus(value: object, moment: datetime) -> None:
    parsed = parse_datetime(value)
    assert parsed == moment
    assert parsed is not None
    assert parsed.utcoffset() == timedelta(0)


NO_DATES: list[object] = [
    *(None, "", "  ", "soon", True, False, [], {}, b"2026"),
    *(float("nan"), float("inf"), 1e300, 10**400, "nan", "9" * 500),
    *("0001-01-01T00:00:00+14:00", "Mon, 99 Jul 2025", "2026-13-01", "\0"),
]


@pytest.mark.parametrize("value", NO_DATES)
def test_what_is_no_date_gives_none(value: object) -> None:
    assert parse_datetime(value) is None


@few
@given(st.one_of(st.text(), st.floats(), st.integers(), st.datetimes(), st.none(), st.booleans()))
def test_nothing_raises_and_everything_is_utc(value: object) -> None:
    parsed = parse_datetime(value)
    assert parsed is None or parsed.utcoffset() == timedelta(0)
