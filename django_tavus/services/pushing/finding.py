"""Finding: whether a create succeeded whose answer was lost is seen in the list of Tavus."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.client import OutcomeUnknown
from django_tavus.conf import get_settings
from django_tavus.models import Document
from django_tavus.models.choices import ObjectType
from django_tavus.services import merging, tokens
from django_tavus.services.moments import moment
from django_tavus.services.pushing.claiming import Claim
from django_tavus.services.pushing.creating import adopt
from django_tavus.services.pushing.errors import FailedError

MAX_CREATES = 2
CLOCK_SKEW = timedelta(seconds=60)  # by which Tavus's clock may be behind ours

Body = Mapping[str, Any]


def look_for(claim: Claim) -> None:
    """Find out in the list whether an earlier create succeeded.

    Returns with an id on the row, or with ``create_attempted_at`` cleared: it may be made.

    Raises:
        OutcomeUnknown: too early to say.
        FailedError: a person has to say.
    """
    begun = timezone.now()
    found = _candidates(claim, _listed(claim))
    if len(found) == 1:
        adopt(claim, found[0])
        return
    if found:
        raise FailedError(_("outcome_unknown: several objects at Tavus may be this one."))
    if begun <= claim.row.create_attempted_at + _patience():
        raise OutcomeUnknown(_("It is not known whether Tavus has made this."))
    if claim.row.delete_requested_at is None and not _may_be_repeated(claim):
        raise FailedError(
            _(
                "outcome_unknown: Tavus did not answer when this was created, and does not list "
                "it. Look there before you create it again."
            )
        )
    claim.row.create_attempted_at = None
    claim.unmade.update(create_attempted_at=None)


def _listed(claim: Claim) -> list[Body]:
    field = claim.kind.type_field
    filters = {field: ObjectType.USER.value} if field else {}
    return list(claim.resource.iterate(**filters))


def _patience() -> timedelta:
    """Return how long after an attempt a list may still lack what it made."""
    settings = get_settings()
    return timedelta(seconds=settings.request_seconds + settings.RECONCILE_AFTER)


def _may_be_repeated(claim: Claim) -> bool:
    """Whether what the list lacks was certainly not made, and was not tried too often."""
    return _has_key(claim) and claim.row.creates < MAX_CREATES


def _has_key(claim: Claim) -> bool:
    """Whether the list shows something by which ours can be told from every other.

    Only documents show the callback URL that they were given.
    """
    return isinstance(claim.row, Document) and bool(claim.row.remote.get("callback_url"))


def _candidates(claim: Claim, listed: list[Body]) -> list[Body]:
    ours = (claim.kind.name, claim.row.pk)
    keyed = [one for one in listed if tokens.subject_of_url(one.get("callback_url")) == ours]
    if keyed or _has_key(claim):
        return keyed
    known, key = _known_before(claim, listed), claim.kind.id_key
    return [one for one in listed if one.get(key) not in known and _resembles(claim, one)]


def _known_before(claim: Claim, listed: list[Body]) -> set[str | None]:
    """Return the ids of what was mirrored here before the attempt.

    Mirrors that a sync made since then are candidates too.
    """
    ids = [one[claim.kind.id_key] for one in listed if one.get(claim.kind.id_key)]
    rows = claim.kind.model._default_manager.filter(
        tavus_id__in=ids, created_at__lt=claim.row.create_attempted_at
    )
    return set(rows.values_list("tavus_id", flat=True))


def _resembles(claim: Claim, body: Body) -> bool:
    """Whether it was made since the attempt, with the name and the texts that were sent."""
    row, name = claim.row, f"{claim.kind.name}_name"
    began = moment(body.get("created_at"))
    asked = row.remote.get(name) or None
    return (
        began is not None
        and began >= row.create_attempted_at - CLOCK_SKEW
        and (asked is None or body.get(name) == asked)
        and all(
            merging.alike(body[member], row.remote.get(member))
            for member in ("system_prompt", "document_url")
            if member in body
        )
    )
