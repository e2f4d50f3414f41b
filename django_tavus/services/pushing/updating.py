"""Updating: base, ours and a fresh theirs are compared; what only we changed is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.client import Conflict, NotFound, RateLimited
from django_tavus.models import Document, Persona
from django_tavus.models.choices import DocumentStatus, SyncState
from django_tavus.services import (
    documents,
    mapping,
    merging,
    patching,
    polling,
    publishing,
    secrets,
)
from django_tavus.services.editable import Version
from django_tavus.services.pushing.claiming import Claim
from django_tavus.services.pushing.creating import wait_for_relations
from django_tavus.services.pushing.errors import FailedError, explain
from django_tavus.services.status_reports import without_outcome

Body = Mapping[str, Any]
Columns = dict[str, Any]

SETTLED: dict[str, Any] = {
    "sync_state": SyncState.IN_SYNC,
    "sync_error": "",
    "conflicts": [],
    "push_due_at": None,
    "pushing_until": None,
    "push_attempts": 0,
}


def update(claim: Claim) -> None:
    """Send what only we changed, and take over the rest.

    Raises:
        NotYetError: something that it refers to is not at Tavus yet.
        FailedError: both sides changed the same, or Tavus refuses a recrawl.
        TavusError: the next comparison shows whether it was changed.
    """
    kind, row = claim.kind, claim.row
    try:
        body = claim.resource.get(row.tavus_id)
    except NotFound:
        message = _("This no longer exists at Tavus.")
        claim.release(sync_state=SyncState.GONE, sync_error=message, push_due_at=None)
        return
    wait_for_relations(row)
    ours, theirs = kind.of_row(row), kind.of_body(body)
    merged = _merge(kind.of_body(row.remote), ours, theirs)
    kept = mapping.keep(body, kind.plain)
    target = patching.target(kept, theirs, merged)
    told = kind.values(body)
    news = without_outcome(kind.name, getattr(row, "status", ""), told)
    columns = {**news, **kind.as_columns(merged), "remote": target}
    columns |= _send(claim, body, kept, target)
    columns |= _recrawl(claim)
    _settle(claim, ours, merged, columns)
    if news is not told and "status" not in columns:
        polling.feed(kind, row.pk, kept)


def _merge(base: Version, ours: Version, theirs: Version) -> Version:
    merge = merging.merge(base, ours, theirs)
    if merge.conflicts:
        paths = ", ".join(conflict.path for conflict in merge.conflicts)
        raise FailedError(
            _("Changed here and at Tavus: %(members)s.") % {"members": paths},
            [conflict.as_json() for conflict in merge.conflicts],
        )
    return merge.merged


def _settle(claim: Claim, ours: Version, merged: Version, columns: Columns) -> None:
    """Note that both sides agree; if somebody edited meanwhile, note on what they agree."""
    row = claim.row
    unedited = claim.rows.filter(revision=row.revision, delete_requested_at=None)
    with transaction.atomic():
        if not unedited.store(**SETTLED, synced_at=timezone.now(), **columns):
            claim.push_again(remote=_agreed(claim, ours, columns["remote"]))
        elif claim.kind.relations:
            claim.rows.update(**publishing.link(row, merged))


def _agreed(claim: Claim, ours: Version, theirs: dict[str, Any]) -> dict[str, Any]:
    of_body, remote = claim.kind.of_body, claim.row.remote
    return {**remote, **merging.agreed(of_body(remote), ours, of_body(theirs))}


# --- what is sent ---------------------------------------------------------------------------------


def _send(claim: Claim, body: Body, kept: Body, target: Body) -> Columns:
    """Send what of ``kept`` (the ``body`` that Tavus shows, as stored) differs in ``target``.

    Each kind of object is changed in its own way. Returns the columns that change with it.
    """
    if isinstance(claim.row, Persona):
        return _patch_persona(claim, body, kept, target)
    changed = {
        name: target.get(name)
        for name in claim.kind.columns
        if not merging.alike(kept.get(name), target.get(name))
    }
    if changed and isinstance(claim.row, Document):
        claim.resource.update(claim.row.tavus_id, **changed)
    elif changed:
        claim.resource.rename(claim.row.tavus_id, changed["replica_name"])
    return {}


def _patch_persona(claim: Claim, body: Body, kept: Body, target: Body) -> Columns:
    sealed = secrets.unseal(claim.row.layer_secrets)
    echoed = body.get("layers")
    keys = patching.Keys(
        values=sealed.get("values", {}),
        unsent=sealed.get("unsent", []),
        echoed=echoed if isinstance(echoed, Mapping) else {},
    )
    for operations in patching.patches(kept, target, keys):
        claim.resource.update(claim.row.tavus_id, operations)
    if not keys.unsent:
        return {}
    return {"layer_secrets": secrets.seal({"values": keys.values, "unsent": []})}


def _recrawl(claim: Claim) -> Columns:
    """Ask for the recrawl that is wished for; a refusal is told and not asked for again."""
    row = claim.row
    if not isinstance(row, Document) or row.recrawl_requested_at is None:
        return {}
    now = timezone.now()
    try:
        claim.resource.recrawl(row.tavus_id)
    except (RateLimited, Conflict) as error:
        wait = timedelta(seconds=error.retry_after or 0)
        claim.rows.update(recrawl_after=now + wait)
        raise FailedError(explain(row, error)) from None
    return {
        "recrawl_requested_at": None,
        "recrawl_after": now + documents.COOLDOWN,
        "status": DocumentStatus.RECRAWLING,
        "progress": None,
        "next_poll_at": now,
        "polls": 0,
    }
