"""The German and Spanish catalogs are whole, and pages and API errors are seen in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils.translation import templatize

import django_tavus
from django_tavus.testing import make_conversation

APP = Path(django_tavus.__file__).parent
LANGUAGES = ("de", "es")
CALLS = re.compile(r"^_$|^n?p?gettext(_lazy|_noop)?$")
IN_TEMPLATE = re.compile(
    r"""(?<!\w)(?:_|n?gettext)\(\s*u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.DOTALL
)
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%")
LOCALE = "django.middleware.locale.LocaleMiddleware"
HOW_TO_ADD = (
    "Run `cd django_tavus && django-admin makemessages -l de -l es --no-location --no-wrap`, "
    "translate what is new and remove #fuzzy, then `django-admin compilemessages`."
)


def path_of(language: str) -> Path:
    return APP / "locale" / language / "LC_MESSAGES" / "django.po"


def in_python(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        place = 1 if "pgettext" in name else 0
        if CALLS.match(name) and isinstance(node.args[place], ast.Constant):
            yield node.args[place].value


def in_template(text: str) -> Iterator[str]:
    for match in IN_TEMPLATE.finditer(templatize(text)):
        yield ast.literal_eval(match[1])


def in_code() -> set[str]:
    found: set[str] = set()
    for path in APP.rglob("*.py"):
        found.update(in_python(path.read_text("utf-8")))
    for path in APP.rglob("*.html"):
        found.update(in_template(path.read_text("utf-8")))
    return found


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_is_translated_with_its_placeholders(language: str) -> None:
    for entry in polib.pofile(str(path_of(language))):
        assert not entry.fuzzy, f"fuzzy: {entry.msgid!r}. {HOW_TO_ADD}"
        for text in texts(entry):
            assert text, f"empty: {entry.msgid!r}. {HOW_TO_ADD}"
            names = sorted(PLACEHOLDER.findall(entry.msgid))
            assert sorted(PLACEHOLDER.findall(text)) == names, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_of_the_code_is_in_the_catalog(language: str) -> None:
    found = in_code()
    assert {"Leave", "Must be a number."} <= found  # from a template, and from Python
    known = {entry.msgid for entry in polib.pofile(str(path_of(language))) if not entry.obsolete}
    assert not found - known, f"{sorted(found - known)} not in {language}. {HOW_TO_ADD}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalog_says_the_same(language: str) -> None:
    path = path_of(language)
    written = {e.msgid_with_context: texts(e) for e in polib.pofile(str(path)) if not e.obsolete}
    compiled = polib.mofile(str(path.with_suffix(".mo")))
    assert {e.msgid_with_context: texts(e) for e in compiled} == written, HOW_TO_ADD


@pytest.mark.django_db
@override_settings(LANGUAGE_CODE="de")
def test_room_and_admin_are_seen_in_german(admin_client: Client, admin_user: Any) -> None:
    conversation = make_conversation(owner=admin_user)
    room = reverse("django_tavus:room", kwargs={"pk": conversation.pk})
    assert "Verlassen" in admin_client.get(room).content.decode()
    listed = admin_client.get(reverse("admin:django_tavus_conversation_changelist"))
    assert "Gespräche" in listed.content.decode()


@pytest.mark.django_db
def test_errors_keep_their_codes_and_are_translated(admin_client: Client) -> None:
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, LOCALE]):
        english, german = (
            admin_client.post(
                reverse("django_tavus:conversation-list"),
                "[" * 100_000,
                "application/json",
                headers={"accept-language": language},
            )
            for language in ("en", "de")
        )
    assert english.status_code == german.status_code == 400
    assert english.json()["detail"] == "The body is nested too deep."
    assert german.json()["detail"] == "Der Inhalt ist zu tief verschachtelt."
    assert english.json()["code"] == german.json()["code"] == "parse_error"
