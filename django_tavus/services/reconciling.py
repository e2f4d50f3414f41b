"""Reconciling: what Tavus knows and did not tell us is fetched.

Callbacks come once, twice or never. Whatever a verbose GET shows walks in through the same door,
with the same keys, as if it had been called back. With an empty ``PUBLIC_URL`` this is all there
is, and it is enough.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q
from django.utils import timezone

from django_tavus.client import NotFound, TavusClient, TavusError
from django_tavus.conf import get_settings
from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus, EventSource, SyncState
from django_tavus.models.conversation import OVER, ConversationQuerySet
from django_tavus.services import (
    adopting,
    capacity,
    doubting,
    effects,
    events,
    integrity,
    recognizing,
)
from django_tavus.services.announcing import announce
from django_tavus.services.clients import get_client
from django_tavus.services.ending import end_conversation
from django_tavus.services.enqueue import enqueue
from django_tavus.services.moments import moment
from django_tavus.services.tokens import Subject

logger = logging.getLogger("django_tavus.reconciling")

GIVE_UP_AFTER = timedelta(hours=72)  # transcripts come within minutes, perception rarely later
LONGEST_INTERVAL = timedelta(hours=6)
OVERTIME = timedelta(seconds=120)  # past max_call_duration by our clock
AWAY = timedelta(seconds=60)  # since everybody left without coming back
BATCH = 200


def reconcile(now: datetime | None = None) -> int:
    """Check every conversation that is due; return how many were checked."""
    now = now or timezone.now()
    end_leaks(now)
    disown_orphans(now)
    due = Conversation.objects.filter(next_check_at__lte=now).order_by("next_check_at")
    pks = [pk for pk in due.values_list("pk", flat=True)[:BATCH] if _claim(pk, now)]
    for pk in pks:
        try:
            check(Conversation.objects.get(pk=pk), now)
        except TavusError as error:
            logger.warning("Could not check conversation %s: %s", pk, error)
        except Conversation.DoesNotExist:
            continue
        except Exception:  # one that cannot be understood must not keep the others from being seen
            logger.exception("Conversation %s could not be checked", pk)
    return len(pks)


def look_now(conversation: Conversation) -> bool:
    """Have the room of a doubtful launch looked for at once; false if it is not in doubt.

    Talks no HTTP: the wish is stored as a check that is due.
    """
    doubtful = Conversation.objects.filter(
        pk=conversation.pk,
        status=ConversationStatus.LAUNCHING,
        tavus_id__isnull=True,
        error_code="outcome_unknown",
    )
    if not doubtful.store(next_check_at=timezone.now()):
        return False
    enqueue("reconcile_conversations")
    return True


def _claim(pk: Any, now: datetime) -> bool:
    """Put the next check off, which also keeps a second worker from making this one."""
    pause = timedelta(seconds=get_settings().RECONCILE_AFTER)
    return bool(
        Conversation.objects.filter(pk=pk, next_check_at__lte=now).update(
            next_check_at=now + pause, checks_made=F("checks_made") + 1
        )
    )


def check(conversation: Conversation, now: datetime) -> None:
    """Bring one conversation up to what Tavus knows.

    Raises:
        TavusError: Tavus did not answer.
    """
    if conversation.status == ConversationStatus.LAUNCHING:
        doubting.settle(conversation.pk)
    elif conversation.tavus_id:
        fetch(conversation, get_client())
        conversation.refresh_from_db()
        _plan_next_check(conversation, now)
    else:  # over before it had a room: there is nothing to ask about
        rows = Conversation.objects.over().filter(pk=conversation.pk, tavus_id__isnull=True)
        rows.update(next_check_at=None)


def fetch(conversation: Conversation, client: TavusClient) -> None:
    """Feed the events of a verbose GET through the door of the callbacks.

    Raises:
        TavusError: Tavus did not answer.
    """
    try:
        body = client.conversations.get(str(conversation.tavus_id), verbose=True)
    except NotFound:
        _vanished(conversation)
        return
    listed = body.get("events")
    told = _mappings(listed)
    for event in told:
        feed(conversation, event)
    _complete(conversation, body)
    shutdown = next((e for e in told if e.get("event_type") == "system.shutdown"), None)
    if shutdown is not None:
        effects.correct_end(conversation.pk, shutdown)


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def feed(conversation: Conversation, event: Mapping[str, Any]) -> None:
    """Record and process one fetched event; it lacks the conversation's id, which we know."""
    body = {**event, "conversation_id": conversation.tavus_id}
    try:
        stored = events.record(
            Subject("conversation", conversation.pk), body, source=EventSource.RECONCILE
        )
    except IntegrityError as error:
        if integrity.reason(error) is None:
            raise
        return
    events.process(stored.pk)


def _complete(conversation: Conversation, body: Mapping[str, Any]) -> None:
    """Take over what the body says beside its events: the URL, and that it is over."""
    # The events have rows of their own, with their own permission and their own retention.
    adopting.complete(conversation, {k: v for k, v in body.items() if k != "events"})
    if body.get("status") == "ended":
        _over(conversation, moment(body.get("updated_at")), "")
    elif body.get("status") == "active":
        # Over here and running there, whatever made us believe its end: the meter must stop.
        over = Conversation.objects.over().filter(pk=conversation.pk, end_owed=False)
        if over.store(end_owed=True):
            enqueue("end_conversation", str(conversation.pk))


def _vanished(conversation: Conversation) -> None:
    """A conversation that Tavus no longer knows costs nothing any more."""
    Conversation.objects.filter(pk=conversation.pk).store(sync_state="gone", next_check_at=None)
    _over(conversation, None, "gone")


def _over(conversation: Conversation, at: datetime | None, reason: str) -> None:
    entry = Conversation.objects.transition(
        conversation.pk,
        ConversationStatus.ENDED,
        ended_at=effects.ended_at(conversation, at),
        shutdown_reason=reason,
        checks_made=0,
    )
    announce([entry])
    if entry is not None:
        enqueue("start_queued")


def _plan_next_check(conversation: Conversation, now: datetime) -> None:
    """Active ones are checked after silence; ended ones ever more rarely, for 72 hours."""
    rows = Conversation.objects.filter(pk=conversation.pk)
    pause = timedelta(seconds=get_settings().RECONCILE_AFTER)
    if conversation.status == ConversationStatus.ACTIVE:
        rows.update(next_check_at=now + pause)
    elif (
        is_complete(conversation)
        or conversation.sync_state == SyncState.GONE
        or _too_old(conversation, now)
    ):
        rows.update(next_check_at=None)
    else:
        grown = min(pause * 2 ** min(conversation.checks_made, 16), LONGEST_INTERVAL)
        rows.update(next_check_at=now + grown)


def is_complete(conversation: Conversation) -> bool:
    """Whether everything that Tavus may send about an ended conversation has come."""
    if conversation.test_mode:  # nobody was ever in it
        return conversation.is_over
    return (
        conversation.is_over
        and conversation.shutdown_seen
        and conversation.turns is not None
        and bool(conversation.perception_analysis)
    )


def _too_old(conversation: Conversation, now: datetime) -> bool:
    return conversation.ended_at is not None and now - conversation.ended_at > GIVE_UP_AFTER


def disown_orphans(now: datetime) -> None:
    """Look among the running rooms for those that a doubtful attempt made after all.

    Asked only while some launch of the last day was attempted twice, or was given up or cancelled
    without a room. Callbacks would tell too, but they may not come.
    """
    # Not those whose room is still being asked for: theirs is about to be adopted.
    twice = Q(attempts__gt=1, tavus_id__isnull=False)
    without = Q(attempts__gt=0, tavus_id__isnull=True, status__in=OVER)
    lately = Conversation.objects.filter(attempted_at__gt=now - timedelta(days=1))
    suspects = {row.pk: row for row in lately.filter(twice | without)}
    if not suspects:
        return
    try:
        running = list(get_client().conversations.iterate(status="active"))
    except TavusError as error:
        logger.warning("Could not look for orphans: %s", error)
        return
    for body in running:
        for row in suspects.values():
            if body.get("conversation_id") != row.tavus_id and recognizing.is_ours(row, body):
                adopting.disown(row.pk, str(body["conversation_id"]))
                enqueue("end_conversation", str(row.pk))


def end_leaks(now: datetime) -> None:
    """End what runs past its time by our clock, what everybody left, and what nobody can enter."""
    left = Q(left_at__lt=now - AWAY) & (Q(polled_at__isnull=True) | Q(polled_at__lt=F("left_at")))
    # We end only what is ours: what was imported has never been attempted here.
    active = Conversation.objects.active().filter(end_requested_at__isnull=True, attempts__gt=0)
    for conversation in active.filter(left)[:BATCH]:
        end_conversation(conversation)
    _end_closed(active, now)
    # All of them, oldest first: how long each may last stands in its properties.
    for conversation in list(active.filter(launched_at__lt=now - OVERTIME).order_by("launched_at")):
        if conversation.launched_at is None:
            continue
        limit = timedelta(seconds=capacity.call_seconds(conversation)) + OVERTIME
        if conversation.launched_at < now - limit:
            end_conversation(conversation)


def _end_closed(active: ConversationQuerySet, now: datetime) -> None:
    """End private rooms whose token will not come: a callback told of them, and no answer did."""
    answered = now - recognizing.attempt_window()  # by then, if ever
    private = active.filter(require_auth=True, meeting_token="")
    for conversation in private.filter(attempted_at__lt=answered)[:BATCH]:
        rows = Conversation.objects.active().filter(pk=conversation.pk, meeting_token="")
        if rows.store(error_code="outcome_unknown", error_message=doubting.lost_token()):
            end_conversation(conversation)
