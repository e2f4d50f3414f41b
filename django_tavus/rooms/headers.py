"""What a host's security headers must let through for a room: read from its settings alone.

Known are Django's own ``SECURE_CSP`` (6.0), django-csp's ``CONTENT_SECURITY_POLICY`` and
django-permissions-policy's ``PERMISSIONS_POLICY``; none of them is imported. Headers that a
proxy or a middleware of the host sets cannot be seen from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

ROOMS = "https://tavus.daily.co"
"""Where the rooms of Tavus are: the origin of every ``conversation_url`` it gives out."""

POLICIES = ("SECURE_CSP", "SECURE_CSP_REPORT_ONLY")
DJANGO_CSP_POLICIES = ("CONTENT_SECURITY_POLICY", "CONTENT_SECURITY_POLICY_REPORT_ONLY")
FRAMES = ("frame-src", "child-src", "default-src")  # the first that is there decides
FEATURES = ("camera", "microphone", "fullscreen", "display-capture", "autoplay")
PORTS = {"http": 80, "https": 443}


def rooms_origin(base_url: str) -> str:
    """Return the origin of the rooms that the API at ``base_url`` makes.

    The sandbox serves its rooms itself.
    """
    parts = urlsplit(base_url)
    if (parts.hostname or "").endswith("tavusapi.com"):
        return ROOMS
    return f"{parts.scheme}://{parts.netloc}"


def obstacles(origin: str) -> list[tuple[str, str]]:
    """Return what blocks a frame from ``origin``, each with the sentence that mends it."""
    return [*_frame_obstacles(origin), *_feature_obstacles(origin)]


def _frame_obstacles(origin: str) -> Iterator[tuple[str, str]]:
    for name, policy in _policies():
        directive = next((item for item in FRAMES if policy.get(item)), None)
        if directive and not any(matches(source, origin) for source in _words(policy[directive])):
            yield (
                f"{name}: {directive} keeps the frame of a room out.",
                f'Add "{origin}" to its "frame-src".',
            )


def _feature_obstacles(origin: str) -> Iterator[tuple[str, str]]:
    policy = getattr(settings, "PERMISSIONS_POLICY", None)
    if not isinstance(policy, Mapping):
        return
    # What is not in the header is given by the frame's "allow" alone.
    kept = [name for name in FEATURES if name in policy and not _given(policy[name], origin)]
    if kept:
        yield (
            f"PERMISSIONS_POLICY keeps {', '.join(kept)} from the frame of a room.",
            f'Give each of them ["self", "{origin}"].',
        )


def _given(allowed: Any, origin: str) -> bool:
    words = [word.strip('"') for word in _words(allowed)]
    return "*" in words or any(matches(word, origin) for word in words if "://" in word)


def _policies() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in POLICIES:
        policy = getattr(settings, name, None)
        if isinstance(policy, Mapping):
            yield name, policy
    for name in DJANGO_CSP_POLICIES:
        policy = getattr(settings, name, None)
        directives = policy.get("DIRECTIVES") if isinstance(policy, Mapping) else None
        if isinstance(directives, Mapping):
            yield f'{name}["DIRECTIVES"]', directives


def _words(value: Any) -> Iterable[str]:
    """The sources of a directive, which may be a string, or any collection of them."""
    values = [value] if isinstance(value, str) else value if isinstance(value, Iterable) else []
    return [word for item in values for word in str(item).split()]


def matches(source: str, origin: str) -> bool:
    """Whether the CSP source expression ``source`` lets ``origin`` in (CSP level 3, 6.7.2)."""
    there = urlsplit(origin)
    if source == "*":
        return True
    if source.endswith(":"):
        return source[:-1] in _schemes(there.scheme)
    try:  # without a scheme it is that of the page, which a room may share
        here = urlsplit(source if "://" in source else f"{there.scheme}://{source}")
    except ValueError:
        return False
    return (
        here.scheme in _schemes(there.scheme)
        and _host_matches(here.hostname or "", there.hostname or "")
        and _port_matches(here.netloc, there.port or PORTS.get(there.scheme))
    )


def _schemes(scheme: str) -> tuple[str, ...]:
    return ("https", "http") if scheme == "https" else (scheme,)  # http lets https in as well


def _host_matches(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else pattern == host


def _port_matches(netloc: str, port: int | None) -> bool:
    _, colon, given = netloc.rpartition("]")[2].rpartition(":")
    if not colon:
        return port in PORTS.values()
    return given in {"*", str(port)}
