"""Who may set which field of a launch that comes from outside.

Context, greeting, time-outs, documents and recording storage decide what a call costs and what it
gives away; a browser may not choose them unless the host says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from django_tavus.conf import get_settings
from django_tavus.services.access import has_permission
from django_tavus.services.request_fields import (
    PROPERTIES,
    RELATIONS,
    REQUEST_FIELDS,
    Validator,
    strings,
    text,
)

OPEN_FIELDS = frozenset(
    {
        "persona_id",
        "replica_id",
        "conversation_name",
        "audio_only",
        "test_mode",
        "reference",
        "metadata",
        "properties.language",
    }
)
"""What any admitted user may set; a dotted name is one key of ``properties``."""

# Where callbacks go is the site's business: whoever could set it would be told every word.
CLOSED_FIELDS = frozenset({"callback_url"})
RELATION_TYPES: dict[str, Validator] = {
    "persona_id": text(128),
    "replica_id": text(128),
    "document_ids": strings,
}
LAUNCH_FIELDS = (REQUEST_FIELDS.keys() | RELATIONS.keys()) - CLOSED_FIELDS


def read_launch(user: Any, body: object) -> dict[str, Any]:
    """Return the arguments for ``store_conversation`` that ``user`` asks for with ``body``.

    Null means that a field is not set. The values of request fields are left to
    :func:`~django_tavus.services.request_fields.validate_request_fields`.

    Raises:
        ValidationError: not an object; or a dict that names the fields which are unknown, of the
            wrong type, or not this user's to set (code ``not_allowed``).
    """
    if not isinstance(body, Mapping):
        raise ValidationError(_("The body must be a JSON object."), code="invalid")
    errors: dict[Any, ValidationError] = {
        name: error for name in body if (error := _refusal(name, body[name]))
    }
    errors.update(_not_allowed(user, body))
    if errors:
        raise ValidationError(errors)
    given: dict[str, Any] = {name: value for name, value in body.items() if value is not None}
    return {RELATIONS.get(name, name): value for name, value in given.items()}


def _refusal(name: str, value: Any) -> ValidationError | None:
    """Return what is wrong with a field whoever sends it."""
    if name in CLOSED_FIELDS:
        return ValidationError(_("Can only be set by this site itself."), code="not_allowed")
    if name not in LAUNCH_FIELDS:
        return ValidationError(_("Unknown field."), code="unknown")
    if name in RELATION_TYPES and value is not None:
        try:
            RELATION_TYPES[name](value)
        except ValidationError as error:
            return error
    return None


def _not_allowed(user: Any, body: Mapping[str, Any]) -> dict[str, ValidationError]:
    """Return an error for each field of ``body`` that is not this user's to set."""
    allowed = OPEN_FIELDS | set(get_settings().API_LAUNCH_FIELDS)
    refused = {
        name: beyond
        for name in body.keys() & LAUNCH_FIELDS - allowed
        if (beyond := _beyond(name, body[name], allowed))
    }
    if not refused or has_permission(user, "launch_conversation"):
        return {}
    return {name: _say(beyond) for name, beyond in refused.items()}


def _beyond(name: str, value: Any, allowed: Set[str]) -> list[str]:
    """Return what ``value`` sets beyond ``allowed``: the field itself, or keys of properties.

    Properties that are no object and unknown keys are wrong for everybody: the validators say so.
    """
    if name != "properties":
        return [name]
    keys = value if isinstance(value, Mapping) else ()
    dotted = (f"properties.{key}" for key in keys if key in PROPERTIES)
    return [one for one in dotted if one not in allowed]


def _say(names: list[str]) -> ValidationError:
    message = _("You may not set %(names)s.") % {"names": ", ".join(names)}
    return ValidationError(message, code="not_allowed")
