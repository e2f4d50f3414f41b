"""``{% load tavus_markdown %}``: Tavus's perception analysis as HTML.

It comes as Markdown with headings, lists and bold words. That much is shown, and nothing else of
Markdown: no link and no image, since a model wrote the text from what it saw and heard.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

BOLD = re.compile(r"\*\*(.+?)\*\*")
MARKER = re.compile(r"\s*(?:(?P<heading>#+)|[-*•]|\d+[.)])\s+")


@register.filter
def tavus_markdown(text: str, level: int = 3) -> SafeString:
    """Return ``text`` as HTML, escaped, with its headings as those of ``level``.

    Each line is a block of its own, so that a change of writing direction ends with its line.
    """
    lines = filter(None, (_line(line, f"h{level:d}") for line in text.splitlines()))
    html = ""
    for tag, run in groupby(lines, itemgetter(0)):
        block = "".join(f"<{tag}>{content}</{tag}>" for _tag, content in run)
        html += f"<ul>{block}</ul>" if tag == "li" else block
    return mark_safe(html)  # noqa: S308 - each line is escaped


def _line(line: str, heading: str) -> tuple[str, str] | None:
    """Return a line's tag and its escaped content; nothing for an empty one."""
    marker = MARKER.match(line)
    content = line[marker.end() :].strip() if marker else line.strip()
    if not content:
        return None
    tag = "p" if not marker else heading if marker["heading"] else "li"
    return tag, BOLD.sub(r"<strong>\1</strong>", escape(content))
