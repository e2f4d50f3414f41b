"""Launching: from a stored wish to exactly one room.

``launch`` (a task) claims what :mod:`django_tavus.services.requesting` stored, commits the
attempt, and only then asks Tavus, which knows no idempotency keys: what becomes of an attempt
whose outcome is unknown is the business of :mod:`django_tavus.services.doubting`.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
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
from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus
from django_tavus.models.conversation import ConversationQuerySet
from django_tavus.services import adopting, capacity, doubting, recognizing, tokens
from django_tavus.services.announcing import announce
from django_tavus.services.clients import get_client
from django_tavus.services.enqueue import enqueue
from django_tavus.services.request_fields import SENT_FIELDS

logger = logging.getLogger("django_tavus.launching")

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
# Waiting conversations, with what their creates need. Put together once: that takes longer than
# running it.
WAITING = (
    Conversation.objects.filter(status=ConversationStatus.QUEUED)
    .select_related("persona", "replica")
    .only(
        *SENT_FIELDS,
        "attempted_at",
        "attempts",
        "created_at",
        "end_requested_at",
        "error_code",
        "error_message",
        "name_key",
        "updated_at",
        "with_persona",
        "with_replica",
        "persona__default_replica",
        "persona__persona_name",
        "persona__tavus_id",
        "replica__replica_name",
        "replica__tavus_id",
    )
)
LONGEST_WAIT = 60  # seconds between two tries of a refused launch
KEY_PAUSE = 5  # seconds between two tries to read the API key


# --- the attempt ------------------------------------------------------------------------------


def launch(pk: uuid.UUID | str) -> None:
    """Take a queued conversation to Tavus; does nothing if it is not its turn.

    The attempt is committed before its POST. A process that dies in between leaves a row in
    ``launching`` that :func:`django_tavus.services.doubting.settle` looks for at Tavus.
    """
    try:
        conversation = WAITING.get(pk=pk)
    except Conversation.DoesNotExist:
        return
    now = timezone.now()
    if _is_stale(conversation, now):
        _expire(conversation)
        return
    if missing := _deleted_meanwhile(conversation):
        _fail_waiting(conversation.pk, "tavus_rejected", missing)
        return
    client = _client_for(conversation, now)
    if client is None:
        return
    # A second attempt must carry the key of the first, even if the persona was renamed since.
    is_repeated = conversation.attempts > 0  # clear refusals are not counted
    if is_repeated and not recognizing.may_be_repeated(conversation):  # as the settings are by now
        _fail_waiting(conversation.pk, "outcome_unknown", doubting.not_listed())
        return
    key = (is_repeated and conversation.name_key) or recognizing.name_to_send(conversation)
    if capacity.claim(conversation.pk, now, name_key=key):
        conversation.attempted_at = now
        conversation.name_key = key
        attempt(conversation, client)


def _deleted_meanwhile(conversation: Conversation) -> str:
    """Say what was asked for and is there no more: without it the call would be another one."""
    if conversation.with_persona and conversation.persona is None:
        return _("The persona was deleted while the launch waited.")
    if conversation.with_replica and conversation.replica is None:
        return _("The replica was deleted while the launch waited.")
    return ""


def _client_for(conversation: Conversation, now: datetime) -> TavusClient | None:
    """Return a client; without one the launch fails, or waits if that may pass."""
    try:
        return get_client()
    except ImproperlyConfigured as error:
        _fail_waiting(conversation.pk, "tavus_unauthorized", str(error))
    except Exception as error:  # noqa: BLE001 - whatever a callable API_KEY of the host's raises
        kind = type(error).__name__  # its text may hold secrets
        logger.warning("The API key could not be read: %s", kind)
        # Not store(): `updated_at` is the time from which a second attempt waits.
        Conversation.objects.queue().filter(pk=conversation.pk).update(
            not_before=now + timedelta(seconds=KEY_PAUSE),
            error_code="tavus_unauthorized",
            error_message=_("The API key could not be read: %(kind)s.") % {"kind": kind},
        )
    return None


def attempt(conversation: Conversation, client: TavusClient) -> None:
    """POST the create of an attempt that is committed, and store what comes of it.

    A worker that stood still in between (a paused machine, a database that did not answer) comes
    too late: others may have looked for its room already and begun anew.
    """
    body = request_body(conversation)
    if _is_late(conversation):
        _give_back(conversation)
        return
    try:
        answer = client.conversations.create(**body)
    except OutcomeUnknown as error:
        if doubting.open_doubt(conversation, error.message):
            doubting.settle(conversation.pk)
    except TavusError as error:
        _refused(conversation, error)
    else:
        adopting.adopt_answer(conversation.pk, answer, replica_id=_replica_in_use(conversation))


def _replica_in_use(conversation: Conversation) -> int | None:
    """The replica that was asked for, else the persona's default when it was asked for."""
    persona = conversation.persona
    return conversation.replica_id or (persona.default_replica_id if persona else None)


def _is_late(conversation: Conversation) -> bool:
    """Whether the POST might last longer than the time in which nobody touches an attempt."""
    begun = conversation.attempted_at
    return begun is not None and timezone.now() - begun > timedelta(seconds=recognizing.GRACE)


def _give_back(conversation: Conversation) -> None:
    """Return an attempt of which nothing was sent to the queue."""
    logger.warning("The attempt of conversation %s came too late to be sent", conversation.pk)
    if _own_attempt(conversation).requeue(
        conversation.pk, not_before=timezone.now(), code="", message=""
    ):
        enqueue("start_queued")


def _own_attempt(conversation: Conversation) -> ConversationQuerySet:
    """The row while it still is in the attempt that this worker began, and not in a later one."""
    return Conversation.objects.filter(attempted_at=conversation.attempted_at)


def request_body(conversation: Conversation) -> dict[str, Any]:
    """Return the body of the create: what was set, a callback URL, and a time-out for reloads."""
    body: dict[str, Any] = {}
    if conversation.replica is not None:
        body["replica_id"] = conversation.replica.tavus_id
    if conversation.persona is not None:
        body["persona_id"] = conversation.persona.tavus_id
    for name in SENT_FIELDS:
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
        fail(conversation.pk, code, error.message, rows=_own_attempt(conversation))
        return
    waited = (now - conversation.created_at).total_seconds()
    seconds = max(pause, getattr(error, "retry_after", None) or 0, min(waited, LONGEST_WAIT))
    _own_attempt(conversation).requeue(
        conversation.pk,
        not_before=now + timedelta(seconds=min(seconds, LONGEST_WAIT)),
        code=code,
        message=error.message,
    )


def fail(
    pk: uuid.UUID, code: str, message: str, *, rows: ConversationQuerySet | None = None
) -> None:
    """End a launch as ``failed``, if it is (still) one of ``rows``; let the next in line start."""
    rows = Conversation.objects.all() if rows is None else rows
    entry = rows.transition(
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
    # A second attempt begins its wait anew: its first may have been looked for that long.
    waited = Q(attempts=0) | Q(updated_at__lt=since)
    for conversation in Conversation.objects.queue().filter(waited, created_at__lt=since)[:500]:
        _expire(conversation)


def _is_stale(conversation: Conversation, now: datetime) -> bool:
    """Whether a message comes so late that no worker can have been there to expire the launch."""
    begun = conversation.updated_at if conversation.attempts else conversation.created_at
    return now - begun > timedelta(seconds=get_settings().QUEUE_TIMEOUT + LONGEST_WAIT)


def _expire(conversation: Conversation) -> None:
    message = conversation.error_message or _("No slot became free in time.")
    _fail_waiting(conversation.pk, conversation.error_code or "concurrency_limit", message)


def _fail_waiting(pk: uuid.UUID, code: str, message: str) -> None:
    """Fail a launch only while it waits: its turn may have come at this very moment.

    Another worker may have begun its attempt, and with it a room that is paid for. One that was
    to end is cancelled by the sweep.
    """
    waiting = Conversation.objects.queue().filter(end_requested_at__isnull=True)
    fail(pk, code, message, rows=waiting)
