"""Diagnosing: what is wrong here, and what mends it, from settings and a few cheap queries.

The admin shows the findings as banners, and ``tavus_doctor`` prints them beside what
:mod:`django_tavus.services.examining` learns by asking others. Nothing here talks to anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from django.db.models import Exists, Q
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from django_tavus.conf import get_settings
from django_tavus.models import CapacityLock, Conversation, WebhookEvent
from django_tavus.models.choices import ConversationStatus, EventSource

SWEPT_WITHIN = timedelta(minutes=5)  # beat sends a sweep every ten seconds
CREDITS_WITHIN = timedelta(hours=1)
CALLBACKS_WITHIN = timedelta(hours=24)
TAVUS_HOST = "tavusapi.com"


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        code: stable name.
        level: how bad it is.
        message: what is so; holds no secrets.
        remedy: what to do about it; empty where all is well.
    """

    code: str
    level: Level
    message: str
    remedy: str = ""


def findings(now: datetime | None = None) -> list[Finding]:
    """Return what is wrong, the worst first; three queries, four where nobody ever swept."""
    now = now or timezone.now()
    found = [rule(now) for rule in RULES]
    return [finding for finding in found if finding is not None]


def sweeping(now: datetime) -> Finding | None:
    """Nothing that was lost is found again, and no call ended, while nobody sweeps."""
    last = CapacityLock.last_sweep()
    if last is None and not has_waiting(now - SWEPT_WITHIN):
        return None
    if last is not None and now - last <= SWEPT_WITHIN:
        return None
    return Finding(
        code="no_sweep",
        level=Level.FAIL,
        message=_no_sweep_since(now, last),
        remedy=_(
            "Is a worker with beat running? Merge django_tavus.schedules.BEAT_SCHEDULE into your "
            "beat schedule, and start “celery worker” and “celery beat”."
        ),
    )


def _no_sweep_since(now: datetime, last: datetime | None) -> str:
    if last is None:
        return _("No sweep has ever run, and something has waited for more than five minutes.")
    minutes = int((now - last) / timedelta(minutes=1))
    if minutes >= 120:
        hours = minutes // 60
        return ngettext(
            "No sweep has run for %(n)d hour.", "No sweep has run for %(n)d hours.", hours
        ) % {"n": hours}
    return ngettext(
        "No sweep has run for %(n)d minute.", "No sweep has run for %(n)d minutes.", minutes
    ) % {"n": minutes}


def has_waiting(before: datetime) -> bool:
    """Whether anything that a worker should have seen to has waited since ``before``."""
    launches = Conversation.objects.live().filter(created_at__lt=before)
    events = WebhookEvent.objects.due(before).filter(received_at__lt=before)
    waiting = (
        launches.order_by()
        .values_list("status")
        .union(events.order_by().values_list("status"), all=True)
    )
    return waiting.exists()


def credits_left(now: datetime) -> Finding | None:
    """Every launch fails, until somebody pays."""
    refused = Q(status=ConversationStatus.FAILED, error_code="out_of_credits")
    since = now - CREDITS_WITHIN
    # The index is by creation; what was attempted since may have been queued for a while before.
    created = since - timedelta(seconds=get_settings().QUEUE_TIMEOUT)
    asked = Conversation.objects.filter(
        refused | Q(launched_at__isnull=False), created_at__gte=created, attempted_at__gte=since
    )
    codes = asked.order_by("-attempted_at").values_list("error_code", flat=True)
    if codes.first() != "out_of_credits":
        return None
    return Finding(
        code="out_of_credits",
        level=Level.FAIL,
        message=_(
            "Tavus says that the account is out of credits: no conversation can be launched."
        ),
        remedy=_("Buy minutes or raise the plan in Tavus's billing, then launch again."),
    )


def api_address(now: datetime) -> Finding | None:
    """No real replica joins, which would be easy to overlook."""
    if is_tavus(get_settings().BASE_URL):
        return None
    return Finding(
        code="sandbox",
        level=Level.WARN,
        message=_("The sandbox is answering, at %(url)s, and not Tavus.")
        % {"url": without_credentials(get_settings().BASE_URL)},
        remedy=_('Remove TAVUS["BASE_URL"] to talk to Tavus; leave it to try things at no cost.'),
    )


def callbacks_wanted(now: datetime) -> Finding | None:
    """Without callbacks everything is learned later."""
    if get_settings().PUBLIC_URL:
        return None
    return Finding(
        code="no_public_url",
        level=Level.WARN,
        message=_("There is no PUBLIC_URL: Tavus cannot call back, and state is kept by asking."),
        remedy=_('Set TAVUS["PUBLIC_URL"] to the https address at which Tavus reaches this site.'),
    )


def callbacks_coming(now: datetime) -> Finding | None:
    """All is well but late, and nobody would notice."""
    if not get_settings().PUBLIC_URL or not _only_fetches(now - CALLBACKS_WITHIN):
        return None
    return Finding(
        code="callbacks_missing",
        level=Level.WARN,
        message=_(
            "No callback has come for 24 hours: what is known of the conversations of this day "
            "was fetched, minutes late."
        ),
        remedy=_(
            'Can TAVUS["PUBLIC_URL"] be reached from the internet, through proxy and firewall? Do '
            "all processes have the same SECRET_KEY, and is the one before it in "
            "SECRET_KEY_FALLBACKS?"
        ),
    )


def _only_fetches(since: datetime) -> bool:
    """Whether conversations for which callbacks were asked were heard of by fetching alone.

    Not those that somebody else made or whose callbacks go elsewhere. One callback is enough, about
    anything: it came in, and its signature was ours.
    """
    events = WebhookEvent.objects.filter(received_at__gte=since).order_by()
    fetched = events.filter(
        source=EventSource.RECONCILE,
        conversation__created_at__gte=since,
        conversation__attempts__gt=0,
        conversation__callback_url="",
        conversation__name_key="",  # it was sent where no callback URL of ours was
    )
    return fetched.filter(~Exists(events.filter(source=EventSource.CALLBACK))).exists()


Rule = Callable[[datetime], Finding | None]
RULES: tuple[Rule, ...] = (sweeping, credits_left, api_address, callbacks_wanted, callbacks_coming)


def is_tavus(url: str) -> bool:
    """Whether ``url`` leads to Tavus itself."""
    host = host_of(url)
    return host == TAVUS_HOST or host.endswith(f".{TAVUS_HOST}")


def host_of(url: str) -> str:
    """Return the host of ``url`` in lower case; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # such as an unclosed "["
        return ""


def without_credentials(url: str) -> str:
    """Return ``url`` without user, password and query, to be shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
