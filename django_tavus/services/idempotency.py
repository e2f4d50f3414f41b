"""Idempotency: a launch that is asked for again is not launched again.

Tavus knows no idempotency keys, so ours end here: one key of one owner is one conversation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Model

from django_tavus.models import Conversation
from django_tavus.services.errors import IdempotencyConflictError


class Idempotency(NamedTuple):
    """What tells a repeated launch from a new one: two hashes, or nothing if no key was given."""

    key: str | None
    """Of the owner and the key that was given."""
    digest: str
    """Of what was asked for."""

    @classmethod
    def of(cls, owner: Any, key: str | None, wish: Mapping[str, Any]) -> Idempotency:
        """Return the hashes; in ``wish`` a row and its Tavus id are the same, empty is not set."""
        if key is None:
            return cls(None, "")
        said = {name: value for name, value in wish.items() if value not in (None, "", [], {})}
        return cls(_hash([str(owner.pk) if owner else None, key]), _hash(said))

    def earlier(self) -> Conversation | None:
        """Return the conversation that was stored under this key, if there is one.

        Raises:
            IdempotencyConflictError: something else was asked for under it.
        """
        if self.key is None:
            return None
        row = Conversation.objects.filter(idempotency_key=self.key).first()
        if row is not None and row.idempotency_digest != self.digest:
            raise IdempotencyConflictError
        return row


def _hash(value: Any) -> str:
    plain = json.loads(json.dumps(value, default=_plain))  # every key a text, to be sorted
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return getattr(value, "tavus_id", None) or str(value.pk)
    return str(value)
