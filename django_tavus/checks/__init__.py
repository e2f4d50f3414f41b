"""System checks: a wrong setting is named before it hurts, with the sentence that mends it.

They read settings and URLs only; none touches the network or the database. Ids are never reused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import ERROR, CheckMessage, Tags, register

from django_tavus.checks.addresses import public_url, room_headers, sandbox_address, urls_mounted
from django_tavus.checks.brokers import broker_timeouts, prefetch_reduction
from django_tavus.checks.keys import unknown_keys, wrong_values
from django_tavus.checks.launches import launch_limits, missing_key, wrong_defaults
from django_tavus.checks.storage import database_router, document_storage
from django_tavus.conf import TavusSettings, get_settings

Check = Callable[[TavusSettings], list[CheckMessage]]

CHECKS: tuple[Check, ...] = (
    missing_key,
    wrong_defaults,
    database_router,
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


@register(Tags.security)
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check every key of ``TAVUS``; the finer checks run only once the values can be right."""
    if wrong := [*unknown_keys(), *wrong_values()]:
        return wrong
    current = get_settings()
    return [message for check in CHECKS for message in check(current)]


@register(Tags.security, deploy=True)
def check_deployment(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Under ``--deploy``: what is a warning elsewhere is an error in production.

    Django does not tell the other checks that these will come, so both are named.
    """
    if unknown_keys() or wrong_values():
        return []
    current = get_settings()
    return [as_error(message) for check in DEPLOY_CHECKS for message in check(current)]


def as_error(message: CheckMessage) -> CheckMessage:
    """Turn a warning into the error with the same number (``W001`` is ``E101``)."""
    number = str(message.id).rpartition(".W")[2]
    message.level, message.id = ERROR, f"django_tavus.E1{number[1:]}"
    return message
