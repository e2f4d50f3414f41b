"""Tavus writes its perception analysis in Markdown: headings, lists, bold. That much is shown."""

from __future__ import annotations

import re
from itertools import groupby

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

BOLD = re.compile(r"\*\*(.+?)\*\*")
LINE = re.compile(r"\s*(?P<marker>#+|[-*•]|\d+[.)])?(?(marker)\s+)(?P<content>.*)")
HEADING, ITEM, TEXT = "<h3>{}</h3>", "<li>{}</li>", "<p>{}</p>"


@register.filter
def notes(text: str) -> SafeString:
    """Return ``text`` as HTML; whatever it holds beside that Markdown is escaped."""
    lines = filter(None, map(_line, text.splitlines()))
    blocks = ((shape, "".join(line[1] for line in run)) for shape, run in groupby(lines, _shape))
    html = (f"<ul>{block}</ul>" if shape == ITEM else block for shape, block in blocks)
    return mark_safe("".join(html))  # noqa: S308 - each line is escaped


def _shape(line: tuple[str, str]) -> str:
    return line[0]


def _line(line: str) -> tuple[str, str] | None:
    """Return what a line is and its HTML; nothing for an empty one."""
    found = LINE.fullmatch(line)
    marker, content = (found["marker"], found["content"]) if found else (None, line)
    if not content.strip():
        return None
    shape = TEXT if not marker else HEADING if marker[0] == "#" else ITEM
    return shape, shape.format(BOLD.sub(r"<strong>\1</strong>", escape(content.strip())))
