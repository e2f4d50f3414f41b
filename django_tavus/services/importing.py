"""Conversations that were started elsewhere: imported without an owner, and kept up to date.

A room that one of our own launches may have made is left to that launch (:mod:`adopting`): as an
import it would be nobody's, and its launch would never find it. Our own rows are only completed,
and moved forward by the same transitions as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from django_tavus.models import Conversation, Persona, Replica
from django_tavus.models.choices import ConversationStatus, SyncState
from django_tavus.models.conversation import LIVE
from django_tavus.services import mapping, recognizing, tokens
from django_tavus.services.announcing import announce
from django_tavus.services.enqueue import enqueue
from django_tavus.services.moments import moment
from django_tavus.services.reports import LONGEST_ID, SyncReport, describe, read_id
from django_tavus.services.upserting import conflict_target, ensure_rows

Body = Mapping[str, Any]

# Everything that is not a room one can enter is over; Tavus documents only these two.
STATUS = {"active": ConversationStatus.ACTIVE, "ended": ConversationStatus.ENDED}


def store_page(bodies: Sequence[Body], report: SyncReport) -> None:
    """Mirror one page of conversations; those that cannot be stored are named in ``report``."""
    found = _read(bodies, report)
    # In this order: a launch that is answered in between is seen in one of the two.
    launching = _launching()
    old = _old_rows(found)
    known = {tavus_id: body for tavus_id, body in found.items() if tavus_id in old}
    foreign = {
        tavus_id: body
        for tavus_id, body in found.items()
        if tavus_id not in old and not _is_ours(body, launching)
    }
    try:
        report.written += _import(foreign) + _complete(known, old)
    except DatabaseError:
        _store_each(foreign, known, old, report)
    else:
        report.stored += len(found)


def _store_each(
    foreign: Mapping[str, Body],
    known: Mapping[str, Body],
    old: Mapping[str, Conversation],
    report: SyncReport,
) -> None:
    for tavus_id, body in {**foreign, **known}.items():
        try:
            one = {tavus_id: body}
            report.written += _complete(one, old) if tavus_id in old else _import(one)
        except DatabaseError:
            report.failed.append(tavus_id)
        else:
            report.stored += 1


def _read(bodies: Iterable[Body], report: SyncReport) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for body in bodies:
        try:
            tavus_id = read_id(body, "conversation_id")
            mapping.keep(body)
        except (RecursionError, ValueError, TypeError):
            report.failed.append(describe(body, "conversation_id"))
        else:
            found[tavus_id] = dict(body)
    return found


def _launching() -> list[Conversation]:
    rows = Conversation.objects.select_related("persona__default_replica", "replica")
    # One that waits for its second attempt may have a room of its first.
    open_attempt = Q(status=ConversationStatus.LAUNCHING)
    open_attempt |= Q(status=ConversationStatus.QUEUED, attempts__gt=0)
    return list(rows.filter(open_attempt, tavus_id__isnull=True))


def _is_ours(body: Body, launching: Iterable[Conversation]) -> bool:
    """Whether a launch of this site made the room, or may have made it."""
    subject = tokens.subject_of_url(body.get("callback_url"))
    if subject is not None:
        return subject.kind == "conversation"
    return any(
        recognizing.is_ours(row, body) or recognizing.resembles(row, body) for row in launching
    )


def _old_rows(found: Mapping[str, Body]) -> dict[str, Conversation]:
    columns = (
        "tavus_id",
        "remote",
        "status",
        "sync_state",
        "attempts",
        "launched_at",
        "conversation_name",
        "conversation_url",
        "persona_id",
        "replica_id",
    )
    rows = Conversation.objects.filter(tavus_id__in=found).order_by().only(*columns)
    return {str(row.tavus_id): row for row in rows}


# --- import -------------------------------------------------------------------------------------


def _import(bodies: Mapping[str, Body]) -> int:
    if not bodies:
        return 0
    personas, replicas = _relations(bodies.values())
    now = timezone.now()
    rows = [_row(tavus_id, body, personas, replicas, now) for tavus_id, body in bodies.items()]
    Conversation.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=["synced_at"],
        unique_fields=conflict_target(Conversation),
    )
    return len(rows)


def _relations(bodies: Iterable[Body]) -> tuple[dict[str, int], dict[str, int]]:
    bodies = list(bodies)
    keys = ensure_rows(
        {
            Persona: {_id(body, "persona_id") for body in bodies},
            Replica: {_id(body, "replica_id") for body in bodies},
        }
    )
    return keys[Persona], keys[Replica]


def _id(body: Body, name: str) -> str:
    return mapping.text(body.get(name), LONGEST_ID)


def _row(
    tavus_id: str,
    body: Body,
    personas: Mapping[str, int],
    replicas: Mapping[str, int],
    now: datetime,
) -> Conversation:
    status = STATUS.get(mapping.text(body.get("status")), ConversationStatus.ENDED)
    began = moment(body.get("created_at"))
    row = Conversation(
        tavus_id=tavus_id,
        status=status,
        conversation_name=mapping.text(body.get("conversation_name"), 255),
        conversation_url=mapping.text(body.get("conversation_url")),
        persona_id=personas.get(_id(body, "persona_id")),
        replica_id=replicas.get(_id(body, "replica_id")),
        created_at=began or now,
        remote=mapping.keep(body),
        sync_state=SyncState.IN_SYNC,
        synced_at=now,
        updated_at=now,
    )
    row.launched_at = began
    if status == ConversationStatus.ENDED:
        row.ended_at = _ended_at(body, began or now)
    else:
        row.next_check_at = now  # it holds a slot until reconciling sees its end
    return row


def _ended_at(body: Body, began: datetime | None) -> datetime:
    """When it ended, by the last change that Tavus shows; never before it began."""
    at = moment(body.get("updated_at")) or timezone.now()
    return max(at, began) if began else at


# --- complete -----------------------------------------------------------------------------------


def _complete(bodies: Mapping[str, Body], old: Mapping[str, Conversation]) -> int:
    """Complete known rows; return how many changed."""
    if not bodies:
        return 0
    now = timezone.now()
    pks = [old[tavus_id].pk for tavus_id in bodies]
    Conversation.objects.filter(pk__in=pks).update(synced_at=now)
    lacking = {
        tavus_id: body
        for tavus_id, body in bodies.items()
        if old[tavus_id].persona_id is None or old[tavus_id].replica_id is None
    }
    personas, replicas = _relations(lacking.values())
    changed = [
        old[tavus_id]
        for tavus_id, body in bodies.items()
        if _completed(old[tavus_id], body, personas, replicas)
    ]
    if changed:
        Conversation.objects.bulk_update(changed, COMPLETED)
    for tavus_id, body in bodies.items():
        if STATUS.get(mapping.text(body.get("status"))) == ConversationStatus.ENDED:
            _end(old[tavus_id], body, now)
    return len(changed)


COMPLETED = (
    "remote",
    "sync_state",
    "conversation_name",
    "conversation_url",
    "persona_id",
    "replica_id",
)


def _completed(
    row: Conversation, body: Body, personas: Mapping[str, int], replicas: Mapping[str, int]
) -> bool:
    """Fill what is empty in ``row``; return whether anything was."""
    before = [getattr(row, name) for name in COMPLETED]
    # A list tells less than the verbose body that may lie here.
    row.remote = {**row.remote, **mapping.keep(body)}
    row.sync_state = SyncState.IN_SYNC
    row.conversation_name = row.conversation_name or mapping.text(
        body.get("conversation_name"), 255
    )
    row.conversation_url = row.conversation_url or mapping.text(body.get("conversation_url"))
    row.persona_id = row.persona_id or personas.get(_id(body, "persona_id"))
    row.replica_id = row.replica_id or replicas.get(_id(body, "replica_id"))
    return before != [getattr(row, name) for name in COMPLETED]


def _end(row: Conversation, body: Body, now: datetime) -> None:
    """Move a live row forward; of our own ones reconciling then fetches what was missed."""
    if row.status not in LIVE:
        return
    began = row.launched_at or mapping.launched_at(body, now)
    ours: dict[str, Any] = {"next_check_at": now, "checks_made": 0} if row.attempts else {}
    entry = Conversation.objects.transition(
        row.pk,
        ConversationStatus.ENDED,
        launched_at=began,
        ended_at=_ended_at(body, began),
        **ours,
    )
    announce([entry])
    if entry is not None:
        enqueue("start_queued")
