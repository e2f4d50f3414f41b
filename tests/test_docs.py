"""The docs say what the code does. ``python -m tests.test_docs`` writes docs/settings.md anew."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from django_tavus import conf, schedules

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def settings_page() -> str:
    """docs/settings.md, from the fields of the dataclass and the texts below them."""
    tree = ast.parse(Path(conf.__file__).read_text())
    (cls,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "TavusSettings"]
    rows = []
    for field, text in zip(cls.body, cls.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            rows.append(f"| `{field.target.id}` | `{default(field.value)}` | {prose(text)} |")
    head = (
        "# Settings\n\nOne dict, `TAVUS`, read live: `override_settings` works at once. "
        "`manage.py check` names\nunknown keys and wrong values.\n\n"
        "| key | default | meaning |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def default(value: ast.expr) -> str:
    if isinstance(value, ast.Call):
        arguments = {k.arg: k.value for k in value.keywords}
        return ast.unparse(arguments["default"]) if "default" in arguments else "{}"
    return ast.unparse(value)


def prose(text: ast.Expr) -> str:
    return " ".join(ast.literal_eval(text.value).replace("``", "`").split())


def test_the_settings_page_is_up_to_date():
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page()


def test_the_periodic_tasks_are_documented():
    page = (ROOT / "docs" / "operations.md").read_text()
    for name in schedules.BEAT_SCHEDULE:
        assert f"`{name.removeprefix('django_tavus.')}`" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_in_the_docs_compiles(page):
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(code, str(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_docs_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_begins_with_the_two_commands():
    console = re.search(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert console
    assert console[1].split("\n")[:2] == ["make run", "make test"]


if __name__ == "__main__":
    (ROOT / "docs" / "settings.md").write_text(settings_page())
