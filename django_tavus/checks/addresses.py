"""Where this site and Tavus find each other."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning as Notice
from django.urls import NoReverseMatch, reverse

from django_tavus.conf import TavusSettings
from django_tavus.rooms.headers import obstacles, rooms_origin

LOOPBACK = ("localhost", "127.", "[::1]", "::1")


def is_loopback(url: str) -> bool:
    """Whether ``url`` leads to this machine."""
    return (urlsplit(url).hostname or "").startswith(LOOPBACK)


def public_url(current: TavusSettings) -> list[CheckMessage]:
    """W001: an address that Tavus cannot reach or that is not encrypted."""
    url = current.PUBLIC_URL
    if not url or (settings.DEBUG and is_loopback(url)):
        return []
    if url.startswith("https://") and not is_loopback(url):
        return []
    hint = "Tavus calls it from the internet, and its path holds a token: give an https address."
    return [Notice(f'TAVUS["PUBLIC_URL"] is {url}.', hint=hint, id="django_tavus.W001")]


def sandbox_address(current: TavusSettings) -> list[CheckMessage]:
    """W002: the API of somebody else, which will hardly make real conversations."""
    host = urlsplit(current.BASE_URL).hostname or ""
    if host.endswith("tavusapi.com") or (settings.DEBUG and is_loopback(current.BASE_URL)):
        return []
    hint = "Remove BASE_URL to use the real API."
    return [Notice(f'TAVUS["BASE_URL"] is {current.BASE_URL}.', hint=hint, id="django_tavus.W002")]


def urls_mounted(current: TavusSettings) -> list[CheckMessage]:
    """W003: the URLs are nowhere, so there is no callback address."""
    try:
        reverse("django_tavus:callback", kwargs={"token": "x"})
    except NoReverseMatch:
        hint = 'Add path("tavus/", include("django_tavus.urls")) to your URLconf.'
        return [
            Notice("The URLs of django_tavus are not mounted.", hint=hint, id="django_tavus.W003")
        ]
    return []


def room_headers(current: TavusSettings) -> list[CheckMessage]:
    """W007: the site's own security headers would keep a room out of its page."""
    return [
        Notice(problem, hint=remedy, id="django_tavus.W007")
        for problem, remedy in obstacles(rooms_origin(current.BASE_URL))
    ]
