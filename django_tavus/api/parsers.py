"""Reading a request body: JSON to the letter, bounded, and such as a database can hold."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser

from django_tavus.api.errors import PayloadTooLarge

MAX_DEPTH = 20
MAX_DIGITS = 1000  # Python reads 4300 of them again, and other readers fewer


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
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_no_constant,
            object_pairs_hook=_members,
        )
    except RecursionError as error:
        raise ParseError(_("The body is nested too deep.")) from error
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError among others
        raise ParseError(_("The body is not JSON: %(error)s") % {"error": error}) from error


class Refused(str):
    """Stands in a decoded body for what no other reader would take; its text says why.

    The decoder does not know where it is: :func:`refuse_unstorable` finds it, and names its field.
    """


class Repeating(dict[str, Any]):
    """An object in which a name is given twice."""

    twice: str


def _whole(number: str) -> int | Refused:
    if len(number) > MAX_DIGITS:
        return Refused(_("Holds a number that is out of range."))
    return int(number)


def _finite(number: str) -> float | Refused:
    value = float(number)
    return value if math.isfinite(value) else Refused(_("Holds a number that is out of range."))


def _no_constant(name: str) -> Refused:
    return Refused(_("Holds %(name)s, which is not JSON.") % {"name": name})


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeating = Repeating(members)
    counts = Counter(name for name, _value in pairs)
    repeating.twice = next(name for name, count in counts.items() if count > 1)
    return repeating


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
    if isinstance(body, Repeating):
        errors[_printable(body.twice)] = [_("Is given twice.")]
    if errors:
        raise ValidationError(errors)


def _problem(value: Any) -> str:
    """Return why ``value`` cannot be stored; empty if it can."""
    for node, depth in _walk(value, 1):
        if depth > MAX_DEPTH:
            return _("Nested too deep.")
        if isinstance(node, Refused):
            return str(node)
        if isinstance(node, Repeating):
            return _("%(name)s: is given twice.") % {"name": _printable(node.twice)}
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
