"""``Idempotency-Key``: a launch that is sent again is not launched again."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from rest_framework.request import Request

from django_tavus.api.errors import bad_parameter

LONGEST = 255


class Idempotency(NamedTuple):
    """The client's key, and the digest of what it asked for under it."""

    key: str | None
    digest: str


def idempotency(request: Request) -> Idempotency:
    """Return key and digest of ``request``; without the header there is no key.

    Raises:
        ValidationError: the key is empty, too long, or not plain ASCII.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return Idempotency(None, "")
    if not 0 < len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise bad_parameter("Idempotency-Key", _("Must be 1 to 255 printable ASCII characters."))
    return Idempotency(key, digest(request.data))


def digest(body: Any) -> str:
    """Return a hash of ``body`` that does not depend on the order or spacing of its JSON."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
