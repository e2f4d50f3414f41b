"""Celery's doors to the services: each claims, calls one service, and does nothing else.

Arguments are ids. Messages are acknowledged late, and a task that comes twice or late finds a row
that is no longer where it could claim it. Celery retries nothing: what is tried again, and when,
is decided by the rows.
"""

from __future__ import annotations

from typing import Any

from celery import shared_task

from django_tavus.services import (
    ending,
    events,
    launching,
    polling,
    pushing,
    reconciling,
    retention,
    sweeping,
    syncing,
)

OPTIONS: dict[str, Any] = {"acks_late": True, "ignore_result": True}


@shared_task(name="django_tavus.launch_conversation", **OPTIONS)
def launch_conversation(pk: str) -> None:
    """Take a queued conversation to Tavus."""
    launching.launch(pk)


@shared_task(name="django_tavus.end_conversation", **OPTIONS)
def end_conversation(pk: str) -> None:
    """End at Tavus what is owed for a conversation."""
    ending.carry_out(pk)


@shared_task(name="django_tavus.process_event", **OPTIONS)
def process_event(pk: int) -> None:
    """Give a received event its effect."""
    events.process(pk)


@shared_task(name="django_tavus.erase_conversation", **OPTIONS)
def erase_conversation(pk: str) -> None:
    """Erase a conversation at Tavus and then here."""
    retention.erase(pk)


@shared_task(name="django_tavus.prune_expired", **OPTIONS)
def prune_expired() -> None:
    """Remove what was said longer ago than RETENTION_DAYS."""
    retention.prune()


@shared_task(name="django_tavus.sync_objects", **OPTIONS)
def sync_objects(kind: str) -> None:
    """Mirror all remote objects of one kind (a key of ``syncing.KINDS``)."""
    syncing.sync_objects(kind)


@shared_task(name="django_tavus.push_object", **OPTIONS)
def push_object(model: str, pk: int) -> None:
    """Tell Tavus what was edited of one ``persona``, ``document`` or ``replica``."""
    pushing.push(model, pk)


@shared_task(name="django_tavus.poll_objects", **OPTIONS)
def poll_objects() -> None:
    """Ask Tavus about documents and replicas that it works on."""
    polling.poll_objects()


@shared_task(name="django_tavus.sweep_intents", **OPTIONS)
def sweep_intents() -> None:
    """Find stored intents whose message was lost."""
    sweeping.sweep()


@shared_task(name="django_tavus.start_queued", **OPTIONS)
def start_queued() -> None:
    """Start the launches whose turn it is."""
    launching.start_queued()


@shared_task(name="django_tavus.reconcile_conversations", **OPTIONS)
def reconcile_conversations() -> None:
    """Ask Tavus about conversations that have been silent."""
    reconciling.reconcile()
