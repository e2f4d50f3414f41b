"""System checks: a wrong setting is named before it hurts, with the sentence that mends it.

They read settings and URLs only; none touches the network or the database. Ids are never reused.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from celery import current_app
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning as Notice, register
from django.core.exceptions import ValidationError
from django.urls import NoReverseMatch, reverse

from django_tavus.conf import KNOWN_KEYS, TavusSettings, get_settings
from django_tavus.rooms.headers import obstacles, rooms_origin
from django_tavus.services.documents import storage_problem
from django_tavus.services.request_fields import (
    RELATIONS,
    SENT_FIELDS,
    validate_request_fields,
)

Check = Callable[[TavusSettings], list[CheckMessage]]

AMQP = ("amqp", "pyamqp", "py-amqp", "librabbitmq")
LOOPBACK = ("localhost", "127.", "[::1]", "::1")


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


def configured() -> Mapping[str, Any]:
    """Return ``settings.TAVUS`` as it was written."""
    value = getattr(settings, "TAVUS", None)
    return value if isinstance(value, Mapping) else {}


@register(Tags.security)
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check every key of ``TAVUS``; the finer checks run only once types are right."""
    wrong = [*unknown_keys(), *wrong_types()]
    if wrong:
        return wrong
    current = get_settings()
    return [message for check in CHECKS for message in check(current)]


@register(Tags.security, deploy=True)
def check_deployment(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Under ``--deploy``: what is a warning elsewhere is an error in production."""
    if unknown_keys() or wrong_types():
        return []
    current = get_settings()
    return [as_error(message) for check in DEPLOY_CHECKS for message in check(current)]


def as_error(message: CheckMessage) -> CheckMessage:
    """Return a warning as the error with the same number (``W001`` is ``E101``)."""
    number = str(message.id).rpartition(".W")[2]
    return Error(message.msg, hint=message.hint, id=f"django_tavus.E1{number[1:]}")


def unknown_keys() -> list[CheckMessage]:
    """E002: a key that is not known, with the one that was meant."""
    messages: list[CheckMessage] = []
    for key in configured().keys() - KNOWN_KEYS:
        close = difflib.get_close_matches(str(key), KNOWN_KEYS, n=1)
        hint = (
            f'Did you mean "{close[0]}"?' if close else f"Known: {', '.join(sorted(KNOWN_KEYS))}."
        )
        messages.append(Error(f'TAVUS has no key "{key}".', hint=hint, id="django_tavus.E002"))
    return messages


def wrong_types() -> list[CheckMessage]:
    """E003: a value that cannot be right."""
    messages: list[CheckMessage] = []
    if not isinstance(getattr(settings, "TAVUS", {}), Mapping):
        return [Error("TAVUS must be a dict.", id="django_tavus.E003")]
    for key, value in configured().items():
        test, expected = TYPES.get(key, (lambda _: True, ""))
        if not test(value):
            # The value itself may be a secret that was put in the wrong place.
            messages.append(Error(f'TAVUS["{key}"] must be {expected}.', id="django_tavus.E003"))
    return messages


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


def broker_timeouts(current: TavusSettings) -> list[CheckMessage]:
    """W004: Redis without time-outs: a mute broker would hold every request that enqueues."""
    conf = current_app.conf
    url = str(conf.broker_write_url or conf.broker_url or "")
    options = conf.broker_transport_options or {}
    needed = ("socket_timeout", "socket_connect_timeout")
    if not url.startswith(("redis", "sentinel")) or all(options.get(name) for name in needed):
        return []
    hint = 'Set broker_transport_options = {"socket_timeout": 5, "socket_connect_timeout": 1}.'
    return [Notice("The Redis broker has no socket time-outs.", hint=hint, id="django_tavus.W004")]


def prefetch_reduction(current: TavusSettings) -> list[CheckMessage]:
    """W008: RabbitMQ with Celery's default, with which a worker may stop for good.

    After a lost connection Celery lowers the prefetch count and raises it again bit by bit; a
    worker with a pool of threads was seen to take no more messages after some losses in a row.
    """
    conf = current_app.conf
    url = str(conf.broker_read_url or conf.broker_url or "")
    if not url.startswith(AMQP) or not conf.worker_enable_prefetch_count_reduction:
        return []
    hint = "Set worker_enable_prefetch_count_reduction = False."
    message = "A Celery worker may stop taking messages after it has lost RabbitMQ."
    return [Notice(message, hint=hint, id="django_tavus.W008")]


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


def document_storage(current: TavusSettings) -> list[CheckMessage]:
    """W006: uploaded documents would have no address at which Tavus could fetch them."""
    problem = storage_problem()
    if not problem:
        return []
    hint = "Documents given by URL work all the same; uploads are refused."
    return [Notice(problem, hint=hint, id="django_tavus.W006")]


def room_headers(current: TavusSettings) -> list[CheckMessage]:
    """W007: the site's own security headers would keep a room out of its page."""
    return [
        Notice(problem, hint=remedy, id="django_tavus.W007")
        for problem, remedy in obstacles(rooms_origin(current.BASE_URL))
    ]


CHECKS: tuple[Check, ...] = (
    missing_key,
    wrong_defaults,
    public_url,
    sandbox_address,
    urls_mounted,
    broker_timeouts,
    prefetch_reduction,
    launch_limits,
    document_storage,
    room_headers,
)
DEPLOY_CHECKS: tuple[Check, ...] = (public_url, sandbox_address, broker_timeouts, launch_limits)
