"""Requesting: what a caller wants is checked and stored; nothing here talks to Tavus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from django_tavus.conf import get_settings
from django_tavus.models import Conversation, ConversationDocument, Document, Persona, Replica
from django_tavus.models.choices import SyncState
from django_tavus.services import capacity
from django_tavus.services.enqueue import enqueue
from django_tavus.services.idempotency import Idempotency
from django_tavus.services.request_fields import (
    HOST_FIELDS,
    RELATIONS,
    REQUEST_FIELDS,
    merge_defaults,
    validate_request_fields,
)


def launch_conversation(
    *,
    persona: Persona | str | None = None,
    replica: Replica | str | None = None,
    documents: Iterable[Document | str] = (),
    owner: Any = None,
    idempotency_key: str | None = None,
    **request_fields: Any,
) -> Conversation:
    """Store a conversation as ``queued`` and enqueue its launch on commit; no HTTP is spoken.

    Args:
        persona, replica, documents: rows, or the Tavus ids of rows known here.
        owner: the user who may join it.
        idempotency_key: the same key of the same owner is the same conversation, and nothing new
            is stored; REST's ``Idempotency-Key`` is the same thing.
        **request_fields: the other request fields of *Create Conversation* under Tavus's names,
            and ``reference`` (str) and ``metadata`` (dict) of the host.

    Raises:
        TypeError: an unknown name, or ``persona_id``, ``replica_id``, ``document_ids``.
        ValidationError: a value that Tavus would refuse; a dict that names the fields.
        LaunchRefusedError: no minutes left, or too many waiting already.
        IdempotencyConflictError: the key came with other arguments before.
    """
    _check_names(request_fields)
    conversation, _is_new = store_conversation(
        persona=persona,
        replica=replica,
        documents=documents if isinstance(documents, str) else list(documents),
        owner=owner,
        idempotency_key=idempotency_key,
        **request_fields,
    )
    return conversation


@dataclass(frozen=True)
class LaunchRequest:
    """A launch that was checked: the rows that it refers to, and the values of its columns."""

    persona: Persona | None
    replica: Replica | None
    documents: list[Document]
    columns: dict[str, Any]


def store_conversation(
    *, owner: Any = None, idempotency_key: str | None = None, **wish: Any
) -> tuple[Conversation, bool]:
    """Do what ``launch_conversation`` does; return the row, and whether it is new.

    Raises:
        IdempotencyConflictError: the key came with another wish before.
    """
    idempotency = Idempotency.of(owner, idempotency_key, wish)
    # Before anything else: the answer to a repeated request does not depend on what has become
    # of its persona since.
    if row := idempotency.earlier():
        return row, False
    request = _check(**wish)
    capacity.check_admission(owner)
    conversation = Conversation(
        owner=owner,
        persona=request.persona,
        replica=request.replica,
        with_persona=request.persona is not None,
        with_replica=request.replica is not None,
        idempotency_key=idempotency.key,
        idempotency_digest=idempotency.digest,
        **request.columns,
    )
    try:
        _insert(conversation, request.documents)
    except IntegrityError:
        # Two requests with one key at once: the other was first.
        if row := idempotency.earlier():
            return row, False
        raise
    return conversation, True


def check_launch(*, owner: Any = None, idempotency_key: str | None = None, **wish: Any) -> None:
    """Raise whatever ``store_conversation`` would raise for these arguments; store nothing.

    A form has to name what is wrong before anything is stored.
    """
    if Idempotency.of(owner, idempotency_key, wish).earlier() is None:
        _check(**wish)
        capacity.check_admission(owner)


def _check(
    *,
    persona: Persona | str | None = None,
    replica: Replica | str | None = None,
    documents: Iterable[Document | str] = (),
    **fields: Any,
) -> LaunchRequest:
    """Merge the defaults, find the rows, and apply every rule that Tavus would apply."""
    host = {name: fields.pop(name) for name in HOST_FIELDS & fields.keys()}
    wish = merge_defaults(get_settings().CONVERSATION_DEFAULTS, fields)
    defaults = {name: wish.pop(name, None) for name in RELATIONS}
    request = LaunchRequest(
        _find(Persona, persona or defaults["persona_id"], "persona_id", "invalid_persona"),
        _find(Replica, replica or defaults["replica_id"], "replica_id", "invalid_replica"),
        _find_documents(documents or defaults["document_ids"] or ()),
        {name: value for name, value in {**wish, **host}.items() if value is not None},
    )
    _check_replica_rule(request)
    _check_values(request.columns)
    return request


def _insert(conversation: Conversation, documents: list[Document]) -> None:
    with transaction.atomic():
        capacity.admit(conversation.owner)
        conversation.save(force_insert=True)
        ConversationDocument.objects.bulk_create(
            ConversationDocument(conversation=conversation, document=document, position=position)
            for position, document in enumerate(documents)
        )
        enqueue("launch_conversation", str(conversation.pk))


def _check_names(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name in RELATIONS:
            raise TypeError(f"launch_conversation() takes {RELATIONS[name]}=, not {name}=")
        if name not in REQUEST_FIELDS:
            raise TypeError(f"launch_conversation() got an unexpected keyword argument {name!r}")


def _check_values(columns: Mapping[str, Any]) -> None:
    unknown = columns.keys() - REQUEST_FIELDS.keys()
    if unknown:
        message = _("Unknown field.")
        raise ValidationError({name: ValidationError(message, "unknown") for name in unknown})
    validate_request_fields(columns)


def _check_replica_rule(request: LaunchRequest) -> None:
    """Apply the provider's rule: a replica must come from somewhere.

    Raises:
        ValidationError: naming ``persona_id`` or ``replica_id``.
    """
    if request.persona is None and request.replica is None:
        message = _("Give a persona, a replica, or both.")
        raise ValidationError({"persona_id": ValidationError(message, "invalid_persona")})
    if request.replica is None and not getattr(request.persona, "default_replica_id", None):
        message = _("This persona has no default replica: give a replica_id.")
        raise ValidationError({"replica_id": ValidationError(message, "invalid_replica")})


RemoteModel = TypeVar("RemoteModel", Persona, Replica, Document)


def _find(
    model: type[RemoteModel], given: RemoteModel | str | None, field: str, code: str
) -> RemoteModel | None:
    """Return the row that ``given`` means.

    Raises:
        ValidationError: it is unknown, gone, or not published to Tavus yet.
    """
    if given is None or given == "":
        return None
    row = model.objects.filter(tavus_id=given).first() if isinstance(given, str) else given
    if row is None:
        message = _("No %(kind)s with the Tavus id “%(id)s” is known here. Run tavus_sync?") % {
            "kind": model._meta.verbose_name,
            "id": given,
        }
        raise ValidationError({field: ValidationError(message, code)})
    if row.sync_state == SyncState.GONE or not row.tavus_id:
        why = _("no longer exists at Tavus") if row.tavus_id else _("is not at Tavus yet")
        message = _("“%(name)s” %(why)s.") % {"name": row, "why": why}
        raise ValidationError({field: ValidationError(message, code)})
    return row


def _find_documents(documents: Iterable[Document | str]) -> list[Document]:
    if isinstance(documents, str):
        raise ValidationError({"document_ids": _("Must be a list of rows or Tavus ids.")})
    given = list(dict.fromkeys(documents))
    ids = [document for document in given if isinstance(document, str)]
    known: dict[object, Document] = {row.tavus_id: row for row in _by_tavus_id(ids)}
    found = [_find(Document, known.get(d, d), "document_ids", "invalid_document") for d in given]
    return list(dict.fromkeys(document for document in found if document is not None))


def _by_tavus_id(ids: list[str]) -> Iterable[Document]:
    return Document.objects.filter(tavus_id__in=ids) if ids else ()
