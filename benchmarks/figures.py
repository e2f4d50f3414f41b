"""Medians, spreads, and the lines that tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles


def told(values: Sequence[float], form: str = ".0f") -> str:
    """Return the median of ``values`` and, in brackets, the least and the greatest."""
    return f"{median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def percentile(values: Sequence[float], which: int) -> float:
    """Return a percentile of ``values``."""
    return quantiles(values, n=100, method="inclusive")[which - 1]


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    lines = [columns, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    print(f"\n{title}")
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  " + "  ".join(cells).rstrip(), flush=True)


def verdict(ratio: float, wanted: float) -> str:
    """Return what was wanted and whether it was reached."""
    return f">= {wanted:.2f} {'reached' if ratio >= wanted else 'MISSED'}"
