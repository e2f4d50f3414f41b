"""Pushing: the task that tells Tavus what was edited here.

Whoever comes to a row claims it by a conditional UPDATE and does one thing: delete, create, or
compare three versions and send what only we changed. Every step may be repeated: a patch that got
lost shows in the next comparison, and a create whose outcome is unknown is looked for in the list
instead of being made again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.client import (
    Conflict,
    ConnectionFailed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    ServerError,
    TavusClient,
    TavusError,
    parse_datetime,
    redact,
)
from django_tavus.conf import get_settings
from django_tavus.models import Document, Persona, Replica
from django_tavus.models.choices import DocumentStatus, ObjectType, SyncState
from django_tavus.services import documents, mapping, merging, patching, publishing, secrets, tokens
from django_tavus.services.clients import get_client
from django_tavus.services.editable import EDITABLES, Editable
from django_tavus.services.enqueue import enqueue

logger = logging.getLogger("django_tavus.publishing")

BACKOFF = (10, 30, 120, 600, 1800, 3600)  # seconds before the next try
MAX_ATTEMPTS = 8
MAX_CREATES = 2
CLOCK_SKEW = timedelta(seconds=60)  # by which Tavus's clock may be behind ours
BATCH = 500
FRESH = timedelta(seconds=5)  # for so long the message that was sent may still be on its way


class NotYetError(Exception):
    """Something that it refers to has to be published first."""


class FailedError(Exception):
    """It cannot be published; a person has to look at it."""

    def __init__(self, message: str, conflicts: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.conflicts = conflicts or []


# --- the door -----------------------------------------------------------------------------------


def sweep_pushes(now: datetime) -> None:
    """Enqueue every push that is owed and due."""
    for kind in EDITABLES.values():
        due = kind.model._default_manager.filter(_free(now), push_due_at__lte=now - FRESH)
        for pk in due.order_by("push_due_at").values_list("pk", flat=True)[:BATCH]:
            enqueue("push_object", kind.name, pk)


def push(model: str, pk: int) -> None:
    """Publish one object (``persona``, ``document`` or ``replica``), if a push is owed and due."""
    kind = EDITABLES.get(model)
    row = _claim(kind, pk) if kind else None
    if kind is None or row is None:
        return
    try:
        _carry_out(kind, row, get_client())
    except OutcomeUnknown as error:
        _doubt(kind, row, _sentence(row, error))
    except (ConnectionFailed, RateLimited, ServerError) as error:
        _postpone(kind, row, _sentence(row, error), error.retry_after)
    except NotYetError as error:
        _postpone(kind, row, str(error), None)
    except TavusError as error:
        _fail(kind, row, _sentence(row, error))
    except FailedError as error:
        _fail(kind, row, str(error), error.conflicts)
    except ValidationError as error:
        _fail(kind, row, _told(error))


def _told(error: ValidationError) -> str:
    """Return the messages of a refusal of our own, with the fields that they are about."""
    if hasattr(error, "error_dict"):
        return " ".join(f"{name}: {' '.join(told)}" for name, told in error.message_dict.items())
    return " ".join(error.messages)


def _free(now: datetime) -> Q:
    return Q(pushing_until__isnull=True) | Q(pushing_until__lt=now)


def _claim(kind: Editable, pk: int) -> Any:
    """Take a row for as long as the slowest push may last; ``None`` if it is not to be had."""
    now = timezone.now()
    # Up to three requests, each of which may be repeated twice and told to wait.
    lease = timedelta(seconds=9 * (get_settings().request_seconds + 30))
    rows = kind.model._default_manager.filter(pk=pk)
    claimed = rows.filter(_free(now), push_due_at__lte=now).update(
        pushing_until=now + lease, push_attempts=F("push_attempts") + 1
    )
    return rows.first() if claimed else None


def _carry_out(kind: Editable, row: Any, client: TavusClient) -> None:
    resource = getattr(client, kind.resource)
    if not row.tavus_id and row.create_attempted_at is not None:
        _look_for(kind, row, resource)
    if row.delete_requested_at is not None:
        _delete(kind, row, resource)
        return
    if not row.tavus_id:
        _create(kind, row, resource)
    _update(kind, row, resource)


# --- outcomes -----------------------------------------------------------------------------------


def _settle(kind: Editable, row: Any, agreed: dict[str, Any], columns: dict[str, Any]) -> None:
    """Note that both sides agree; if somebody edited meanwhile, note on what they agree."""
    rows = kind.model._default_manager.filter(pk=row.pk)
    now = timezone.now()
    done: dict[str, Any] = {
        "sync_state": SyncState.IN_SYNC,
        "sync_error": "",
        "conflicts": [],
        "push_due_at": None,
        "pushing_until": None,
        "push_attempts": 0,
        "synced_at": now,
        "updated_at": now,
    }
    with transaction.atomic():
        settled = rows.filter(pk=row.pk, revision=row.revision, delete_requested_at=None).update(
            **done, **columns
        )
        if settled and kind.relations:
            values = publishing.link(row, agreed["links"])
            rows.update(**values)
        if not settled:
            base = merging.agreed(
                kind.of_body(row.remote), agreed["ours"], kind.of_body(columns["remote"])
            )
            remote = {**row.remote, **base}
            rows.update(pushing_until=None, remote=remote, updated_at=now)
            enqueue("push_object", kind.name, row.pk)


def _release(kind: Editable, row: Any, **values: Any) -> None:
    """Let go of a row whose push did not succeed; a newer edit keeps its own due date."""
    rows = kind.model._default_manager.filter(pk=row.pk)
    now = timezone.now()
    free = {"pushing_until": None, "updated_at": now}
    if not rows.filter(revision=row.revision).update(**free, **values):
        rows.update(**free)
        enqueue("push_object", kind.name, row.pk)


def _postpone(kind: Editable, row: Any, message: str, wait: float | None) -> None:
    if row.push_attempts >= MAX_ATTEMPTS:
        _fail(kind, row, message)
        return
    seconds = max(BACKOFF[min(row.push_attempts, len(BACKOFF)) - 1], wait or 0)
    due = timezone.now() + timedelta(seconds=seconds)
    _release(kind, row, push_due_at=due, sync_error=message)


def _doubt(kind: Editable, row: Any, message: str) -> None:
    seconds = get_settings().RECONCILE_AFTER
    due = timezone.now() + timedelta(seconds=seconds)
    _release(kind, row, push_due_at=due, sync_error=f"outcome_unknown: {message}")


def _fail(
    kind: Editable, row: Any, message: str, conflicts: list[dict[str, Any]] | None = None
) -> None:
    logger.warning("%s %s could not be published: %s", kind.name, row.pk, message)
    extra = {"recrawl_requested_at": None} if kind.model is Document else {}
    _release(
        kind,
        row,
        sync_state=SyncState.FAILED,
        sync_error=message,
        conflicts=conflicts or [],
        push_due_at=None,
        **extra,
    )


def _sentence(row: Any, error: TavusError) -> str:
    """Return what went wrong in one readable sentence, without any secret of the row."""
    message = error.message
    if isinstance(error, Conflict) and error.conflict == "maker_changes":
        message = _(
            "Somebody has unpublished changes of this persona in Tavus's own editor. Publish or "
            "discard them there, then retry."
        )
    if error.field and error.field not in message:
        message = f"{error.field}: {message}"
    known = secrets.unseal(getattr(row, "layer_secrets", "")).get("values", {})
    text: str = redact(mapping.clean_text(message), secrets=known.values())
    return text[:2000]


# --- delete -------------------------------------------------------------------------------------


def _delete(kind: Editable, row: Any, resource: Any) -> None:
    """Delete at Tavus, then here, with the file that was uploaded here."""
    if row.tavus_id and row.sync_state != SyncState.GONE:
        try:
            hard = {"hard": True} if row.delete_hard else {}
            resource.delete(row.tavus_id, **hard)
        except NotFound:
            logger.info("%s %s was gone already", kind.name, row.pk)
    file = getattr(row, "file", None)
    name, storage = (file.name, file.storage) if file else ("", None)
    with transaction.atomic():
        kind.model._default_manager.filter(pk=row.pk).delete()
        if storage is not None:
            transaction.on_commit(lambda: storage.delete(name), robust=True)


# --- create -------------------------------------------------------------------------------------


def _create(kind: Editable, row: Any, resource: Any) -> None:
    """Make it at Tavus; that it was tried is known before the first byte is sent."""
    body = REQUESTS[kind.name](row)
    rows = kind.model._default_manager.filter(pk=row.pk, tavus_id__isnull=True)
    row.create_attempted_at = timezone.now()
    row.remote = mapping.keep(body, kind.plain)  # what both sides will come from
    rows.update(
        create_attempted_at=row.create_attempted_at, creates=F("creates") + 1, remote=row.remote
    )
    try:
        answer = resource.create(**body)
    except OutcomeUnknown:
        raise
    except TavusError:
        rows.update(create_attempted_at=None, remote={})  # certainly not made
        raise
    _adopt(kind, row, answer)
    if isinstance(row, Persona):
        _note_sent(row)


def _note_sent(row: Persona) -> None:
    """Remember that Tavus knows every secret of the layers that were sent."""
    values = secrets.unseal(row.layer_secrets).get("values", {})
    row.layer_secrets = secrets.seal({"values": values, "unsent": []} if values else {})
    Persona.objects.filter(pk=row.pk, revision=row.revision).update(layer_secrets=row.layer_secrets)


def _adopt(kind: Editable, row: Any, answer: Mapping[str, Any]) -> None:
    """Make the remote object the row's own; a mirror that a sync made of it is taken in."""
    tavus_id = mapping.text(answer.get(kind.id_key), 128)
    rows = kind.model._default_manager.filter(pk=row.pk)
    with transaction.atomic():
        rows.update(updated_at=timezone.now())
        for double in kind.model._default_manager.filter(tavus_id=tavus_id).exclude(pk=row.pk):
            _absorb(double, row)
        values: dict[str, Any] = {"tavus_id": tavus_id}
        if kind.model in (Document, Replica):
            values |= {"next_poll_at": timezone.now(), "polls": 0}
        rows.update(**values)
    row.tavus_id = tavus_id


def _absorb(double: Any, row: Any) -> None:
    for relation in double._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and not relation.many_to_many:
            model, name = relation.related_model, relation.field.name
            model._default_manager.filter(**{name: double}).update(**{name: row})
    double.delete()


def _persona_request(row: Persona) -> dict[str, Any]:
    _wait_for_relations(row)
    version = EDITABLES["persona"].of_row(row)
    known = secrets.unseal(row.layer_secrets).get("values", {})
    version["layers"] = secrets.fill(row.layers, "", known)
    patching.check_no_mask({"layers": version["layers"]})
    return {name: value for name, value in version.items() if not merging.is_empty(value)}


def _document_request(row: Document) -> dict[str, Any]:
    body = {
        "document_url": documents.source_url(row),
        "document_name": row.document_name,
        "tags": row.tags,
        "crawl": row.crawl,
        "callback_url": tokens.callback_url(row),
    }
    return {name: value for name, value in body.items() if value}


def _replica_request(row: Replica) -> dict[str, Any]:
    names = (
        "replica_name",
        "model_name",
        "train_video_url",
        "train_image_url",
        "voice_name",
        "consent_video_url",
    )
    body = {name: getattr(row, name) for name in names}
    body["callback_url"] = tokens.callback_url(row)
    return {name: value for name, value in body.items() if value}


REQUESTS: dict[str, Any] = {
    "persona": _persona_request,
    "document": _document_request,
    "replica": _replica_request,
}


def _wait_for_relations(row: Any) -> None:
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


# --- doubt --------------------------------------------------------------------------------------


def _look_for(kind: Editable, row: Any, resource: Any) -> None:
    """Find out in the list whether an earlier create succeeded.

    Returns with an id on the row, or with ``create_attempted_at`` cleared: it may be made.

    Raises:
        OutcomeUnknown: too early to say.
        FailedError: a person has to say.
    """
    begun = timezone.now()
    filters = {kind.type_field: ObjectType.USER.value} if kind.type_field else {}
    listed = list(resource.iterate(**filters))
    found = _candidates(kind, row, listed)
    if len(found) == 1:
        _adopt(kind, row, found[0])
        return
    settings = get_settings()
    late = timedelta(seconds=settings.request_seconds + settings.RECONCILE_AFTER)
    if found:
        raise FailedError(_("outcome_unknown: several objects at Tavus may be this one."))
    if begun <= row.create_attempted_at + late:
        raise OutcomeUnknown(_("It is not known whether Tavus has made this."))
    if row.delete_requested_at is None and not (_has_key(kind, row) and row.creates < MAX_CREATES):
        raise FailedError(
            _(
                "outcome_unknown: Tavus did not answer when this was created, and does not list "
                "it. Look there before you create it again."
            )
        )
    row.create_attempted_at = None
    kind.model._default_manager.filter(pk=row.pk, tavus_id__isnull=True).update(
        create_attempted_at=None
    )


def _has_key(kind: Editable, row: Any) -> bool:
    """Whether the list shows something by which ours can be told from every other.

    Only documents show the callback URL that they were given.
    """
    return kind.model is Document and bool(row.remote.get("callback_url"))


def _candidates(kind: Editable, row: Any, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keyed = [
        body
        for body in listed
        if tokens.subject_of_url(body.get("callback_url")) == (kind.name, row.pk)
    ]
    if keyed or _has_key(kind, row):
        return keyed
    ids = [body[kind.id_key] for body in listed if body.get(kind.id_key)]
    # Mirrors that a sync made meanwhile are candidates too: they were created after the attempt.
    known = set(
        kind.model._default_manager.filter(
            tavus_id__in=ids, created_at__lt=row.create_attempted_at
        ).values_list("tavus_id", flat=True)
    )
    return [
        body
        for body in listed
        if body.get(kind.id_key) not in known and _resembles(kind, row, body)
    ]


def _resembles(kind: Editable, row: Any, body: Mapping[str, Any]) -> bool:
    name = f"{kind.name}_name"
    began = parse_datetime(body.get("created_at"))
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


# --- update -------------------------------------------------------------------------------------


def _update(kind: Editable, row: Any, resource: Any) -> None:
    """Compare base, ours and a fresh theirs; send what only we changed, take over the rest."""
    try:
        body = resource.get(row.tavus_id)
    except NotFound:
        message = _("This no longer exists at Tavus.")
        _release(kind, row, sync_state=SyncState.GONE, sync_error=message, push_due_at=None)
        return
    _wait_for_relations(row)
    ours, kept = kind.of_row(row), mapping.keep(body, kind.plain)
    merge = merging.merge(kind.of_body(row.remote), ours, kind.of_body(body))
    if merge.conflicts:
        raise FailedError(
            _("Changed here and at Tavus: %(members)s.")
            % {"members": ", ".join(conflict.path for conflict in merge.conflicts)},
            [conflict.as_json() for conflict in merge.conflicts],
        )
    target = patching.target(kept, kind.of_body(body), merge.merged)
    columns: dict[str, Any] = {**kind.values(body), **kind.as_columns(merge.merged)}
    columns["remote"] = target
    columns |= _send(kind, row, resource, body, kept, target)
    columns |= _recrawled(row, resource)
    _settle(kind, row, {"ours": ours, "links": merge.merged}, columns)


def _send(
    kind: Editable,
    row: Any,
    resource: Any,
    body: Mapping[str, Any],
    kept: Mapping[str, Any],
    target: Mapping[str, Any],
) -> dict[str, Any]:
    """Send the difference, if there is one; return the columns that this changes."""
    if isinstance(row, Persona):
        return _send_persona(row, resource, body, kept, target)
    changed = {
        name: target.get(name)
        for name in kind.columns
        if not merging.alike(kept.get(name), target.get(name))
    }
    if not changed:
        return {}
    if isinstance(row, Document):
        resource.update(row.tavus_id, **changed)
    else:
        resource.rename(row.tavus_id, changed["replica_name"])
    return {}


def _send_persona(
    row: Persona,
    resource: Any,
    body: Mapping[str, Any],
    kept: Mapping[str, Any],
    target: Mapping[str, Any],
) -> dict[str, Any]:
    sealed = secrets.unseal(row.layer_secrets)
    echoed = body.get("layers")
    keys = patching.Keys(
        values=sealed.get("values", {}),
        unsent=sealed.get("unsent", []),
        echoed=echoed if isinstance(echoed, Mapping) else {},
    )
    for operations in patching.patches(kept, target, keys):
        resource.update(row.tavus_id, operations)
    if not keys.unsent:
        return {}
    return {"layer_secrets": secrets.seal({"values": keys.values, "unsent": []})}


def _recrawled(row: Any, resource: Any) -> dict[str, Any]:
    """Ask for the recrawl that is wished for; a refusal is told and not asked for again."""
    if not isinstance(row, Document) or row.recrawl_requested_at is None:
        return {}
    now = timezone.now()
    row.recrawl_requested_at = None
    try:
        resource.recrawl(row.tavus_id)
    except (RateLimited, Conflict) as error:
        wait = timedelta(seconds=error.retry_after or 0)
        Document.objects.filter(pk=row.pk).update(recrawl_after=now + wait)
        raise FailedError(_sentence(row, error)) from None
    return {
        "recrawl_requested_at": None,
        "recrawl_after": now + documents.COOLDOWN,
        "status": DocumentStatus.RECRAWLING,
        "progress": None,
        "next_poll_at": now,
        "polls": 0,
    }
