"""Rehearsing a launch: the refusals of ``store_conversation`` without its row.

A form has to name what is wrong before anything is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django_tavus.conf import get_settings
from django_tavus.models import Document, Persona, Replica
from django_tavus.services import capacity
from django_tavus.services.launching import HOST_FIELDS, _earlier, _resolve, _validate
from django_tavus.services.request_fields import RELATIONS, merge_defaults


def rehearse_launch(
    *,
    persona: Persona | None = None,
    replica: Replica | None = None,
    documents: Iterable[Document] = (),
    owner: Any = None,
    idempotency_key: str | None = None,
    idempotency_digest: str = "",
    **fields: Any,
) -> None:
    """Raise whatever ``store_conversation`` would raise for these arguments; store nothing.

    Raises:
        ValidationError: a value that Tavus would refuse; a dict that names the fields.
        LaunchRefusedError: no minutes left, or too many waiting already.
        IdempotencyConflictError: the key came with another digest before.
    """
    host = {name: fields.pop(name) for name in HOST_FIELDS & fields.keys()}
    wish = merge_defaults(get_settings().CONVERSATION_DEFAULTS, fields)
    _resolve(
        persona if persona is not None else wish.get("persona_id"),
        replica if replica is not None else wish.get("replica_id"),
        list(documents) or wish.get("document_ids", ()),
    )
    _validate({name: wish[name] for name in wish.keys() - RELATIONS.keys()}, host)
    if _earlier(owner, idempotency_key, idempotency_digest) is None:
        capacity.check_admission(owner)
