"""What launches need, and what bounds them."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning as Notice
from django.core.exceptions import ValidationError

from django_tavus.checks.addresses import is_loopback
from django_tavus.conf import TavusSettings
from django_tavus.services.request_fields import (
    RELATIONS,
    SENT_FIELDS,
    validate_request_fields,
)


def missing_key(current: TavusSettings) -> list[CheckMessage]:
    """E001: no API key."""
    if current.API_KEY:
        return []
    hint = "Set your Tavus key; with the sandbox as BASE_URL any text will do."
    return [Error('TAVUS["API_KEY"] is missing.', hint=hint, id="django_tavus.E001")]


def wrong_defaults(current: TavusSettings) -> list[CheckMessage]:
    """E004: CONVERSATION_DEFAULTS that no launch would survive."""
    defaults = dict(current.CONVERSATION_DEFAULTS)
    unknown = defaults.keys() - set(SENT_FIELDS) - RELATIONS.keys()
    messages: list[str] = [f"{name}: no such request field." for name in sorted(unknown)]
    try:
        validate_request_fields({k: v for k, v in defaults.items() if k in SENT_FIELDS})
    except ValidationError as error:
        messages += [f"{name}: {' '.join(m)}" for name, m in error.message_dict.items()]
    return [
        Error(f'TAVUS["CONVERSATION_DEFAULTS"]: {message}', id="django_tavus.E004")
        for message in messages
    ]


def launch_limits(current: TavusSettings) -> list[CheckMessage]:
    """W005: whoever may log in may spend without a limit."""
    limits = (
        current.MAX_CONCURRENT,
        current.MAX_CONCURRENT_PER_USER,
        current.DAILY_MINUTES,
        current.DAILY_MINUTES_PER_USER,
        current.API_THROTTLE_RATE,
    )
    if any(limit is not None for limit in limits) or (
        settings.DEBUG and is_loopback(current.BASE_URL)
    ):
        return []
    hint = "Set one of MAX_CONCURRENT_PER_USER, DAILY_MINUTES_PER_USER or API_THROTTLE_RATE."
    return [
        Notice(
            "Any user may launch conversations without a limit.", hint=hint, id="django_tavus.W005"
        )
    ]
