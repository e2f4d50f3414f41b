"""Publishing: an edit is stored as an intent, and a task tells Tavus (:mod:`pushing`).

Nothing here talks HTTP. The faces call ``create``, ``edit``, ``request_delete``, ``resolve`` and
``retry``; whoever has saved a row in another way calls ``publish``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from django_tavus.models import Document, Persona, Replica
from django_tavus.models.base import PublishedObject
from django_tavus.models.choices import ObjectType, SyncState
from django_tavus.services import drafts, layers, merging, secrets, upserting
from django_tavus.services.editable import Editable, editable_of
from django_tavus.services.enqueue import enqueue

T = TypeVar("T", bound=PublishedObject)

EDITABLE_FIELDS: dict[type[PublishedObject], frozenset[str]] = {
    Persona: frozenset(
        {
            "persona_name",
            "system_prompt",
            "context",
            "greeting",
            "pipeline_mode",
            "default_replica",
            "documents",
            "document_tags",
            "layers",
            "objectives_id",
            "guardrail_ids",
        }
    ),
    Document: frozenset({"document_name", "tags"}),
    Replica: frozenset({"replica_name"}),
}
"""What can be changed of an object that Tavus has."""
CREATE_FIELDS: dict[type[PublishedObject], frozenset[str]] = {
    Persona: EDITABLE_FIELDS[Persona],
    Document: EDITABLE_FIELDS[Document] | {"document_url", "file", "crawl"},
    Replica: EDITABLE_FIELDS[Replica]
    | {"model_name", "train_video_url", "train_image_url", "voice_name", "consent_video_url"},
}
"""What can be set before Tavus has it."""


def fields_of(obj: PublishedObject) -> frozenset[str]:
    """Return the names of the fields that can be changed now."""
    return (EDITABLE_FIELDS if obj.tavus_id else CREATE_FIELDS)[type(obj)]


# --- create and edit ----------------------------------------------------------------------------


def create(model: type[T], **values: Any) -> T:
    """Store a new object and publish it: ``CREATE_FIELDS`` by name, relations as rows.

    Raises:
        ValidationError: a dict that names the provider's fields.
        TypeError: a field that cannot be set.
    """
    obj = model()
    kind = editable_of(model)
    if kind.type_field:
        setattr(obj, kind.type_field, ObjectType.USER)
    prepare(obj, **values)
    with transaction.atomic():
        obj.save()
        if values.get("documents"):
            obj.documents.set(values["documents"])  # type: ignore[attr-defined]
        publish(obj)
    return obj


def edit(obj: PublishedObject, **changes: Any) -> None:
    """Store changes of some fields (``fields_of(obj)``, relations as rows) and publish them.

    ``layers`` may hold secrets in clear, which are taken out and kept sealed, and masks in the
    place of those that are to stay. Fields that are not named stay as they are in the database.

    Raises:
        ValidationError: a dict that names the provider's fields; or with the code ``system``,
            ``gone`` or ``deleting``.
        TypeError: a field that cannot be changed.
        ObjectDoesNotExist: it was deleted meanwhile.
    """
    prepare(obj, **changes)
    columns = [name for name in changes if name != "documents"]
    columns += ["layer_secrets"] if "layers" in changes else []
    with transaction.atomic():
        _lock(obj)
        obj.save(update_fields=[*columns, "updated_at"])
        if "documents" in changes:
            obj.documents.set(changes["documents"])  # type: ignore[attr-defined]
        publish(obj)


def prepare(obj: PublishedObject, **changes: Any) -> list[str]:
    """Set ``changes`` on ``obj`` without storing anything, and check the outcome.

    Returns warnings: members of ``layers`` that nobody knows. For the validation of forms, give
    it a fresh copy of the row.

    Raises:
        ValidationError: as for :func:`edit`.
        TypeError: a field that cannot be changed.
    """
    if unknown := changes.keys() - fields_of(obj):
        known = ", ".join(sorted(fields_of(obj)))
        raise TypeError(f"{min(unknown)!r} cannot be set on {obj!r}; {known} can.")
    drafts.check_changeable(obj)
    drafts.check_present(obj)
    if obj.delete_requested_at:
        raise ValidationError(_("This is being deleted."), code="deleting")
    for name, value in changes.items():
        if name == "layers":
            set_layers(obj, value)
        elif name != "documents":
            setattr(obj, name, value)
    drafts.check(obj)
    _check_documents(changes.get("documents", ()))
    return layers.unknown_members(changes.get("layers"))


def _check_documents(rows: Iterable[Document]) -> None:
    if gone := [str(row) for row in rows if row.sync_state == SyncState.GONE]:
        message = _("No longer at Tavus: %(names)s.") % {"names": ", ".join(gone)}
        raise ValidationError({"document_ids": message})


def set_layers(persona: Any, given: Any) -> None:
    """Give a persona layers, and keep their secrets where nobody sees them.

    Raises:
        ValidationError: not layers; or a mask in a place where no secret is known.
    """
    layers.check(given)
    fresh = secrets.entered(given)
    kept = secrets.unseal(persona.layer_secrets)
    carried = secrets.carried_over(given, persona.layers, kept.get("values", {}))
    unsent = [path for path in kept.get("unsent", []) if path in carried]
    values = {**carried, **fresh}
    persona.layers = secrets.mask(given)
    persona.layer_secrets = secrets.seal(
        {"values": values, "unsent": sorted({*unsent, *fresh})} if values else {}
    )


def publish(obj: PublishedObject) -> None:
    """Note that Tavus is to be told what ``obj`` has become, and tell the task.

    Raises:
        ValidationError: it is Tavus's own (``system``), or no longer exists there (``gone``).
    """
    drafts.check_changeable(obj)
    drafts.check_present(obj)
    _owe(obj)


def _owe(obj: PublishedObject, **values: Any) -> None:
    now = timezone.now()
    _rows(obj).update(
        revision=F("revision") + 1,
        push_due_at=now,
        push_attempts=0,
        sync_state=SyncState.PENDING,
        sync_error="",
        conflicts=[],
        updated_at=now,
        **values,
    )
    obj.refresh_from_db()  # before a worker hears of it, and perhaps deletes it
    enqueue("push_object", editable_of(obj).name, obj.pk)


def _lock(obj: PublishedObject) -> None:
    """Begin a transaction with a write, which locks the row; a worker may have deleted it."""
    if not _rows(obj).update(updated_at=timezone.now()):
        raise type(obj).DoesNotExist(f"{obj!r} was deleted.")


def _rows(obj: PublishedObject) -> models.QuerySet[Any]:
    return type(obj)._default_manager.filter(pk=obj.pk)


# --- delete -------------------------------------------------------------------------------------


def request_delete(obj: PublishedObject, *, hard: bool = False) -> None:
    """Store that ``obj`` is to be deleted at Tavus and then here. Idempotent.

    ``hard`` (replicas) also erases the training footage, irrevocably.

    Raises:
        ValidationError: it is Tavus's own (``system``), or ``hard`` for what is no replica.
    """
    drafts.check_changeable(obj)
    if hard and not isinstance(obj, Replica):
        raise ValidationError(_("Only replicas can be erased."), code="invalid")
    _owe(
        obj,
        delete_requested_at=obj.delete_requested_at or timezone.now(),
        delete_hard=hard or obj.delete_hard,
    )


# --- what went wrong ----------------------------------------------------------------------------


def is_in_doubt(obj: PublishedObject) -> bool:
    """Whether nobody knows if Tavus has made ``obj``."""
    return not obj.tavus_id and obj.create_attempted_at is not None


def retry(obj: PublishedObject, *, create_again: bool = False) -> None:
    """Push again what failed.

    Of a creation with an unknown outcome Tavus's list is searched once more; a person who has
    seen that nothing was made says ``create_again``.

    Raises:
        ValidationError: nothing has failed, or the two sides are in conflict (``conflict``).
    """
    if obj.sync_state not in (SyncState.FAILED, SyncState.PENDING):
        raise ValidationError(_("There is nothing to retry."), code="invalid")
    if obj.conflicts:
        raise ValidationError(_("Choose a version: keep ours, or take theirs."), code="conflict")
    if create_again and is_in_doubt(obj):
        _owe(obj, create_attempted_at=None, creates=0)
    else:
        _owe(obj)


def resolve(obj: PublishedObject, keep: str) -> None:
    """Settle a conflict: ``keep`` is ``"ours"`` or ``"theirs"``, in the members in conflict.

    Ours is then published over the version that was shown; if Tavus has yet another one by then,
    that is a new conflict. All other edits of ours are published either way.

    Raises:
        ValidationError: nothing is in conflict (``no_conflict``).
        ValueError: another word.
    """
    if keep not in ("ours", "theirs"):
        raise ValueError(f"keep must be 'ours' or 'theirs', not {keep!r}.")
    with transaction.atomic():
        _lock(obj)
        obj.refresh_from_db()
        if not obj.conflicts:
            raise ValidationError(_("Nothing is in conflict."), code="no_conflict")
        kind = editable_of(obj)
        conflicts = list(obj.conflicts)
        # The version that was shown becomes the one that both sides come from.
        base = _with_theirs(kind.of_body(obj.remote), conflicts)
        values: dict[str, Any] = {"remote": {**obj.remote, **_members(kind, base)}}
        if keep == "theirs":
            values |= _take(kind, obj, conflicts)
        _owe(obj, **values)


def _with_theirs(version: Any, conflicts: Iterable[Mapping[str, Any]]) -> Any:
    for conflict in conflicts:
        version = merging.put(version, conflict["path"], conflict["theirs"])
    return version


def _members(kind: Editable, version: Mapping[str, Any]) -> dict[str, Any]:
    """Return every editable member, null where ``version`` has nothing."""
    return {name: version.get(name) for name in (*kind.columns, *kind.relations)}


def _take(kind: Editable, obj: Any, conflicts: list[Any]) -> dict[str, Any]:
    """Return the columns that hold their version; the documents are linked at once."""
    version = _with_theirs(kind.of_row(obj), conflicts)
    values = kind.as_columns(version)
    if kind.relations:
        values |= link(obj, version)
    return values


def link(persona: Persona, version: Mapping[str, Any]) -> dict[str, Any]:
    """Point a persona's relations at what ``version`` names; the foreign key is returned."""
    replica_id = version.get("default_replica_id") or ""
    document_ids = set(version.get("document_ids") or ())
    keys = upserting.ensure_rows({Replica: [replica_id], Document: document_ids})
    unpublished = persona.documents.filter(tavus_id__isnull=True).values_list("pk", flat=True)
    persona.documents.set([*keys[Document].values(), *unpublished])
    return {"default_replica_id": keys[Replica].get(replica_id)}
