"""Deleting: at Tavus, then here."""

from __future__ import annotations

import logging

from django.db import transaction

from django_tavus.client import NotFound
from django_tavus.models.choices import SyncState
from django_tavus.services.pushing.claiming import Claim

logger = logging.getLogger("django_tavus.publishing")


def delete(claim: Claim) -> None:
    """Delete at Tavus, then here, with the file that was uploaded here."""
    if claim.row.tavus_id and claim.row.sync_state != SyncState.GONE:
        _delete_there(claim)
    file = getattr(claim.row, "file", None)
    with transaction.atomic():
        claim.rows.delete()
        if file:
            transaction.on_commit(lambda: file.storage.delete(file.name), robust=True)


def _delete_there(claim: Claim) -> None:
    hard = {"hard": True} if claim.row.delete_hard else {}  # only replicas can be erased
    try:
        claim.resource.delete(claim.row.tavus_id, **hard)
    except NotFound:
        logger.info("%s %s was gone already", claim.kind.name, claim.row.pk)
