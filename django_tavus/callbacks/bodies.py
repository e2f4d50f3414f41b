"""Reading the body of a callback: bounded, strict about form, tolerant about content."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest

from django_tavus.conf import get_settings

MAX_DEPTH = 20
CHUNK = 65536


class MalformedBodyError(ValueError):
    """Not JSON, not UTF-8, not an object, or nested too deep."""


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
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise MalformedBodyError("The body is not a JSON object.")
    if is_deeper_than(body, MAX_DEPTH):
        raise MalformedBodyError("The body is nested too deep.")
    return body


def _read(request: HttpRequest, limit: int) -> bytes:
    try:
        announced = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        announced = 0
    if announced > limit:
        raise BodyTooLargeError
    parts: list[bytes] = []
    size = 0
    while chunk := request.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise BodyTooLargeError
        parts.append(chunk)
    return b"".join(parts)


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
