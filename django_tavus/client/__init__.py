"""A client of the Tavus API, usable without Django.

from django_tavus.client import TavusClient

with TavusClient(api_key) as tavus:
    conversation = tavus.conversations.create(persona_id="p123", replica_id="r456")
    print(conversation["conversation_url"])
    tavus.conversations.end(conversation["conversation_id"])
"""

from __future__ import annotations

from django_tavus.client.dates import parse_datetime
from django_tavus.client.errors import (
    Authentication,
    ConcurrencyLimit,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    OutOfCredits,
    RateLimited,
    ServerError,
    TavusError,
)
from django_tavus.client.pagination import Page
from django_tavus.client.patches import diff
from django_tavus.client.redaction import MASK, redact
from django_tavus.client.retry import RetryPolicy
from django_tavus.client.tavus import TavusClient
from django_tavus.client.transport import new_session

__all__ = [
    "MASK",
    "Authentication",
    "ConcurrencyLimit",
    "Conflict",
    "ConnectionFailed",
    "InvalidRequest",
    "NotFound",
    "OutOfCredits",
    "OutcomeUnknown",
    "Page",
    "RateLimited",
    "RetryPolicy",
    "ServerError",
    "TavusClient",
    "TavusError",
    "diff",
    "new_session",
    "parse_datetime",
    "redact",
]
