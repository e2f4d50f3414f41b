"""Reading a request body: JSON to the letter, bounded, and such as a database can hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser

from django_tavus.api.errors import PayloadTooLarge

MAX_DEPTH = 20


class StrictJSONParser(BaseParser):
    """RFC 8259 in UTF-8, whatever charset is claimed.

    Python's decoder lets through what no other reader takes or what databases refuse: NaN, 1e999,
    repeated names, U+0000 and lone surrogates.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the decoded body.

        Raises:
            PayloadTooLarge: more than ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes.
            ParseError: not JSON.
            ValidationError: a member that cannot be stored; names it.
        """
        body = _decode(_read(stream))
        refuse_unstorable(body)
        return body


def _read(stream: IO[Any]) -> bytes:
    limit: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if limit is None:
        return bytes(stream.read())
    content = bytes(stream.read(limit + 1))
    if len(content) > limit:
        raise PayloadTooLarge
    return content


def _decode(content: bytes) -> Any:
    try:
        return json.loads(
            content.decode("utf-8"),
            parse_float=_finite,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
    except RecursionError as error:
        raise ParseError(_("The body is nested too deep.")) from error
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError among others
        raise ParseError(_("The body is not JSON: %(error)s") % {"error": error}) from error


def _finite(number: str) -> float:
    value = float(number)
    if value - value != 0:
        raise ValueError(f"{number[:20]} is out of range")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _value in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"{twice!a} is given twice")
    return members


def refuse_unstorable(body: Any) -> None:
    """Refuse members that no database could store.

    Raises:
        ValidationError: naming them.
    """
    members = body.items() if isinstance(body, dict) else [("non_field_errors", body)]
    errors = {
        _printable(name): [problem]
        for name, value in members
        if (problem := _problem(name) or _problem(value))
    }
    if errors:
        raise ValidationError(errors)


def _problem(value: Any) -> str:
    """Return why ``value`` cannot be stored; empty if it can."""
    for node, depth in _walk(value, 1):
        if depth > MAX_DEPTH:
            return _("Nested too deep.")
        if isinstance(node, str) and not _is_storable(node):
            return _("Holds characters that cannot be stored (U+0000 or half a surrogate pair).")
    return ""


def _walk(value: Any, depth: int) -> Iterator[tuple[Any, int]]:
    yield value, depth
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, depth
            yield from _walk(member, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, depth + 1)


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _printable(name: str) -> str:
    return name if _is_storable(name) else ascii(name)
