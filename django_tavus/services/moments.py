"""Moments that Tavus tells, as the columns of this site take them."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from django_tavus.client import parse_datetime


def moment(value: object) -> datetime | None:
    """Return what ``value`` means, in any format of Tavus's, or ``None`` if it is no moment.

    Aware, or with ``USE_TZ = False`` naive in ``TIME_ZONE``, like ``timezone.now()``.
    """
    at = parse_datetime(value)
    if at is None or settings.USE_TZ:
        return at
    return timezone.make_naive(at, timezone.get_default_timezone())
