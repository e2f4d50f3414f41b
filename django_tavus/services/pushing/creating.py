"""Creating: that it was tried is known before the first byte is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.client import OutcomeUnknown, TavusError
from django_tavus.models import Document, Persona, Replica
from django_tavus.models.base import PolledObject
from django_tavus.services import documents, mapping, merging, patching, secrets, tokens
from django_tavus.services.editable import PERSONA
from django_tavus.services.pushing.claiming import Claim
from django_tavus.services.pushing.errors import NotYetError

Body = dict[str, Any]


def create(claim: Claim) -> None:
    """Make it at Tavus.

    Raises:
        NotYetError: something that it refers to is not at Tavus yet.
        OutcomeUnknown: perhaps it was made; ``create_attempted_at`` stays set.
        TavusError: it certainly was not.
    """
    wait_for_relations(claim.row)
    body = REQUESTS[claim.kind.name](claim.row)
    _note_attempt(claim, body)
    try:
        answer = claim.resource.create(**body)
    except OutcomeUnknown:
        raise
    except TavusError:
        claim.unmade.update(create_attempted_at=None, remote={})
        raise
    adopt(claim, answer)
    if isinstance(claim.row, Persona):
        _note_secrets_sent(claim)


def _note_attempt(claim: Claim, body: Body) -> None:
    row = claim.row
    row.create_attempted_at = timezone.now()
    row.remote = mapping.keep(body, claim.kind.plain)  # what both sides will come from
    claim.unmade.update(
        create_attempted_at=row.create_attempted_at, creates=F("creates") + 1, remote=row.remote
    )


def _note_secrets_sent(claim: Claim) -> None:
    """Remember that Tavus knows every secret of the layers that were sent."""
    row = claim.row
    values = secrets.unseal(row.layer_secrets).get("values", {})
    row.layer_secrets = secrets.seal({"values": values, "unsent": []} if values else {})
    claim.rows.filter(revision=row.revision).update(layer_secrets=row.layer_secrets)


def wait_for_relations(row: Any) -> None:
    """Refuse to push a persona before what it refers to has an id at Tavus.

    Raises:
        NotYetError: naming what is missing.
    """
    if not isinstance(row, Persona):
        return
    waiting: list[Any] = list(row.documents.filter(tavus_id__isnull=True))
    if row.default_replica is not None and not row.default_replica.tavus_id:
        waiting.append(row.default_replica)
    if waiting:
        names = ", ".join(str(one) for one in waiting)
        raise NotYetError(_("Waits until these are at Tavus: %(names)s.") % {"names": names})


# --- what is sent -------------------------------------------------------------------------------


def _persona_request(row: Persona) -> Body:
    version = PERSONA.of_row(row)
    known = secrets.unseal(row.layer_secrets).get("values", {})
    version["layers"] = secrets.fill(row.layers, "", known)
    patching.check_no_mask({"layers": version["layers"]})
    return {name: value for name, value in version.items() if not merging.is_empty(value)}


def _document_request(row: Document) -> Body:
    url = documents.source_url(row)
    return {"document_url": url, **_filled(row, "document_name", "tags", "crawl")}


def _replica_request(row: Replica) -> Body:
    return _filled(
        row,
        "replica_name",
        "model_name",
        "train_video_url",
        "train_image_url",
        "voice_name",
        "consent_video_url",
    )


def _filled(row: Document | Replica, *names: str) -> Body:
    """Return the columns that are not empty, and where Tavus is to call when it is done."""
    body = {name: getattr(row, name) for name in names}
    body["callback_url"] = tokens.callback_url(row)
    return {name: value for name, value in body.items() if value}


REQUESTS: dict[str, Callable[[Any], Body]] = {
    "persona": _persona_request,
    "document": _document_request,
    "replica": _replica_request,
}


# --- what is answered ---------------------------------------------------------------------------


def adopt(claim: Claim, answer: Mapping[str, Any]) -> None:
    """Make the remote object the row's own; a mirror that a sync made of it is taken in."""
    row, model = claim.row, claim.kind.model
    tavus_id = mapping.text(answer.get(claim.kind.id_key), 128)
    polled = {"next_poll_at": timezone.now(), "polls": 0} if isinstance(row, PolledObject) else {}
    with transaction.atomic():
        claim.rows.store()  # a write, which locks the row
        for double in model._default_manager.filter(tavus_id=tavus_id).exclude(pk=row.pk):
            _absorb(double, row)
        claim.rows.update(tavus_id=tavus_id, **polled)
    row.tavus_id = tavus_id


def _absorb(double: Any, row: Any) -> None:
    for relation in double._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and not relation.many_to_many:
            model, name = relation.related_model, relation.field.name
            model._default_manager.filter(**{name: double}).update(**{name: row})
    double.delete()
