"""Types of command-line arguments: what makes no sense is refused before anything is done."""

from __future__ import annotations

import argparse
import math


def probability(text: str) -> float:
    """A number from 0 to 1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a probability is a number from 0 to 1")
    return value


def duration(text: str) -> float:
    """A number of seconds or minutes that is not negative."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError("it cannot be negative or endless")
    return value


def hours(text: str) -> float:
    """A number of hours above 0."""
    if not (value := duration(text)):
        raise argparse.ArgumentTypeError("it must be more than 0")
    return value


def days(text: str) -> int:
    """A whole number of days, 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return value
