from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("### Visual analysis", "<h3>Visual analysis</h3>"),
        ("- **Mood:** calm", '<p class="bullet"><strong>Mood:</strong> calm</p>'),
        ("**Mood:** calm\n\nend", "<p><strong>Mood:</strong> calm</p><p>end</p>"),
        ("<script>\n-5 degrees", "<p>&lt;script&gt;</p><p>-5 degrees</p>"),
    ],
)
def test_notes_are_shown_as_html(load: Any, text: str, html: str) -> None:
    assert load("example/templatetags/notes.py").notes(text) == html
