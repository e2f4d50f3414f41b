"""Examining: what ``tavus_doctor`` learns by asking Tavus, the broker, a worker, the database.

Slow and only for a person who waits. No finding holds the key, a password or a token; of an
exception that nobody expected only the type is told, since its text may hold anything.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from celery import current_app
from django.core.checks import ERROR, Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models, router
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import TruncDate
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from requests.adapters import BaseAdapter

from django_tavus.client import (
    Authentication,
    ConnectionFailed,
    NotFound,
    RateLimited,
    ServerError,
    TavusClient,
    TavusError,
)
from django_tavus.conf import get_settings
from django_tavus.models import CapacityLock, Conversation
from django_tavus.services import clients, diagnosing
from django_tavus.services.diagnosing import Finding, Level, host_of, is_tavus
from django_tavus.services.moments import moment

APP = "django_tavus"
BROKER_PATIENCE = 5.0  # seconds; a broker that accepts and then says nothing would hold us for ever
PING_SECONDS = 1.0
SKEW_NOTED = timedelta(seconds=10)
SKEW_HARMFUL = timedelta(seconds=60)  # by which recognizing allows Tavus's clock to be behind ours

# System checks that the examination makes itself, with more to say.
EXAMINED = frozenset(f"{APP}.{number}" for number in ("E001", "W001", "W002", "W003"))

# What a failed call to Tavus means to somebody who sets up a site; subclasses before their bases.
CALL_REMEDIES: tuple[tuple[type[TavusError], Level, Callable[[], str]], ...] = (
    (Authentication, Level.FAIL, lambda: _('Tavus refuses the key: see TAVUS["API_KEY"].')),
    (ConnectionFailed, Level.FAIL, lambda: _("See BASE_URL, DNS, proxy and firewall.")),
    (NotFound, Level.FAIL, lambda: _('See TAVUS["BASE_URL"]: it ends in “/v2”.')),
    (RateLimited, Level.WARN, lambda: _("The key works; somebody else is using it up.")),
    (ServerError, Level.FAIL, lambda: _("Wait, and see the status page of Tavus.")),
    (TavusError, Level.FAIL, lambda: _("See the BASE_URL: is it Tavus that answers there?")),
)


def examine(now: datetime | None = None) -> Iterator[Finding]:
    """Yield what is found, good and bad, in the order in which it is to be mended."""
    now = now or timezone.now()
    for examination in EXAMINATIONS:
        yield from _carefully(examination, now)


def _carefully(examination: Examination, now: datetime) -> list[Finding]:
    """One examination that breaks must not keep the others from being made."""
    try:
        return list(examination(now))
    except Exception as error:  # noqa: BLE001 - whatever a broker's or a database's client raises
        code = examination.__name__
        told = _("This could not be examined (%(kind)s).") % {"kind": type(error).__name__}
        return [_fail(code, told, _("Mend what failed before it, or see “manage.py check”."))]


# --- settings ---------------------------------------------------------------------------------


def checked_settings(now: datetime) -> Iterator[Finding]:
    """Tell what the system checks of the app say, beyond what is examined here."""
    told = [m for m in run_checks(tags=[Tags.security]) if str(m.id).startswith(f"{APP}.")]
    told = [message for message in told if message.id not in EXAMINED]
    for message in told:
        level = Level.FAIL if message.level >= ERROR else Level.WARN
        said = f"{message.msg} ({message.id})"
        yield Finding(code="settings", level=level, message=said, remedy=message.hint or "")
    if not told:
        yield _ok("settings", _("The system checks have nothing to say."))


def key(now: datetime) -> Iterator[Finding]:
    """Whether there is a key; never which."""
    remedy = _('Set TAVUS["API_KEY"]; with the sandbox as BASE_URL any text will do.')
    try:
        get_settings().resolve_api_key()
    except ImproperlyConfigured:
        yield _fail("key", _("There is no API key."), remedy)
    except Exception as error:  # noqa: BLE001 - a callable of the host's
        told = _("The callable in API_KEY raised %(kind)s.") % {"kind": type(error).__name__}
        yield _fail("key", told, remedy)
    else:
        yield _ok("key", _("There is an API key."))


def public_url(now: datetime) -> Iterator[Finding]:
    """Whether Tavus could reach this site, judged by the look of the address."""
    url = get_settings().PUBLIC_URL
    if missing := diagnosing.callbacks_wanted(now):
        yield missing
        return
    shown = diagnosing.without_credentials(url)
    remedy = _("Give an https address that can be reached from the internet.")
    if fault := _fault_of_address(url):
        yield _fail("public_url", f"PUBLIC_URL {shown}: {fault}", remedy)
    elif not url.startswith("https://") and not _is_local(host_of(url)):
        told = _("PUBLIC_URL %(url)s is not encrypted, and its paths hold tokens.")
        yield _warn("public_url", told % {"url": shown}, remedy)
    else:
        yield _ok("public_url", _("PUBLIC_URL is %(url)s.") % {"url": shown})


def _fault_of_address(url: str) -> str:
    """Return why Tavus cannot call ``url``; empty if it may."""
    host = host_of(url)
    if not url.startswith(("http://", "https://")) or not host:
        return _("it is no http(s) address.")
    parts = urlsplit(url)
    if parts.query or parts.fragment or "@" in parts.netloc:
        return _("it must be origin and path only.")
    # A sandbox on this machine can call this machine.
    if is_tavus(get_settings().BASE_URL) and _is_local(host):
        return _("Tavus cannot reach it, it is a name or address of a private network.")
    return ""


def _is_local(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))


def callback_route(now: datetime) -> Iterator[Finding]:
    """Whether there is an address to call back to."""
    try:
        path = reverse("django_tavus:callback", kwargs={"token": "token"})
    except NoReverseMatch:
        remedy = _('Add path("tavus/", include("django_tavus.urls")) to your URLconf.')
        yield _fail("callback_route", _("The URLs of django_tavus are not mounted."), remedy)
    else:
        yield _ok("callback_route", _("Callbacks come in at %(path)s.") % {"path": path})


# --- Tavus ------------------------------------------------------------------------------------


class DateReader(BaseAdapter):
    """Passes requests on, and remembers what time the other side said it was."""

    def __init__(self, inner: BaseAdapter) -> None:
        super().__init__()
        self.inner = inner
        self.date: datetime | None = None
        self.read_at: datetime | None = None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Return the inner transport's answer."""
        response = self.inner.send(request, **options)
        self.date = moment(response.headers.get("Date"))
        self.read_at = timezone.now()
        return response

    def close(self) -> None:
        """Close the inner transport."""
        self.inner.close()


def api(now: datetime) -> Iterator[Finding]:
    """Ask Tavus for one persona: is it there, does it take the key, what time is it there?"""
    url = get_settings().BASE_URL
    session = clients.make_session()
    reader = DateReader(session.get_adapter(url))
    session.mount(url, reader)
    with session:
        yield _answer_of(clients.get_client(session))
    if finding := diagnosing.api_address(now):
        yield finding
    if reader.date is not None and reader.read_at is not None:
        yield _skew(reader.date - reader.read_at)


def _answer_of(client: TavusClient) -> Finding:
    try:
        client.personas.list(limit=1)
    except TavusError as error:
        level, remedy = next((lv, r) for kind, lv, r in CALL_REMEDIES if isinstance(error, kind))
        return Finding(code="api", level=level, message=str(error), remedy=remedy())
    return _ok("api", _("%(url)s answers and takes the key.") % {"url": _shown(client.base_url)})


def _shown(url: str) -> str:
    return diagnosing.without_credentials(url)


def _skew(skew: timedelta) -> Finding:
    seconds = round(skew / timedelta(seconds=1))
    told = _("The clock of the API is %(n)d seconds off ours.") % {"n": seconds}
    remedy = _("Let this machine keep time by NTP: rooms are told apart, and ended, by the clock.")
    if abs(skew) <= SKEW_NOTED:  # a Date header has whole seconds, and was sent a moment ago
        return _ok("clock", _("The clocks of the API and of this machine agree."))
    return (
        _warn("clock", told, remedy) if abs(skew) <= SKEW_HARMFUL else _fail("clock", told, remedy)
    )


# --- broker and worker ------------------------------------------------------------------------


def broker(now: datetime) -> Iterator[Finding]:
    """Whether messages can be sent, and whether anybody takes them."""
    if current_app.conf.task_always_eager:
        remedy = _("Unset task_always_eager: requests wait for Tavus, and nothing is swept.")
        yield _warn("broker", _("Tasks run in the process that calls them."), remedy)
        return
    connection = current_app.connection_for_write()
    shown = connection.as_uri()  # masks the password
    if fault := _within(BROKER_PATIENCE, lambda: _connect(connection)):
        remedy = _("Start the broker, or see CELERY_BROKER_URL.")
        told = _("The broker %(url)s does not answer (%(kind)s).")
        yield _fail("broker", told % {"url": shown, "kind": fault}, remedy)
        return
    yield _ok("broker", _("The broker %(url)s answers.") % {"url": shown})
    yield worker()


def _connect(connection: Any) -> None:
    with connection:
        connection.ensure_connection(
            max_retries=1,
            interval_start=0.2,
            interval_step=0,
            timeout=2,
            reraise_as_library_errors=False,
        )


def _within(seconds: float, work: Callable[[], object]) -> str:
    """Return the type of what ``work`` raised, or ``TimeoutError``; empty if it went well.

    In a thread of its own, which is left behind if it does not come back.
    """
    raised: list[str] = [TimeoutError.__name__]

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever the broker's client raises
            raised[0] = type(error).__name__
        else:
            raised[0] = ""

    thread = threading.Thread(target=run, name="django_tavus.doctor", daemon=True)
    thread.start()
    thread.join(seconds)
    return raised[0]


def worker() -> Finding:
    """Whether a worker answers; one that is busy with a single process may not."""
    answers: list[Any] = []
    fault = _within(
        BROKER_PATIENCE,
        lambda: answers.extend(current_app.control.ping(timeout=PING_SECONDS) or ()),
    )
    if answers and not fault:
        return _ok("worker", _("Workers that answer: %(n)d.") % {"n": len(answers)})
    remedy = _("Start “celery worker”; if one is running, it was busy or listens elsewhere.")
    return _warn("worker", _("No worker answered within a second."), remedy)


# --- database ---------------------------------------------------------------------------------


def database(now: datetime) -> Iterator[Finding]:
    """Whether the tables are there, and what is to be known about this database."""
    connection = connections[router.db_for_write(Conversation)]
    executor = MigrationExecutor(connection)
    wanted = [node for node in executor.loader.graph.leaf_nodes() if node[0] == APP]
    if executor.migration_plan(wanted):
        yield _fail("database", _("Migrations are missing."), _("Run “manage.py migrate”."))
        return
    yield _ok("database", _("%(name)s, migrated.") % {"name": connection.display_name})
    if note := FLAVORS.get(connection.vendor):
        yield from note(connection)
    yield from _sweep(now)


def _sqlite(connection: Any) -> Iterator[Finding]:
    remedy = _("Use PostgreSQL or MariaDB where many people talk at once.")
    yield _warn("database", _("SQLite lets one process write at a time."), remedy)


def _mysql(connection: Any) -> Iterator[Finding]:
    if not connection.mysql_is_mariadb:
        told = _("This is MySQL, on which nothing was tried.")
        yield _warn("database", told, _("Use MariaDB or PostgreSQL."))
    if not _knows_days():
        told = _(
            "The time zone tables are empty: usage has no days, and lists in the admin that can be "
            "narrowed by date fail."
        )
        remedy = _("Load them with mysql_tzinfo_to_sql, or set TIME_ZONE to UTC.")
        yield _fail("database", told, remedy)


def _knows_days() -> bool:
    """Whether the database can tell the day of a moment in the current time zone."""
    moment = models.Value(timezone.now(), models.DateTimeField())
    rows = CapacityLock._default_manager.annotate(day=TruncDate(moment))
    days = list(rows.values_list("day", flat=True))
    return None not in days


FLAVORS: dict[str, Callable[[Any], Iterator[Finding]]] = {"sqlite": _sqlite, "mysql": _mysql}


def _sweep(now: datetime) -> Iterator[Finding]:
    """Tell when somebody swept; the admin's rule, and what it leaves unsaid."""
    if finding := diagnosing.sweeping(now):
        yield finding
        return
    last = CapacityLock.last_sweep()
    if last is None:
        remedy = _("Start a worker with beat before conversations are launched.")
        yield _warn("sweep", _("No sweep has run yet; nothing waits for one."), remedy)
        return
    seconds = max(0, round((now - last) / timedelta(seconds=1)))
    yield _ok("sweep", _("The last sweep ran %(n)d seconds ago.") % {"n": seconds})


def credits_left(now: datetime) -> Iterator[Finding]:
    """Whether the last launch was refused for want of credits."""
    if finding := diagnosing.credits_left(now):
        yield finding


def callbacks_coming(now: datetime) -> Iterator[Finding]:
    """Whether callbacks come in, where they were asked for."""
    if finding := diagnosing.callbacks_coming(now):
        yield finding


Examination = Callable[[datetime], Iterator[Finding]]
EXAMINATIONS: tuple[Examination, ...] = (
    checked_settings,
    key,
    api,
    credits_left,
    public_url,
    callback_route,
    callbacks_coming,
    database,
    broker,
)


def _ok(code: str, message: str) -> Finding:
    return Finding(code=code, level=Level.OK, message=message)


def _warn(code: str, message: str, remedy: str) -> Finding:
    return Finding(code=code, level=Level.WARN, message=message, remedy=remedy)


def _fail(code: str, message: str, remedy: str) -> Finding:
    return Finding(code=code, level=Level.FAIL, message=message, remedy=remedy)
