"""Headers that say what a page of this site may load and do, as ``docs/room.md`` has them."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

ROOMS = "https://tavus.daily.co"
"""Where the rooms of Tavus are; the sandbox has its own."""

CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src https:; "  # the previews of replicas lie on servers of Tavus
    "connect-src 'self'; frame-src {rooms}; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
FEATURES = ("camera", "microphone", "fullscreen", "display-capture", "autoplay")


def headers(base_url: str) -> dict[str, str]:
    """Return the headers of a site whose Tavus is at ``base_url``."""
    base = urlsplit(base_url)
    rooms = ROOMS if base.hostname == "tavusapi.com" else f"{base.scheme}://{base.netloc}"
    return {
        "Content-Security-Policy": CONTENT.format(rooms=rooms),
        "Permissions-Policy": ", ".join(f'{name}=(self "{rooms}")' for name in FEATURES),
    }


class SecurityHeadersMiddleware:
    """Set a strict Content-Security-Policy, and give camera and microphone to rooms only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.headers = headers(settings.TAVUS["BASE_URL"])

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the headers, where the view has not set its own."""
        response = self.get_response(request)
        if settings.DEBUG and response.status_code in {404, 500}:
            return response  # Django's own pages for developers have their style inside
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        return response
