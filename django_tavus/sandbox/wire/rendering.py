"""Replies as they go over the wire, and bodies as they come."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Request, Response

from django_tavus.sandbox.engine.refusals import Refusal
from django_tavus.sandbox.wire.calls import EMPTY, Reply

NOT_JSON = Refusal(400, "Failed to decode JSON object", "message")


def rendered(reply: Reply) -> Response:
    """A reply as it goes over the wire; an empty one has no content type either."""
    if reply.body is EMPTY:
        response = Response(status=reply.status, headers=dict(reply.headers))
        response.headers.pop("Content-Type", None)
        return response
    # ASCII, because a lone surrogate that somebody sent has no UTF-8.
    content = json.dumps(reply.body)
    return Response(content, reply.status, dict(reply.headers), mimetype="application/json")


def parsed(request: Request) -> Any:
    """The JSON of a body. One that is not there counts as one without fields."""
    content = request.get_data(cache=True)
    if not content:
        return {}
    try:
        return _loads(content)
    except (ValueError, RecursionError):
        raise NOT_JSON from None


def parsed_object(request: Request) -> dict[str, Any]:
    """The JSON object of a control call's body; a page's beacon is text that holds one."""
    body = parsed(request)
    if not isinstance(body, dict):
        raise ValueError("The body must be a JSON object.")  # noqa: TRY004 - answered as 400
    return body


def as_recorded(request: Request) -> Any:
    """A body for the record: parsed, or its text, or None."""
    content = request.get_data(cache=True)
    try:
        return _loads(content) if content else None
    except (ValueError, RecursionError):
        return content.decode(errors="replace")


def _loads(content: bytes) -> Any:
    return json.loads(content, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    # Python reads NaN and Infinity, which are not JSON and would come out again.
    raise ValueError(name)
