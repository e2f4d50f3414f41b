"""The only place where settings meet the client."""

from __future__ import annotations

import threading

import requests
from django.core.exceptions import ImproperlyConfigured

from django_tavus.client import TavusClient, new_session
from django_tavus.conf import get_settings

_thread = threading.local()


def make_session() -> requests.Session:
    """Return a new HTTP session; the seam at which tests put another transport."""
    return new_session()


def get_client(session: requests.Session | None = None) -> TavusClient:
    """Return a client for the settings as they are now.

    Its session, if the caller has none, keeps connections open and is one for each thread:
    ``requests`` does not promise that a session can be shared. The key is asked for at every call
    and not kept here.

    Raises:
        ImproperlyConfigured: no API key is set, or the client cannot use what is set.
    """
    settings = get_settings()
    key = settings.resolve_api_key()  # whatever a host's own callable raises is raised as it is
    try:
        return TavusClient(
            key,
            base_url=settings.BASE_URL,
            timeout=settings.TIMEOUT,
            session=session or _own_session(),
        )
    except ValueError as error:
        raise ImproperlyConfigured(f"The setting TAVUS cannot be used. {error}") from error


def _own_session() -> requests.Session:
    session: requests.Session | None = getattr(_thread, "session", None)
    if session is None:
        session = _thread.session = make_session()
    return session


def forget_session() -> None:
    """Close this thread's session, so that the next client makes a new one."""
    session: requests.Session | None = getattr(_thread, "session", None)
    if session is not None:
        session.close()
        _thread.session = None
