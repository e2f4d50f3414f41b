"""Filters for figures and choices."""

from __future__ import annotations

from typing import Any

from django import template

from example.interviews import DIFFICULTIES

register = template.Library()


@register.filter
def clock(seconds: float) -> str:
    """Return ``seconds`` as people read a length: ``45 s``, ``12:05``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


@register.filter
def hint(radio: Any) -> str:
    """Return what an option of *How hard should it be?* means."""
    return DIFFICULTIES[radio.data["value"]].hint
