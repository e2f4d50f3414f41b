"""Launching: from a wish to exactly one room.

``launch_conversation`` stores the wish. ``launch`` (a task) claims it, commits the attempt, and
only then asks Tavus, which knows no idempotency keys: what becomes of an attempt whose outcome is
unknown is the business of :mod:`django_tavus.services.adopting`.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.client import (
    Authentication,
    ConcurrencyLimit,
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    OutOfCredits,
    RateLimited,
    TavusClient,
    TavusError,
)
from django_tavus.conf import get_settings
from django_tavus.models import Conversation, ConversationDocument, Document, Persona, Replica
from django_tavus.models.choices import ConversationStatus, SyncState
from django_tavus.services import adopting, capacity, tokens
from django_tavus.services.announcing import announce
from django_tavus.services.clients import get_client
from django_tavus.services.enqueue import enqueue
from django_tavus.services.errors import IdempotencyConflictError
from django_tavus.services.request_fields import (
    RELATIONS,
    REQUEST_FIELDS,
    merge_defaults,
    validate_request_fields,
)

logger = logging.getLogger("django_tavus.launching")

HOST_FIELDS = {"reference", "metadata"}
LEFT_TIMEOUT = 30  # seconds; Tavus's own default of 0 ends a call when the page is reloaded

# What a refused create means: our code and, where waiting may help, the seconds to wait first.
# Order matters, subclasses before their bases.
REFUSALS: tuple[tuple[type[TavusError], str, int | None], ...] = (
    (OutOfCredits, "out_of_credits", None),
    (ConcurrencyLimit, "concurrency_limit", 5),
    (RateLimited, "tavus_unavailable", 5),
    (ConnectionFailed, "tavus_unavailable", 5),  # not a byte was sent
    (Authentication, "tavus_unauthorized", None),
    (InvalidRequest, "tavus_rejected", None),
    (NotFound, "tavus_rejected", None),
    (TavusError, "tavus_rejected", None),
)
LONGEST_WAIT = 60  # seconds between two tries of a refused launch


# --- the wish ---------------------------------------------------------------------------------


def launch_conversation(
    *,
    persona: Persona | str | None = None,
    replica: Replica | str | None = None,
    documents: Iterable[Document | str] = (),
    owner: Any = None,
    **request_fields: Any,
) -> Conversation:
    """Store a conversation as ``queued`` and enqueue its launch on commit; no HTTP is spoken.

    Args:
        persona, replica, documents: rows, or the Tavus ids of rows known here.
        owner: the user who may join it.
        **request_fields: the other request fields of *Create Conversation* under Tavus's names,
            and ``reference`` (str) and ``metadata`` (dict) of the host.

    Raises:
        TypeError: an unknown name, or ``persona_id``, ``replica_id``, ``document_ids``.
        ValidationError: a value that Tavus would refuse; a dict that names the fields.
        LaunchRefusedError: no minutes left, or too many waiting already.
    """
    _check_names(request_fields)
    return store_conversation(
        persona=persona, replica=replica, documents=documents, owner=owner, **request_fields
    )


def store_conversation(
    *,
    persona: Persona | str | None = None,
    replica: Replica | str | None = None,
    documents: Iterable[Document | str] = (),
    owner: Any = None,
    idempotency_key: str | None = None,
    idempotency_digest: str = "",
    **fields: Any,
) -> Conversation:
    """``launch_conversation`` with an idempotency key: the second call returns the first's row.

    Raises:
        IdempotencyConflictError: the key came with another digest (another request).
    """
    host = {name: fields.pop(name) for name in HOST_FIELDS & fields.keys()}
    wish = merge_defaults(get_settings().CONVERSATION_DEFAULTS, fields)
    persona = persona if persona is not None else wish.pop("persona_id", None)
    replica = replica if replica is not None else wish.pop("replica_id", None)
    documents = list(documents) or wish.pop("document_ids", ())
    for name in RELATIONS:
        wish.pop(name, None)
    rows = _resolve(persona, replica, documents)
    _validate(wish, host)
    if earlier := _earlier(owner, idempotency_key, idempotency_digest):
        return earlier
    capacity.check_admission(owner)
    conversation = Conversation(
        owner=owner,
        persona=rows.persona,
        replica=rows.replica,
        idempotency_key=idempotency_key,
        idempotency_digest=idempotency_digest,
        **host,
        **wish,
    )
    try:
        _insert(conversation, rows.documents)
    except IntegrityError:
        # Two requests with one key at once: the other was first.
        if earlier := _earlier(owner, idempotency_key, idempotency_digest):
            return earlier
        raise
    return conversation


def _insert(conversation: Conversation, documents: list[Document]) -> None:
    with transaction.atomic():
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
        if name not in REQUEST_FIELDS and name not in HOST_FIELDS:
            raise TypeError(f"launch_conversation() got an unexpected keyword argument {name!r}")


def _validate(wish: dict[str, Any], host: dict[str, Any]) -> None:
    unset = [name for name, value in wish.items() if value is None]
    for name in unset:
        del wish[name]
    unknown = wish.keys() - REQUEST_FIELDS.keys()
    if unknown:
        message = _("Unknown field.")
        raise ValidationError({name: ValidationError(message, "unknown") for name in unknown})
    validate_request_fields(wish)
    if not isinstance(host.get("metadata", {}), dict):
        raise ValidationError({"metadata": _("Must be an object.")})
    reference = host.get("reference", "")
    if not isinstance(reference, str) or len(reference) > 255:
        raise ValidationError({"reference": _("Must be a string of at most 255 characters.")})


def _earlier(owner: Any, key: str | None, digest: str) -> Conversation | None:
    if key is None:
        return None
    owner_id = getattr(owner, "pk", None)
    row = Conversation.objects.filter(owner_id=owner_id, idempotency_key=key).first()
    if row is not None and row.idempotency_digest != digest:
        raise IdempotencyConflictError
    return row


class _Rows:
    """The rows that a launch refers to, found and checked."""

    def __init__(
        self, persona: Persona | None, replica: Replica | None, documents: list[Document]
    ) -> None:
        self.persona = persona
        self.replica = replica
        self.documents = documents


def _resolve(
    persona: Persona | str | None,
    replica: Replica | str | None,
    documents: Iterable[Document | str],
) -> _Rows:
    """Find the rows and apply Tavus's replica rule: one must come from somewhere."""
    rows = _Rows(
        _find(Persona, persona, "persona_id", "invalid_persona"),
        _find(Replica, replica, "replica_id", "invalid_replica"),
        _find_documents(documents),
    )
    if rows.persona is None and rows.replica is None:
        message = _("Give a persona, a replica, or both.")
        raise ValidationError({"persona_id": ValidationError(message, "invalid_persona")})
    if rows.replica is None and rows.persona is not None and not rows.persona.default_replica_id:
        message = _("This persona has no default replica: give a replica_id.")
        raise ValidationError({"replica_id": ValidationError(message, "invalid_replica")})
    return rows


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
        raise ValidationError({"document_ids": _("Must be a list of strings.")})
    found = [_find(Document, d, "document_ids", "invalid_document") for d in documents]
    return list(dict.fromkeys(document for document in found if document is not None))


# --- the attempt ------------------------------------------------------------------------------


def launch(pk: uuid.UUID | str) -> None:
    """Take a queued conversation to Tavus; does nothing if it is not its turn.

    The attempt is committed before its POST. A process that dies in between leaves a row in
    ``launching`` that :func:`django_tavus.services.adopting.settle` looks for at Tavus.
    """
    conversation = Conversation.objects.select_related("persona", "replica").filter(pk=pk).first()
    if conversation is None or conversation.status != ConversationStatus.QUEUED:
        return
    try:
        client = get_client()
    except ImproperlyConfigured as error:
        fail(conversation.pk, "tavus_unauthorized", str(error))
        return
    now = timezone.now()
    # A second attempt must carry the key of the first, even if the persona was renamed since.
    key = conversation.name_key or adopting.name_to_send(conversation)
    if capacity.claim(conversation.pk, now, name_key=key):
        conversation.attempted_at = now
        conversation.name_key = key
        attempt(conversation, client)


def attempt(conversation: Conversation, client: TavusClient) -> None:
    """POST the create of an attempt that is committed, and store what comes of it."""
    try:
        answer = client.conversations.create(**request_body(conversation))
    except OutcomeUnknown as error:
        adopting.open_doubt(conversation, error.message)
        adopting.settle(conversation.pk)
    except TavusError as error:
        _refused(conversation, error)
    else:
        adopting.adopt_answer(conversation.pk, answer)


def request_body(conversation: Conversation) -> dict[str, Any]:
    """Return the body of the create: what was set, a callback URL, and a time-out for reloads."""
    body: dict[str, Any] = {}
    if conversation.replica is not None:
        body["replica_id"] = conversation.replica.tavus_id
    if conversation.persona is not None:
        body["persona_id"] = conversation.persona.tavus_id
    for name in REQUEST_FIELDS:
        value = getattr(conversation, name)
        if value not in (None, "", [], {}):
            body[name] = value
    if conversation.name_key:
        body["conversation_name"] = conversation.name_key
    if documents := _document_ids(conversation):
        body["document_ids"] = documents
    body["properties"] = {"participant_left_timeout": LEFT_TIMEOUT, **conversation.properties}
    if url := conversation.callback_url or tokens.callback_url(conversation):
        body["callback_url"] = url
    return body


def _document_ids(conversation: Conversation) -> list[str]:
    rows = conversation.conversation_documents.order_by("position")
    ids = rows.values_list("document__tavus_id", flat=True)
    return [tavus_id for tavus_id in ids if tavus_id]


def _refused(conversation: Conversation, error: TavusError) -> None:
    """Tavus certainly made nothing: fail, or wait for a better time within QUEUE_TIMEOUT."""
    code, pause = next((code, pause) for kind, code, pause in REFUSALS if isinstance(error, kind))
    now = timezone.now()
    deadline = conversation.created_at + timedelta(seconds=get_settings().QUEUE_TIMEOUT)
    if pause is None or conversation.end_requested_at or now >= deadline:
        fail(conversation.pk, code, error.message)
        return
    waited = (now - conversation.created_at).total_seconds()
    seconds = max(pause, getattr(error, "retry_after", None) or 0, min(waited, LONGEST_WAIT))
    Conversation.objects.requeue(
        conversation.pk,
        not_before=now + timedelta(seconds=min(seconds, LONGEST_WAIT)),
        code=code,
        message=error.message,
    )


def fail(pk: uuid.UUID, code: str, message: str) -> None:
    """End a launch as ``failed`` and let the next in line start."""
    entry = Conversation.objects.transition(
        pk, ConversationStatus.FAILED, error_code=code, error_message=message, next_check_at=None
    )
    if entry is not None:
        announce([entry])
        enqueue("start_queued")


# --- the queue --------------------------------------------------------------------------------


def start_queued(now: datetime | None = None) -> None:
    """Enqueue the launches whose turn it is, and fail those that have waited too long."""
    now = now or timezone.now()
    expire_queued(now)
    for pk in capacity.startable(now):
        enqueue("launch_conversation", str(pk))


def expire_queued(now: datetime) -> None:
    """Fail what has waited longer than QUEUE_TIMEOUT, with the reason of its last refusal."""
    since = now - timedelta(seconds=get_settings().QUEUE_TIMEOUT)
    for conversation in Conversation.objects.queue().filter(created_at__lt=since)[:500]:
        message = conversation.error_message or _("No slot became free in time.")
        fail(conversation.pk, conversation.error_code or "concurrency_limit", message)
