from __future__ import annotations

from tests.frontends import recipes


def test_the_fetch_frontend_has_at_most_thirty_lines_that_fit_a_page():
    lines = recipes.fetch_frontend().splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100


def test_every_typescript_block_names_its_file():
    assert set(recipes.sources()) == {
        "src/tavus.ts",
        "src/Practice.tsx",
        "src/PrivateRoom.tsx",
        "src/enter.ts",
    }


def test_the_lock_file_names_no_registry():
    lock = (recipes.HERE / "project" / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert '"resolved"' not in lock
