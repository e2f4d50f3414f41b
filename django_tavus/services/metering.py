"""Usage: how long was talked, by day, persona and owner, from our own rows.

Tavus has no usage figures of its own. A call counts for the day on which it was launched, in the
current time zone, and as long as it runs it counts until now.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from django_tavus.models import Conversation

GROUPINGS = ("day", "persona", "owner")

# What each grouping shows, and the expression that it is read from. The persona's own key parts
# two that share a name and are not at Tavus yet.
COLUMNS: dict[str, dict[str, str]] = {
    "day": {"day": "day"},
    "persona": {"persona_id": "persona__tavus_id", "persona_name": "persona__persona_name"},
    "owner": {"owner": "owner"},
}
KEYS = {"persona": ("persona",)}
FIGURES = ("conversations", "minutes")

# A spreadsheet takes a cell that begins so for a formula, and persona names come from people.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def usage(
    by: Sequence[str] = ("day",),
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    with_names: bool = False,
) -> list[dict[str, Any]]:
    """Return one row for each combination of ``by`` (of ``GROUPINGS``), in one query.

    Args:
        by: what is told apart; rows are sorted by it.
        since: only calls launched at this moment or later.
        until: only calls launched before this moment.
        with_names: add ``owner_name``, where ``by`` has ``owner``.

    Returns:
        dicts of ``columns(by)``: ``day`` (date), ``persona_id`` (Tavus id) and ``persona_name``,
        ``owner`` (key); ``conversations`` (count), ``minutes`` (two decimals).
    """
    rows = Conversation.objects.all()
    if since is not None:
        rows = rows.filter(launched_at__gte=since)
    if until is not None:
        rows = rows.filter(launched_at__lt=until)
    names = _sources(by, with_names=with_names)
    keys = [key for grouping in by for key in KEYS.get(grouping, ())]
    groups = rows.usage(*names.values(), *keys, now=timezone.now())
    return [_row(group, names) for group in groups]


def _sources(by: Sequence[str], *, with_names: bool) -> dict[str, str]:
    names = {name: source for grouping in by for name, source in COLUMNS[grouping].items()}
    if with_names and "owner" in by:
        names["owner_name"] = f"owner__{get_user_model().USERNAME_FIELD}"
    return names


def _row(group: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    minutes = group["call_time"] / timedelta(minutes=1)
    return {
        **{name: group[source] for name, source in names.items()},
        "conversations": group["conversations"],
        "minutes": round(minutes, 2),
    }


def columns(by: Sequence[str]) -> list[str]:
    """Return the names of the columns of ``usage(by)``."""
    return [*_sources(by, with_names=False), *FIGURES]


def as_csv(by: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows of ``usage(by)`` as CSV with a head; no cell can pass for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = columns(by)
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, int | float) or value is None:
        return value
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
