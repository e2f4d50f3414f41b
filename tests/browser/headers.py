"""The headers of docs/room.md, sent with every room page of the browser tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from django_tavus.rooms.headers import ROOMS, rooms_origin

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "room.md"


@cache
def documented_headers() -> dict[str, str]:
    """The one block of headers in the docs."""
    (block,) = re.findall(r"```http\n(.*?)```", PAGE.read_text(), re.DOTALL)
    headers = dict(line.split(": ", 1) for line in block.strip().split("\n"))
    assert {"Content-Security-Policy", "Permissions-Policy"} <= headers.keys()
    return headers


def headers_for(base_url: str) -> dict[str, str]:
    """The documented headers, with the sandbox in the place of Tavus's rooms."""
    origin = rooms_origin(base_url)
    return {name: value.replace(ROOMS, origin) for name, value in documented_headers().items()}


class DocumentedHeaders:
    """Middleware: room pages under the documented headers, exactly."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "/rooms/" in request.path:
            for name, value in headers_for(settings.TAVUS["BASE_URL"]).items():
                response[name] = value
        return response
