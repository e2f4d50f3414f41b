"""One tolerant reader for the many date formats of Tavus."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MILLISECONDS_FROM = 1e12
"""Epoch numbers above this are milliseconds: in seconds they would lie 30,000 years ahead."""


_YEARS = range(1970, 9999)
"""Others are no dates of Tavus's; those at the ends of the calendar overflow where a time zone is
applied to them."""


def parse_datetime(value: object) -> datetime | None:
    """Read a date in any format Tavus uses; always aware, always UTC.

    Observed: RFC 3339 with seconds, milliseconds or microseconds; naive with a space or a `T`
    (video callbacks, canvas; meant as UTC); RFC 1123 (video create); epoch seconds as a float
    (transcripts). Empty or unreadable values, and years before 1970, give None.
    """
    moment = _read(value)
    return moment if moment is not None and moment.year in _YEARS else None


def _read(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_epoch(value)
    if isinstance(value, str) and value.strip():
        return _from_text(value.strip())
    return None


def _from_epoch(number: float) -> datetime | None:
    try:
        seconds = number / 1000 if abs(number) > _MILLISECONDS_FROM else float(number)
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError, ValueError):  # NaN, infinity, beyond year 9999
        return None


def _from_text(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return _in_utc(read(text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return _from_number_in_text(text)


def _from_number_in_text(text: str) -> datetime | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return _from_epoch(number) if math.isfinite(number) else None


def _in_utc(moment: datetime) -> datetime | None:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 with an offset
        return None
