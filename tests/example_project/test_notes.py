from __future__ import annotations

from typing import Any

import pytest


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
    ],
)
def test_notes_are_shown_as_html(load: Any, text: str, html: str) -> None:
    assert load("example/templatetags/notes.py").notes(text) == html
