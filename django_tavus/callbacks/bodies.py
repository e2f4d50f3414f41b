"""Reading the body of a callback: bounded, strict about form, tolerant about content."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest

from django_tavus.conf import get_settings

MAX_DEPTH = 20


class MalformedBodyError(ValueError):
    """Not JSON, not UTF-8, not an object, nested too deep, or cut off."""


class BodyTooLargeError(ValueError):
    """More bytes than ``CALLBACK_MAX_BYTES``."""


def read_body(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object that was posted.

    Reads the stream itself: ``request.body`` would apply ``DATA_UPLOAD_MAX_MEMORY_SIZE``, which
    is smaller than a long transcript.

    Raises:
        BodyTooLargeError: before more than the limit was read.
        MalformedBodyError: the sender must mend it.
    """
    content = _read(request, get_settings().CALLBACK_MAX_BYTES)
    try:
        body = _parse(content.decode("utf-8-sig"))  # of bytes, UTF-16 would be read too
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise MalformedBodyError("The body is not a JSON object.")
    containers = content.count(b"{") + content.count(b"[")
    if containers > MAX_DEPTH and is_deeper_than(body, MAX_DEPTH):
        raise MalformedBodyError("The body is nested too deep.")
    return body


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeError):
        raise
    except ValueError:  # an integer longer than Python reads; it could not be read back either
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:
        return None  # as infinity is


def _read(request: HttpRequest, limit: int) -> bytes:
    if _announced(request) > limit:
        raise BodyTooLargeError
    try:
        content = request.read(limit + 1)
    except OSError as error:  # UnreadablePostError: unanswered, its log line would hold the token
        raise MalformedBodyError("The body did not arrive.") from error
    if len(content) > limit:
        raise BodyTooLargeError
    return content


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def is_deeper_than(value: Any, depth: int) -> bool:
    """Whether ``value`` nests containers deeper than ``depth``; without recursion."""
    level = [value]
    for _ in range(depth + 1):
        level = [
            member
            for container in level
            for member in (container.values() if isinstance(container, dict) else container)
            if isinstance(member, dict | list)
        ]
        if not level:
            return False
    return True
