"""The docs say what the code does.

``python -m tests.test_docs`` writes docs/settings.md and the tables of docs/python.md anew.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

from django_tavus import conf, schedules, signals
from django_tavus.client import TavusClient, TavusError, errors
from django_tavus.client.resources.base import Resource

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


def table(*head: str, rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return (
        "".join(f"| {' | '.join(line)} |\n" for line in lines)
        .replace("| --- ", "|---")
        .replace("--- |", "---|")
    )


def documented_names(source: str) -> Iterator[tuple[str, str]]:
    """The variables of a module, each with the text below it."""
    body = ast.parse(Path(source).read_text()).body
    for node, text in itertools.pairwise(body):
        if isinstance(node, ast.Assign) and isinstance(text, ast.Expr):
            yield ast.unparse(node.targets[0]), prose(text)


def signal_rows() -> Iterator[tuple[str, ...]]:
    for name, text in documented_names(signals.__file__):
        meaning, _, arguments = text.partition(" Arguments: ")
        yield f"`{name}`", meaning, arguments.rstrip(".")


def error_rows() -> Iterator[tuple[str, ...]]:
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, TavusError):
            own = [base for base in error.__mro__ if base.__module__ == builtins.__name__]
            text = " ".join((error.__doc__ or "").split("\n\n")[0].split())
            yield f"`{error.__name__}`", f"`{own[0].__name__}`", f"`{error.code}`", text


def resource_rows() -> Iterator[tuple[str, ...]]:
    for name, resource in vars(TavusClient("x")).items():
        if isinstance(resource, Resource):
            methods = (m for m in dir(resource) if callable(getattr(resource, m)))
            yield f"`{name}`", " ".join(f"`{m}`" for m in methods if not m.startswith("_"))


def command_rows() -> Iterator[tuple[str, ...]]:
    for path in sorted((ROOT / "django_tavus/management/commands").glob("tavus_*.py")):
        command = load_command_class("django_tavus", path.stem)
        flags = " ".join(f"`{flag(action)}`" for action in own_actions(command))
        yield f"`{path.stem}`", flags, str(command.help)


def own_actions(command: BaseCommand) -> Iterator[argparse.Action]:
    common = {a.dest for a in BaseCommand().create_parser("", "")._actions}
    for action in command.create_parser("", "")._actions:
        if action.dest not in common:
            yield action


def flag(action: argparse.Action) -> str:
    value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
    if not action.option_strings:
        return f"[{value} …]"
    return f"{action.option_strings[0]} {value}".strip()


TABLES: dict[str, Callable[[], str]] = {
    "signals": lambda: table("signal", "when", "arguments", rows=signal_rows()),
    "resources": lambda: table("resource", "methods", rows=resource_rows()),
    "errors": lambda: table("error", "is also a", "`code`", "meaning", rows=error_rows()),
    "commands": lambda: table("`manage.py …`", "options", "what", rows=command_rows()),
}


def python_page() -> str:
    """docs/python.md with its tables as the code is now."""
    page = (ROOT / "docs" / "python.md").read_text()
    for name, make in TABLES.items():
        opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = page.partition(opening)
        _, _, after = rest.partition(closing)
        page = f"{before}{opening}{make()}{closing}{after}"
    return page


def test_the_tables_of_the_python_page_are_up_to_date():
    assert (ROOT / "docs" / "python.md").read_text() == python_page()
    assert len(list(signal_rows())) == sum(
        isinstance(value, signals.Signal) for value in vars(signals).values()
    )


def test_every_check_is_documented():
    package = ROOT / "django_tavus"
    files = [*package.glob("checks.py"), *package.glob("checks/*.py")]
    source = "".join(file.read_text() for file in files)
    made = set(re.findall(r"django_tavus\.[EW]\d{3}", source))
    page = (ROOT / "docs" / "python.md").read_text()
    assert set(re.findall(r"^\| `(django_tavus\.[EW]\d{3})`", page, re.MULTILINE)) == made


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
def test_what_the_docs_import_from_the_app_is_there(page):
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django_tavus"):
                exec(ast.unparse(node), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_docs_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_begins_with_the_two_commands():
    console = re.search(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert console
    assert console[1].split("\n")[:2] == ["make run", "make test"]


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    (ROOT / "docs" / "settings.md").write_text(settings_page())
    (ROOT / "docs" / "python.md").write_text(python_page())
