"""The door: which rows are pushed, what is done with one, and what becomes of it if that fails."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError

from django_tavus.client import (
    ConnectionFailed,
    OutcomeUnknown,
    RateLimited,
    ServerError,
    TavusError,
)
from django_tavus.services.editable import EDITABLES
from django_tavus.services.enqueue import enqueue
from django_tavus.services.pushing.claiming import Claim, is_free
from django_tavus.services.pushing.creating import create
from django_tavus.services.pushing.deleting import delete
from django_tavus.services.pushing.errors import FailedError, NotYetError, explain
from django_tavus.services.pushing.finding import look_for
from django_tavus.services.pushing.updating import update

BATCH = 500
FRESH = timedelta(seconds=5)  # for so long the message that was sent may still be on its way


def sweep_pushes(now: datetime) -> None:
    """Enqueue every push that is owed and due."""
    for kind in EDITABLES.values():
        due = kind.model._default_manager.filter(is_free(now), push_due_at__lte=now - FRESH)
        for pk in due.order_by("push_due_at").values_list("pk", flat=True)[:BATCH]:
            enqueue("push_object", kind.name, pk)


def push(model: str, pk: int) -> None:
    """Publish one object (``persona``, ``document`` or ``replica``), if a push is owed and due."""
    kind = EDITABLES.get(model)
    claim = Claim.take(kind, pk) if kind else None
    if claim is None:
        return
    try:
        _carry_out(claim)
    except OutcomeUnknown as error:
        claim.doubt(explain(claim.row, error))
    except (ConnectionFailed, RateLimited, ServerError, NotYetError) as error:
        claim.postpone(explain(claim.row, error), error.retry_after)
    except FailedError as error:
        claim.fail(explain(claim.row, error), error.conflicts)
    except (TavusError, ValidationError) as error:
        claim.fail(explain(claim.row, error))


def _carry_out(claim: Claim) -> None:
    row = claim.row
    if not row.tavus_id and row.create_attempted_at is not None:
        look_for(claim)
    if row.delete_requested_at is not None:
        delete(claim)
        return
    if not row.tavus_id:
        create(claim)
    update(claim)
