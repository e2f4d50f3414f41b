"""What an error answer of Tavus means.

The text of an error sits under `error`, `message` or `detail`, may be nested, and may be an HTML
page of a gateway. Its meaning follows from status and text together; the rows of `MEANINGS` are
tried in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django_tavus.client.errors import (
    Authentication,
    ConcurrencyLimit,
    Conflict,
    InvalidRequest,
    NotFound,
    OutOfCredits,
    RateLimited,
    ServerError,
    TavusError,
)
from django_tavus.client.vocabulary import REPORTED_FIELDS

_TEXT_MEMBERS = ("error", "message", "detail", "errors", "msg", "description")
"""Where the text of an error is, in the order in which they are believed."""
_LONGEST_TEXT = 500
_MOST_TEXTS = 5
_DEEPEST = 8

_CLIENT_ERRORS = frozenset(range(400, 500))


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row: answers of these statuses whose text matches raise this error."""

    error: type[TavusError]
    statuses: frozenset[int]
    text: re.Pattern[str] | None = None

    def fits(self, status: int, text: str) -> bool:
        """Whether an answer of this status and text is meant."""
        return status in self.statuses and (self.text is None or bool(self.text.search(text)))


MEANINGS: tuple[Meaning, ...] = (
    # Seen as 400 with {"message": "User has reached maximum concurrent conversations"}; one
    # integrator prepares for 429. "(?! crawl)": the limit on document crawls is another thing.
    Meaning(ConcurrencyLimit, _CLIENT_ERRORS, re.compile(r"(?i)maximum concurrent(?! crawl)")),
    # Seen as 402 with {"message": "The user is out of conversational credits"}.
    Meaning(OutOfCredits, _CLIENT_ERRORS, re.compile(r"(?i)out of conversational credits")),
    Meaning(OutOfCredits, frozenset({402})),
    # 401 {"message": "Invalid access token"}; 403 is read by an official client as "lacks access".
    Meaning(Authentication, frozenset({401, 403})),
    Meaning(NotFound, frozenset({404, 410})),
    # Document recrawl in the wrong state; {"conflict": "maker_changes"} on a persona patch.
    Meaning(Conflict, frozenset({409})),
    Meaning(RateLimited, frozenset({429})),
    # 422 {"message": "Invalid JSON patch format"}.
    Meaning(InvalidRequest, _CLIENT_ERRORS),
)

CLEAR_REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415})
CLEAR_REFUSALS |= {422, 429, 431}
"""Statuses after which a create certainly did not happen. 408 and its like are not among them."""

_INVALID_ID = re.compile(r"^Invalid (?P<name>\w+_(?:id|uuid))\W*$")
_FIELD_TEXTS: tuple[re.Pattern[str], ...] = (
    _INVALID_ID,
    re.compile(r"^Cannot have both (?P<name>\w+) and \w+"),
    re.compile(r"^Either (?P<name>\w+) or \w+ must be provided"),
    re.compile(r"(?i)\bunknown field (?:for |in |named )?['\"`]?(?P<name>\w+(?:\.\w+)*)"),
    re.compile(r"(?i)\bduplicate \w+ values in (?P<name>\w+)"),
    re.compile(
        r"^(?:Invalid request: )?['\"`]?(?P<name>[a-z]\w*(?:\.\w+)*)['\"`]? "
        r"(?:is (?:required|invalid|not|too)|must)\b"
    ),
)
"""Texts that name the bad input field."""
_WAIT_TEXT = re.compile(r"(?i)\bwait (?P<number>\d{1,6}) (?P<unit>second|minute|hour)")
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer, understood."""

    error: type[TavusError]
    message: str
    field: str | None
    wait: float | None
    """Seconds to wait, where the *text* says so ("please wait 45 minutes")."""


def understand(
    status: int, body: Any, *, subject: str | None, input_names: Mapping[str, str]
) -> Refusal:
    """Tell what an error answer means.

    `subject` is the id key of the object in the path ("conversation_id"), None for creates and
    lists: "400 Invalid conversation_id" about the path's own object means that it does not exist,
    about anything else it means bad input.
    """
    texts = list(_texts(body))[:_MOST_TEXTS]
    message = _sentence(texts) or _about(status)
    named = _named_field(texts)
    field = input_names.get(named, named) if named else None
    error = _meaning(status, message)
    if error is InvalidRequest and subject and named == subject and _is_invalid_id(texts):
        return Refusal(NotFound, message, None, None)
    return Refusal(error, message, field, _wait(message))


def _meaning(status: int, text: str) -> type[TavusError]:
    return next((row.error for row in MEANINGS if row.fits(status, text)), ServerError)


def _texts(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield (field path, text) of every text in an error body."""
    if isinstance(value, str):
        if text := _plain(value):
            yield path, text
    elif isinstance(value, Mapping) and depth < _DEEPEST:
        yield from _texts_of_object(value, path, depth)
    elif isinstance(value, list) and depth < _DEEPEST:
        for item in value:
            yield from _texts(item, path, depth + 1)


def _texts_of_object(value: Mapping[str, Any], path: str, depth: int) -> Iterator[tuple[str, str]]:
    told = [name for name in _TEXT_MEMBERS if value.get(name)]
    if told:
        # {"loc": ["body", "max_participants"], "msg": "…"} is how pydantic names a field
        yield from _texts(value[told[0]], _located(value.get("loc")) or path, depth + 1)
    elif path or depth:
        for name, item in value.items():  # {"properties": {"pipeline_mode": ["Unknown field."]}}
            yield from _texts(item, f"{path}.{name}" if path else str(name), depth + 1)


def _located(loc: Any) -> str:
    if not isinstance(loc, list):
        return ""
    return ".".join(str(part) for part in loc if part not in ("body", "query", "path"))


def _plain(text: str) -> str:
    """Text fit for a sentence; a page of HTML shrinks to its title."""
    if "<" in text and re.search(r"(?i)<(?:!doctype|html|head|body|h1|center)\b", text):
        title = re.search(r"(?is)<(title|h1)[^>]*>(.{0,300}?)</\1>", text)
        text = title.group(2) if title else ""
    return " ".join(text[: _LONGEST_TEXT * 2].split())[:_LONGEST_TEXT]


def _sentence(texts: list[tuple[str, str]]) -> str:
    return "; ".join(f"{path}: {text}" if path else text for path, text in texts)[:_LONGEST_TEXT]


def _about(status: int) -> str:
    try:
        return f"Tavus answered {status} {HTTPStatus(status).phrase}."
    except ValueError:
        return f"Tavus answered {status}."


def _named_field(texts: list[tuple[str, str]]) -> str | None:
    for path, text in texts:
        matches = (pattern.search(text) for pattern in _FIELD_TEXTS)
        name = path or next((match["name"] for match in matches if match), "")
        if name:
            return REPORTED_FIELDS.get(name, name)
    return None


def _is_invalid_id(texts: list[tuple[str, str]]) -> bool:
    return any(_INVALID_ID.search(text) for _, text in texts)


def _wait(message: str) -> float | None:
    match = _WAIT_TEXT.search(message)
    return int(match["number"]) * _SECONDS[match["unit"].lower()] if match else None
