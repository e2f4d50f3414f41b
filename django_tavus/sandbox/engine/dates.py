"""The date formats of Tavus, one function each; every resource has its own (tavus docs)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime


def micros(moment: datetime) -> str:
    """Conversations and their callbacks: ``2025-07-11T06:45:47.472000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def millis(moment: datetime) -> str:
    """Replicas: ``2024-01-24T07:14:03.327Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def seconds(moment: datetime) -> str:
    """Documents, objectives, guardrails, dictionaries, verbose events: ``2024-01-01T12:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def naive(moment: datetime) -> str:
    """Callbacks of videos: ``2024-08-28 15:27:40.824457``, UTC though it does not say so."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def rfc1123(moment: datetime) -> str:
    """The answer to creating a video: ``Mon, 14 Jul 2025 09:14:24 GMT``."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
