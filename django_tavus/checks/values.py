"""What the value of a setting may be, by its type alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit


def is_text(value: object) -> bool:
    """Whether ``value`` is a string."""
    return isinstance(value, str)


def is_seconds(value: object) -> bool:
    """Whether ``value`` is a positive number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def is_count(value: object) -> bool:
    """Whether ``value`` is a positive whole number."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def or_none(test: Callable[[object], bool]) -> Callable[[object], bool]:
    """Return ``test``, passed by ``None`` too."""
    return lambda value: value is None or test(value)


def is_url(value: object) -> bool:
    """Whether a setting is an absolute web address."""
    return is_parsable(value) and str(value).startswith(("https://", "http://"))


def is_parsable(value: object) -> bool:
    """Whether ``urlsplit`` reads it; ``https://[`` is refused as an IPv6 address."""
    if not isinstance(value, str):
        return False
    try:
        return urlsplit(value).hostname is not None or not value.startswith("http")
    except ValueError:
        return False


def is_classes(value: object) -> bool:
    """Whether ``value`` is a sequence of dotted paths or classes."""
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(item, str | type) for item in value)
    )


TYPES: dict[str, tuple[Callable[[object], bool], str]] = {
    "API_KEY": (lambda v: is_text(v) or callable(v), "a string or a callable that returns one"),
    "BASE_URL": (is_url, "a URL that begins with https:// (or http://, for the sandbox)"),
    "PUBLIC_URL": (is_parsable, "a URL, or empty for no callbacks"),
    "TIMEOUT": (
        lambda v: (
            isinstance(v, Sequence)
            and not isinstance(v, str)
            and len(v) == 2
            and all(is_seconds(item) for item in v)
        ),
        "two numbers of seconds: connect and read",
    ),
    "CONVERSATION_DEFAULTS": (lambda v: isinstance(v, Mapping), "a dict of request fields"),
    "MAX_CONCURRENT": (or_none(is_count), "a positive whole number or None"),
    "MAX_CONCURRENT_PER_USER": (or_none(is_count), "a positive whole number or None"),
    "QUEUE_TIMEOUT": (is_seconds, "a positive number of seconds"),
    "DAILY_MINUTES": (or_none(is_seconds), "a positive number of minutes or None"),
    "DAILY_MINUTES_PER_USER": (or_none(is_seconds), "a positive number of minutes or None"),
    "RECONCILE_AFTER": (is_seconds, "a positive number of seconds"),
    "CALLBACK_MAX_BYTES": (is_count, "a positive number of bytes"),
    "RETENTION_DAYS": (or_none(is_count), "a positive whole number of days or None"),
    "API_AUTHENTICATION_CLASSES": (
        lambda v: v == "inherit" or is_classes(v),
        'a list of classes or dotted paths, or "inherit"',
    ),
    "API_PERMISSION_CLASSES": (is_classes, "a list of classes or dotted paths"),
    "API_THROTTLE_RATE": (or_none(is_text), 'a rate such as "20/hour", or None'),
    "API_PAGE_SIZE": (lambda v: is_count(v) and v <= 100, "a whole number from 1 to 100"),  # type: ignore[operator]
    "API_LAUNCH_FIELDS": (
        lambda v: is_classes(v) and all(is_text(item) for item in v),  # type: ignore[attr-defined]
        "a list of request fields",
    ),
}
