"""Callbacks as Tavus would post them, through the real URL and the real view."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from django_tavus.conf import get_settings
from django_tavus.models import Conversation, Document, Replica
from django_tavus.sandbox import Sandbox
from django_tavus.services import tokens
from django_tavus.testing.committing import is_in_test_alone


def deliver_callback(
    obj: Conversation | Document | Replica, event: Mapping[str, Any] | bytes
) -> HttpResponseBase:
    """Post ``event`` (a body, or raw bytes) to the callback URL of ``obj``."""
    token = tokens.make_callback_token(obj)
    return post(reverse("django_tavus:callback", kwargs={"token": token}), event)


def deliver_due(sandbox: Sandbox) -> int:
    """Post the callbacks that the sandbox owes now to this site; return how many."""
    # PUBLIC_URL may hold a path that a proxy takes away.
    prefix = urlsplit(get_settings().PUBLIC_URL).path.rstrip("/")
    return sandbox.deliver(
        lambda url, content: post(urlsplit(url).path.removeprefix(prefix), content)
    )


def post(path: str, event: Mapping[str, Any] | bytes) -> HttpResponseBase:
    """Post to a path of this site by https, without a session and without a CSRF token."""
    content = event if isinstance(event, bytes) else json.dumps(event).encode()
    client = Client(enforce_csrf_checks=True)
    # An event that is there already is told by an error of the database, which would spoil the
    # transaction of a test.
    alone = is_in_test_alone(transaction.get_connection())
    with transaction.atomic() if alone else nullcontext():
        return client.post(path, data=content, content_type="application/json", secure=True)
