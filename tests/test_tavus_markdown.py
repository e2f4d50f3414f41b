from __future__ import annotations

import re
from time import perf_counter

import pytest
from django.template import Context, Template

from django_tavus.templatetags.tavus_markdown import tavus_markdown

OUR_TAGS = re.compile(r"</?(?:h[1-6]|ul|li|p|strong)>")

HOSTILE = [
    "<script>alert(1)</script>",
    "# <script>alert(1)</script>",
    "- **<img src=x onerror=alert(1)>**",
    "**<b>** & \"quoted\" 'twice'",
    "[x](javascript:alert(1))",
    "![x](javascript:alert(1))",
    "<javascript:alert(1)>",
    "<!-- **x** --><style>*{display:none}</style>",
    '- **" onmouseover="alert(1)**',
    "&lt;script&gt;",
    "1. <a href='//evil.test'>**a</a>**",
    "```html\n<script>\n```",
    "# \u202e</h3><script>\u202c",
    "\x00<\x0bscript\x0c>\x1c\u2028<script>",
]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("### Visual analysis", "<h3>Visual analysis</h3>"),
        ("- **Mood:** calm", "<ul><li><strong>Mood:</strong> calm</li></ul>"),
        ("- one\n\n* two\n1. three", "<ul><li>one</li><li>two</li><li>three</li></ul>"),
        ("- one\ntext\n- two", "<ul><li>one</li></ul><p>text</p><ul><li>two</li></ul>"),
        ("**Mood:** calm\n\nend", "<p><strong>Mood:</strong> calm</p><p>end</p>"),
        ("<script>\n-5 degrees", "<p>&lt;script&gt;</p><p>-5 degrees</p>"),
        (
            "# <img src=x>\n- **<b>**",
            "<h3>&lt;img src=x&gt;</h3><ul><li><strong>&lt;b&gt;</strong></li></ul>",
        ),
        (" \n\n", ""),
        ("#hashtag\n#\n- ", "<p>#hashtag</p><p>#</p>"),
        ("**not closed\n**", "<p>**not closed</p><p>**</p>"),
        ("### ניתוח\r\n- שלום", "<h3>ניתוח</h3><ul><li>שלום</li></ul>"),
    ],
)
def test_headings_lists_and_bold_are_shown(text: str, html: str) -> None:
    assert tavus_markdown(text) == html


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_else_it_holds_is_escaped(text: str) -> None:
    rest = OUR_TAGS.sub("", tavus_markdown(text))
    assert not re.search("[<>\"']", rest)


def test_text_that_is_marked_safe_is_escaped_as_well() -> None:
    template = Template("{% load tavus_markdown %}{{ text|safe|tavus_markdown }}")
    assert template.render(Context({"text": "<b>&lt;"})) == "<p>&lt;b&gt;&amp;lt;</p>"


def test_no_link_is_made() -> None:
    text = "[x](javascript:alert(1)) https://evil.test"
    assert tavus_markdown(text) == f"<p>{text}</p>"


def test_a_change_of_direction_ends_with_its_line() -> None:
    html = tavus_markdown("# \u202egnp.exe\nend")
    assert html == "<h3>\u202egnp.exe</h3><p>end</p>"


def test_headings_fit_into_the_page_around_them() -> None:
    template = Template("{% load tavus_markdown %}{{ text|tavus_markdown:4 }}")
    assert template.render(Context({"text": "# Seen"})) == "<h4>Seen</h4>"


@pytest.mark.parametrize("text", ["#", "*", "**", "**a", " ", "1", "- ", "# #"])
def test_a_long_line_takes_no_long_time(text: str) -> None:
    began = perf_counter()
    tavus_markdown(text * 100_000)
    assert perf_counter() - began < 2
