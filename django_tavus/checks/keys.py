"""The keys of ``TAVUS``: known ones, with values that can be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from django_tavus.checks.meanings import MEANINGS, did_you_mean
from django_tavus.checks.values import TYPES
from django_tavus.conf import KNOWN_KEYS


def configured() -> Mapping[str, Any]:
    """Return ``settings.TAVUS`` as it was written."""
    value = getattr(settings, "TAVUS", None)
    return value if isinstance(value, Mapping) else {}


def unknown_keys() -> list[CheckMessage]:
    """E002: a key that is not known, with the one that was meant."""
    return [
        Error(
            f'TAVUS has no key "{key}".',
            hint=did_you_mean(str(key), KNOWN_KEYS),
            id="django_tavus.E002",
        )
        for key in configured().keys() - KNOWN_KEYS
    ]


def wrong_values() -> list[CheckMessage]:
    """E003: a value that cannot be right."""
    if not isinstance(getattr(settings, "TAVUS", {}), Mapping):
        return [Error("TAVUS must be a dict.", id="django_tavus.E003")]
    return [message for key, value in configured().items() for message in faults(key, value)]


def faults(key: str, value: object) -> list[CheckMessage]:
    """Return what is wrong with a value: its type, or else what it says."""
    test, expected = TYPES.get(key, (lambda _: True, ""))
    if not test(value):
        # The value itself may be a secret that was put in the wrong place.
        return [Error(f'TAVUS["{key}"] must be {expected}.', id="django_tavus.E003")]
    found = MEANINGS[key](value) if key in MEANINGS else []
    return [
        Error(f'TAVUS["{key}"] {fault}', hint=remedy, id="django_tavus.E003")
        for fault, remedy in found
    ]
