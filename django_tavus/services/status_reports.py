"""What Tavus reports about a document or a replica, and what it does to the row.

A report has no type: its ``status`` is what it tells. Whatever order the reports come in, a row
only moves forward: a late *processing* does not take back what is ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django_tavus.models import Document, OutboxEntry, Replica, WebhookEvent
from django_tavus.models.choices import DocumentStatus, EventSource, ReplicaStatus
from django_tavus.services import claims, mapping
from django_tavus.services.claims import RejectedError

Row = Document | Replica


class Kind(NamedTuple):
    """How the reports about one model are read."""

    name: str
    columns: Mapping[str, mapping.Column]
    reported: tuple[str, ...]  # columns of which a report may speak
    early: tuple[str, ...]  # statuses before the final ones; a recrawl begins with another one
    success: str
    signals: Mapping[str, str]  # by the final status that is announced


DOCUMENT = Kind(
    name="document",
    columns=mapping.DOCUMENT_COLUMNS,
    reported=("status", "progress", "error_message", "last_crawled_at"),
    early=(DocumentStatus.STARTED, DocumentStatus.PROCESSING),
    success=DocumentStatus.READY,
    signals={DocumentStatus.READY: "document_ready", DocumentStatus.ERROR: "document_failed"},
)
REPLICA = Kind(
    name="replica",
    columns=mapping.REPLICA_COLUMNS,
    reported=("status", "training_progress", "error_message"),
    early=(ReplicaStatus.TRAINING,),
    success=ReplicaStatus.READY,
    signals={ReplicaStatus.READY: "replica_ready", ReplicaStatus.ERROR: "replica_failed"},
)

KINDS = {kind.name: kind for kind in (DOCUMENT, REPLICA)}


def without_outcome(name: str, stored: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a body tells, but not the outcome that a row of status ``stored`` waits for.

    A list or an answer that was read for another purpose would take the news from the report
    that announces it.
    """
    kind = KINDS.get(name)
    if kind is None or not stored or stored in kind.signals:
        return values
    if values.get("status") not in kind.signals:
        return values
    return {name: value for name, value in values.items() if name not in kind.reported}


def apply_report(row: Row, event: WebhookEvent) -> list[OutboxEntry | None]:
    """Apply a report to its locked ``row``; return the drafts of what it announces.

    Raises:
        RejectedError: the body names another object.
    """
    kind = DOCUMENT if isinstance(row, Document) else REPLICA
    claimed = _identify(kind, row, event)
    values = _values(kind, event)
    if _is_late(kind, row, values, event):
        values = {}
    if claimed and not row.tavus_id:
        values["tavus_id"] = claimed
    if values:
        type(row).objects.filter(pk=row.pk).store(**values)
    return _announce(kind, row, values.get("status"), event)


def _identify(kind: Kind, row: Row, event: WebhookEvent) -> str:
    claimed = claims.claimed_id(kind.name, event.payload)
    if not claimed or claimed == row.tavus_id:
        return claimed
    if row.tavus_id:
        raise RejectedError(f"It is about {claimed}, not about {row.tavus_id}.")
    if type(row).objects.filter(tavus_id=claimed).exists():
        raise RejectedError(f"It is about {claimed}, which is another {kind.name} of ours.")
    return claimed


def _values(kind: Kind, event: WebhookEvent) -> dict[str, Any]:
    body = claims.flat(event.payload)
    values: dict[str, Any] = {
        name: kind.columns[name].read(body[name]) for name in kind.reported if name in body
    }
    if values.get("status") == kind.success:  # the callback of a success does not speak of it
        values.setdefault("error_message", "")
    return values


def _is_late(kind: Kind, row: Row, values: Mapping[str, Any], event: WebhookEvent) -> bool:
    """Whether a callback was overtaken by the one that told the outcome; a GET never is."""
    overtaken = row.status in kind.signals and values.get("status") in kind.early
    return overtaken and event.source == EventSource.CALLBACK


def _announce(
    kind: Kind, row: Row, status: str | None, event: WebhookEvent
) -> list[OutboxEntry | None]:
    """Announce that a final status was reached; a recrawl reaches it anew."""
    if status is None or status == row.status or status not in kind.signals:
        return []
    signal = kind.signals[status]
    return [OutboxEntry.objects.draft(signal, row, event=event, occasion=event.pk)]
