"""What the value of a setting says, where its type is right: each fault with its remedy.

What is named here would break every request, or be ignored in silence.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.module_loading import import_string

from django_tavus.services.launch_fields import LAUNCH_FIELDS
from django_tavus.services.request_fields import PROPERTIES

Fault = tuple[str, str]
"""What follows the name of the key, and what mends it."""

# REST framework reads the first letter of the period alone, so that "month" would be a minute.
RATE = re.compile(r"[0-9]+/(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)", re.ASCII)
OPENABLE = LAUNCH_FIELDS | {f"properties.{key}" for key in PROPERTIES}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint that names what was meant, or all that there is."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f'Did you mean "{close[0]}"?' if close else f"Known: {', '.join(known)}."


def address(url: Any) -> list[Fault]:
    """Paths are added to the end of an address."""
    if "?" not in url and "#" not in url:
        return []
    return [("must have no query and no fragment.", 'Give what stands before "?" and "#" only.')]


def rate(value: Any) -> list[Fault]:
    """REST framework reads a rate at every launch."""
    if value is None or RATE.fullmatch(value):
        return []
    remedy = "Give a number, a slash and one of second, minute, hour or day, without spaces."
    return [('must be a rate such as "20/hour", or None.', remedy)]


def launch_fields(names: Any) -> list[Fault]:
    """A field that there is not would be ignored."""
    return [
        (f'names "{name}", which no launch over REST can set.', did_you_mean(name, OPENABLE))
        for name in names
        if name not in OPENABLE
    ]


def classes(method: str, kind: str) -> Callable[[Any], list[Fault]]:
    """Return a test of a list of classes, each of which must have ``method``."""

    def test(items: Any) -> list[Fault]:
        return [fault for item in items for fault in _class_faults(item, method, kind)]

    return test


def _class_faults(item: Any, method: str, kind: str) -> list[Fault]:
    try:
        found = import_string(item) if isinstance(item, str) else item
    except (ImportError, TypeError, ValueError):  # the latter two: relative, or without a module
        return [(f'names "{item}", which cannot be imported.', _meant_class(item, kind))]
    # Permissions may be joined by operators; that makes an object which is called like a class.
    if callable(found) and (not isinstance(found, type) or hasattr(found, method)):
        return []
    remedy = f"Give the dotted path of a class of {kind}; it has the method {method}()."
    return [(f'names "{item}", which is no class of {kind}.', remedy)]


def _meant_class(path: str, kind: str) -> str:
    module, _, name = path.rpartition(".")
    try:
        known = vars(importlib.import_module(module))
    except (ImportError, TypeError, ValueError):
        return f"Give the dotted path of a class of {kind}; there is no module “{module}”."
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f'Did you mean "{module}.{close[0]}"?'
    return f"There is nothing like it in “{module}”."


MEANINGS: dict[str, Callable[[Any], list[Fault]]] = {
    "BASE_URL": address,
    "PUBLIC_URL": address,
    "API_AUTHENTICATION_CLASSES": lambda value: (
        [] if value == "inherit" else classes("authenticate", "authentication")(value)
    ),
    "API_PERMISSION_CLASSES": classes("has_permission", "permissions"),
    "API_THROTTLE_RATE": rate,
    "API_LAUNCH_FIELDS": launch_fields,
}
