"""What is said of a persona, replica or document from outside, under the provider's names.

Here it becomes what ``publishing.create`` and ``publishing.edit`` take: the right types, and rows
in the place of ids. What the values have to be is left to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import models
from django.utils.translation import gettext as _

from django_tavus.models import Document, Persona, Replica
from django_tavus.models.base import PublishedObject
from django_tavus.models.choices import PipelineMode
from django_tavus.services import documents, publishing
from django_tavus.services.request_fields import Validator, choice, plain_object, strings, text

RELATIONS: dict[str, str] = {"default_replica_id": "default_replica", "document_ids": "documents"}
"""The provider's names of members that are rows here, and our names for them."""


def upload(value: Any) -> None:
    """Accept a file of which Tavus can be given the address."""
    if not isinstance(value, File):
        raise ValidationError(_("Must be an uploaded file (multipart/form-data)."), code="invalid")
    if problem := documents.storage_problem():
        raise ValidationError(problem, code="unreachable")


# What the type of its column does not tell about a field.
TYPES: dict[str, Validator] = {
    "default_replica_id": text(128),
    "document_ids": strings,
    "document_tags": strings,
    "guardrail_ids": strings,
    "tags": strings,
    "layers": plain_object,
    "crawl": plain_object,
    "file": upload,
}


def read_create(model: type[PublishedObject], body: object) -> dict[str, Any]:
    """Return the arguments for ``publishing.create`` that ``body`` asks for; null is not set.

    Raises:
        ValidationError: not an object; or a dict that names the fields which are unknown, of the
            wrong type, or name an object that is not known here.
    """
    given = _members(body)
    return _read(model(), {name: value for name, value in given.items() if value is not None})


def read_edit(obj: PublishedObject, body: object) -> dict[str, Any]:
    """Return the arguments for ``publishing.edit`` that ``body`` asks for; null empties.

    Documents that Tavus does not have yet cannot be named, and stay linked.

    Raises:
        ValidationError: as for :func:`read_create`; or fields that can no longer be changed.
    """
    values = _read(obj, _members(body))
    if "documents" in values and isinstance(obj, Persona):
        values["documents"] += obj.documents.filter(tavus_id__isnull=True)
    return values


def _members(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise ValidationError(_("The body must be a JSON object."), code="invalid")
    return body


def _read(obj: PublishedObject, given: Mapping[str, Any]) -> dict[str, Any]:
    errors: dict[Any, ValidationError] = {}
    values: dict[str, Any] = {}
    for name, value in given.items():
        try:
            values[RELATIONS.get(name, name)] = _value(obj, name, value)
        except ValidationError as error:
            errors[name] = error
    if errors:
        raise ValidationError(errors)
    return values


def _value(obj: PublishedObject, name: str, value: Any) -> Any:
    column = RELATIONS.get(name, name)
    if column not in publishing.CREATE_FIELDS[type(obj)] or name in RELATIONS.values():
        raise ValidationError(_("Unknown field."), code="unknown")
    if column not in publishing.fields_of(obj):
        raise ValidationError(_("Can only be set before Tavus has it."), code="not_editable")
    if value is None:
        return EMPTY_RELATIONS[name]() if name in RELATIONS else getattr(type(obj)(), name)
    _validator(obj, name)(value)
    return ROWS[name](value) if name in ROWS else value


def _validator(obj: PublishedObject, name: str) -> Validator:
    if name == "pipeline_mode":  # one that Tavus has thought of since may stay
        return choice(*PipelineMode.values, *filter(None, [getattr(obj, name)]))
    column = RELATIONS.get(name, name)
    return TYPES.get(name) or text(_max_length(obj, column))


def _max_length(obj: PublishedObject, column: str) -> int | None:
    field: models.Field[Any, Any] = obj._meta.get_field(column)  # type: ignore[assignment]
    return field.max_length


def _replica(tavus_id: str) -> Replica | None:
    if not tavus_id:
        return None
    row: Replica | None = Replica.objects.known().filter(tavus_id=tavus_id).first()
    if row is None:
        raise ValidationError(_("No such replica is known here."), code="invalid_replica")
    return row


def _documents(tavus_ids: list[str]) -> list[Document]:
    rows = list(Document.objects.known().filter(tavus_id__in=tavus_ids))
    if missing := set(tavus_ids) - {str(row.tavus_id) for row in rows}:
        message = _("Not known here: %(ids)s.") % {"ids": ", ".join(sorted(missing))}
        raise ValidationError(message, code="invalid_document")
    return rows


ROWS: dict[str, Callable[[Any], Any]] = {"default_replica_id": _replica, "document_ids": _documents}
EMPTY_RELATIONS: dict[str, Callable[[], Any]] = {
    "default_replica_id": lambda: None,
    "document_ids": list,
}
