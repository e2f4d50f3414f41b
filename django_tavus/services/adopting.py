"""Adopting: the room that Tavus made becomes the row's own, once, whoever brings it first.

The answer of the create, a callback that is faster, or the list that was searched for it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from django_tavus.conf import get_settings
from django_tavus.models import Conversation, OutboxEntry, Persona, WebhookEvent
from django_tavus.models.choices import ConversationStatus, SyncState
from django_tavus.models.conversation import OVER
from django_tavus.services import mapping
from django_tavus.services.announcing import announce
from django_tavus.services.enqueue import enqueue
from django_tavus.services.moments import moment
from django_tavus.services.recognizing import CLOCK_SKEW, attempt_window

logger = logging.getLogger("django_tavus.adopting")


def adopt_answer(pk: uuid.UUID, body: Mapping[str, Any], *, replica_id: int | None = None) -> None:
    """Store the body of a create, or of the list, as the conversation's own room.

    ``replica_id`` is the replica in use, where the caller knows it.
    """
    with transaction.atomic():
        entries = adopt(pk, body, replica_id=replica_id)
    announce(entries)
    rows = Conversation.objects.filter(pk=pk).order_by()
    for status, end_owed, asked in rows.values_list("status", "end_owed", "end_requested_at"):
        if end_owed or asked:
            enqueue("end_conversation", str(pk))
        if status in OVER:
            enqueue("start_queued")


def adopt(
    pk: uuid.UUID,
    body: Mapping[str, Any],
    event: WebhookEvent | None = None,
    *,
    replica_id: int | None = None,
) -> list[OutboxEntry | None]:
    """Make ``body`` the room of a launch, in the caller's transaction.

    Where another body was first the same room is completed, and another room is an orphan: it is
    written down to be ended.
    """
    values = mapping.conversation_values(body)
    now = timezone.now()
    # A callback tells neither URL nor date: should the answer be lost, they are asked for at once.
    pause = timedelta(seconds=get_settings().RECONCILE_AFTER if values["conversation_url"] else 0)
    entry = Conversation.objects.transition(
        pk,
        ConversationStatus.ACTIVE,
        event=event,
        launched_at=_launched_at(body, Coalesce("attempted_at", Value(now))),
        next_check_at=now + pause,
        synced_at=now,
        sync_state=SyncState.IN_SYNC,
        error_code="",
        error_message="",
        not_before=None,
        replica=replica_id or _replica_in_use(),
        **values,
    )
    if entry is None:
        _complete_or_disown(pk, values, body)
        return []
    entries: list[OutboxEntry | None] = [entry]
    if body.get("status") == "ended":
        entries.append(_ended_at_once(pk, body, now, event))
    return entries


def _launched_at(body: Mapping[str, Any], otherwise: Coalesce) -> Case:
    """When Tavus began to bill; ``otherwise`` if it does not say, or what cannot be.

    Leaks and budgets are counted from it: a clock that is wrong must not end a call at once, nor
    let it run for ever. What was imported has no attempt to compare it with.
    """
    told = moment(body.get("created_at"))
    if told is None or not 1971 <= told.year < 9999:  # beyond, sums of dates overflow
        return Case(default=otherwise)
    too_early = Q(created_at__gt=told + CLOCK_SKEW, attempted_at__gt=told + CLOCK_SKEW)
    too_late = Q(attempted_at__lt=told - attempt_window() - CLOCK_SKEW)
    return Case(When(too_early | too_late, then=otherwise), default=Value(told))


def _replica_in_use() -> Coalesce:
    """The replica that was asked for, else the default that the persona has at this moment."""
    persona = Persona.objects.filter(pk=OuterRef("persona"))
    return Coalesce("replica", Subquery(persona.order_by().values("default_replica")[:1]))


def _ended_at_once(
    pk: uuid.UUID, body: Mapping[str, Any], now: datetime, event: WebhookEvent | None
) -> OutboxEntry | None:
    """End what was over when it was adopted.

    ``test_mode``: made and over in one answer, and there is nothing to be asked for. Otherwise a
    room that was found too late, in the list, whose bodies have ``updated_at``.
    """
    changed_at = moment(body.get("updated_at"))
    began = F("launched_at")
    return Conversation.objects.transition(
        pk,
        ConversationStatus.ENDED,
        event=event,
        ended_at=Greatest(began, Value(min(changed_at, now))) if changed_at else began,
        next_check_at=now if changed_at else None,
    )


def _complete_or_disown(pk: uuid.UUID, values: dict[str, Any], body: Mapping[str, Any]) -> None:
    tavus_id = values["tavus_id"]
    row = Conversation.objects.filter(pk=pk).first()
    if row is None or tavus_id is None:
        return
    if row.tavus_id == tavus_id:
        complete(row, body)
    else:
        disown(pk, tavus_id)


def complete(conversation: Conversation, body: Mapping[str, Any]) -> None:
    """Fill in what ``body`` tells about the conversation's own room.

    A callback that is faster than the answer knows the id and nothing else.
    """
    values, now = mapping.conversation_values(body), timezone.now()
    given = {name: value for name, value in values.items() if value}
    began = _launched_at(body, Coalesce("launched_at", Value(now)))
    rows = Conversation.objects.filter(pk=conversation.pk)
    rows.store(**given, launched_at=began, synced_at=now, sync_state=SyncState.IN_SYNC)
    rows.filter(ended_at__lt=F("launched_at")).store(ended_at=F("launched_at"))


def disown(pk: uuid.UUID, tavus_id: str) -> None:
    """Write down that a room made for a conversation is not its room and must be ended."""
    with transaction.atomic():
        rows = Conversation.objects.filter(pk=pk)
        rows.store(end_owed=True)  # locks the row: two orphans at once are both remembered
        for row in rows:
            ids = sorted({*row.orphan_ids, tavus_id})
            rows.store(orphan_ids=ids)
    logger.warning("Conversation %s has an orphan at Tavus: %s", pk, tavus_id)
