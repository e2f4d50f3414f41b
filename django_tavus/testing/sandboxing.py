"""A sandbox in the place of Tavus, for as long as a block of code runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import requests
from celery import current_app
from django.conf import settings
from django.test import override_settings

from django_tavus.sandbox import Sandbox
from django_tavus.services import clients
from django_tavus.testing import account
from django_tavus.testing.committing import commit_at_once


@contextmanager
def sandboxed(**options: Any) -> Iterator[Sandbox]:
    """Play Tavus in this process; ``options`` are those of :class:`~django_tavus.sandbox.Sandbox`.

    Every request of the site goes to the sandbox, and no other. Tasks and callbacks of
    ``on_commit()`` run at once.
    """
    sandbox = Sandbox(**options)
    with (
        override_settings(TAVUS=settings_for(sandbox)),
        connected(sandbox),
        account.shown_to(sandbox),
        eager_tasks(),
        commit_at_once(),
    ):
        yield sandbox


def settings_for(sandbox: Sandbox) -> dict[str, Any]:
    """Return the site's ``TAVUS`` as ``sandbox`` needs it."""
    own = getattr(settings, "TAVUS", None) or {}
    return {
        **own,
        "API_KEY": "sandbox",
        "BASE_URL": sandbox.base_url,
        "PUBLIC_URL": own.get("PUBLIC_URL") or "http://testserver",
    }


@contextmanager
def connected(sandbox: Sandbox) -> Iterator[None]:
    """Send the requests of the site to ``sandbox``."""

    def make_session() -> requests.Session:
        session = requests.Session()
        session.mount("https://", sandbox.adapter())
        session.mount("http://", sandbox.adapter())
        return session

    clients.forget_session()
    try:
        with patch.object(clients, "make_session", make_session):
            yield
    finally:
        clients.forget_session()


@contextmanager
def eager_tasks() -> Iterator[None]:
    """Let Celery run tasks where they are sent."""
    conf = current_app.conf
    before = conf.task_always_eager
    conf.task_always_eager = True
    try:
        yield
    finally:
        conf.task_always_eager = before
