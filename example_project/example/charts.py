"""Bars as SVG shapes: a width in a ``style`` attribute would need a weaker security policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

STEP = 10
"""From one column to the next; a column is 7 wide."""
FULL = 1000
"""The length of the longest bar."""


class Column(NamedTuple):
    """One bar of a column chart, in the units of its ``viewBox``."""

    x: int
    y: int
    height: int


class Chart(NamedTuple):
    """A column chart; ``top`` is the value of the tallest column."""

    columns: list[Column]
    width: int
    top: float


def column_chart(values: Sequence[float]) -> Chart:
    """Return the columns of ``values``; none is drawn for zero, and a small one can be seen."""
    top = max(values, default=0.0)
    heights = [_length(value, top) for value in values]
    columns = [Column(n * STEP, FULL - height, height) for n, height in enumerate(heights)]
    return Chart([one for one in columns if one.height], len(values) * STEP, top)


def shares(rows: Sequence[Mapping[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return ``rows`` of usage, most minutes first, each with its ``name`` and a bar's length."""
    top = max((row["minutes"] for row in rows), default=0.0)
    ordered = sorted(rows, key=lambda row: -row["minutes"])
    return [
        {**row, "name": row.get(name) or "", "length": _length(row["minutes"], top)}
        for row in ordered
    ]


def _length(value: float, top: float) -> int:
    return max(12, round(FULL * value / top)) if value > 0 else 0
