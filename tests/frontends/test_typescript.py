"""The TypeScript of docs/frontends.md against the real types of everything it imports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.frontends import recipes

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("frontends")]

MISTAKES = {
    "unknown request field": ('launch({ person_id: "p1" });', "'person_id' does not exist"),
    "value that may be null": (
        "look('1').then((call) => call.conversation_url.length);",
        "'call.conversation_url' is possibly 'null'",
    ),
    "unknown status": (
        "look('1').then((call) => call.status === 'running');",
        "have no overlap",
    ),
    "unknown path": ("api.GET('/tavus/api/rooms/', {});", "not assignable"),
}


def compiled() -> str:
    """What the compiler says."""
    result = recipes.run(recipes.tool("tsc"), "--project", ".")
    return result.stdout + result.stderr


@pytest.fixture
def mistake() -> Iterator[Path]:
    path = recipes.project() / "src" / "mistake.ts"
    yield path
    path.unlink(missing_ok=True)


def test_the_recipes_compile_strictly():
    recipes.project()
    assert compiled() == ""


def test_mistakes_do_not_compile(mistake: Path):
    lines = [code for code, _complaint in MISTAKES.values()]
    mistake.write_text("\n".join(['import { api, launch, look } from "./tavus";', *lines]))
    said = compiled()
    for number, (_code, complaint) in enumerate(MISTAKES.values(), start=2):
        assert f"src/mistake.ts({number}," in said
        assert complaint in said
