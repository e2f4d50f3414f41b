"""Tavus writes its perception analysis in Markdown: headings, bullets, bold. That much is shown."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

BOLD = re.compile(r"\*\*(.+?)\*\*")
LINE = re.compile(r"\s*(?P<marker>#+|[-*])?(?(marker)\s+)(?P<content>.*)")
SHAPES = {"#": "<h3>{}</h3>", "-": '<p class="bullet">{}</p>', "*": '<p class="bullet">{}</p>'}


@register.filter
def notes(text: str) -> SafeString:
    """Return ``text`` as HTML; whatever it holds beside that Markdown is escaped."""
    return mark_safe("".join(map(_line, text.splitlines())))  # noqa: S308 - each line is escaped


def _line(line: str) -> str:
    found = LINE.fullmatch(line)
    marker, content = (found["marker"], found["content"]) if found else (None, line)
    if not content.strip():
        return ""
    shape = SHAPES[marker[0]] if marker else "<p>{}</p>"
    return shape.format(BOLD.sub(r"<strong>\1</strong>", escape(content.strip())))
