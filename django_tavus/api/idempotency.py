"""``Idempotency-Key``: a launch that is sent again is not launched again."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.request import Request

from django_tavus.api.errors import bad_parameter

LONGEST = 255


def read_idempotency_key(request: Request) -> str | None:
    """Return the key of ``request``, or ``None`` without the header.

    Raises:
        ValidationError: the key is empty, too long, or not plain ASCII.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise bad_parameter("Idempotency-Key", _("Must be 1 to 255 printable ASCII characters."))
    return str(key)
