"""The ``TAVUS`` settings dict as a typed, frozen object, read live.

``get_settings()`` reads ``django.conf.settings.TAVUS`` at every call, so ``override_settings``
and pytest's ``settings`` fixture work at once. Nothing here validates: a wrong value is named by
the system checks (:mod:`django_tavus.checks`), with the sentence that says how to mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

ApiKey = str | Callable[[], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class TavusSettings:
    """Every key of ``settings.TAVUS`` with its default; the fields are the documentation."""

    API_KEY: ApiKey = field(default="", repr=False)
    """Tavus API key, or a callable that returns it (called for each client, never stored)."""
    BASE_URL: str = "https://tavusapi.com/v2"
    """Root of the Tavus API. Point it at the sandbox to work offline."""
    PUBLIC_URL: str = ""
    """Origin at which Tavus reaches this site, optionally with the path that a proxy adds.
    Empty: no callbacks are asked for, state is kept by reconciling."""
    TIMEOUT: Sequence[float] = (5, 30)
    """Connect and read time-out of every call to Tavus, in seconds."""
    CONVERSATION_DEFAULTS: Mapping[str, Any] = field(default_factory=dict)
    """Request fields merged under every launch (``properties`` key by key)."""
    MAX_CONCURRENT: int | None = None
    """Live conversations at once; more wait in a queue."""
    MAX_CONCURRENT_PER_USER: int | None = None
    """Live conversations of one owner at once."""
    QUEUE_TIMEOUT: int = 600
    """Seconds that a launch may wait for a slot before it fails with ``concurrency_limit``."""
    DAILY_MINUTES: float | None = None
    """Budget of call minutes in the last 24 hours, for the whole site."""
    DAILY_MINUTES_PER_USER: float | None = None
    """Budget of call minutes in the last 24 hours, for one owner."""
    RECONCILE_AFTER: int = 120
    """Seconds of silence after which Tavus is asked how a conversation stands."""
    CALLBACK_MAX_BYTES: int = 5_242_880
    """Callbacks larger than this are answered 413."""
    RETENTION_DAYS: int | None = None
    """Age in days at which ``tavus_prune`` removes transcripts, perception and payloads."""
    API_AUTHENTICATION_CLASSES: Sequence[str | type] | str = (
        "rest_framework.authentication.SessionAuthentication",
    )
    """Authentication of the REST API; ``"inherit"`` takes the host's ``REST_FRAMEWORK``."""
    API_PERMISSION_CLASSES: Sequence[str | type] = ("rest_framework.permissions.IsAuthenticated",)
    """Permissions of the REST API, on top of ownership and model permissions."""
    API_THROTTLE_RATE: str | None = None
    """Rate of conversation launches for each user over REST, such as ``"20/hour"``."""
    API_PAGE_SIZE: int = 25
    """Rows on a page of the REST API; ``?page_size=`` goes up to 100."""
    API_LAUNCH_FIELDS: Sequence[str] = ()
    """Request fields that users without the launch permission may set too."""

    def resolve_api_key(self) -> str:
        """Return the API key, calling the setting if it is callable.

        Raises:
            ImproperlyConfigured: no key is set.
        """
        key = self.API_KEY() if callable(self.API_KEY) else self.API_KEY
        if not key:
            raise ImproperlyConfigured(
                'TAVUS["API_KEY"] is empty. Set the key of your Tavus account, or point '
                'TAVUS["BASE_URL"] at the sandbox and use any text.'
            )
        return key

    @property
    def request_seconds(self) -> float:
        """The longest that one request to Tavus may take, in seconds (connect plus read)."""
        return float(sum(self.TIMEOUT))


KNOWN_KEYS = frozenset(f.name for f in fields(TavusSettings))


def get_settings() -> TavusSettings:
    """Return the settings as they are now; unknown keys are left to the system checks."""
    configured: Mapping[str, Any] = getattr(settings, "TAVUS", None) or {}
    return TavusSettings(**{key: configured[key] for key in KNOWN_KEYS & configured.keys()})
