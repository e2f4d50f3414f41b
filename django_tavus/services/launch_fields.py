"""Who may set which field of a launch that comes from outside.

Context, greeting, time-outs, documents and recording storage decide what a call costs and what it
gives away; a browser may not choose them unless the host says so.
"""

from __future__ import annotations

from collections.abc import Mapping
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

HOST_FIELDS = frozenset({"reference", "metadata"})
# Where callbacks go is the site's business: whoever could set it would be told every word.
CLOSED_FIELDS = frozenset({"callback_url"})
RELATION_TYPES: dict[str, Validator] = {
    "persona_id": text(128),
    "replica_id": text(128),
    "document_ids": strings,
}
LAUNCH_FIELDS = (REQUEST_FIELDS.keys() | RELATIONS.keys() | HOST_FIELDS) - CLOSED_FIELDS


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
    errors = {name: error for name in body if (error := _refusal(name, body[name]))}
    errors.update(_not_allowed(user, body, skip=errors.keys()))
    if errors:
        raise ValidationError(errors)
    return {RELATIONS.get(name, name): value for name, value in body.items() if value is not None}


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


def _not_allowed(user: Any, body: Mapping[str, Any], *, skip: Any) -> dict[str, ValidationError]:
    """Return an error for each field of ``body`` that is not this user's to set."""
    allowed = OPEN_FIELDS | set(get_settings().API_LAUNCH_FIELDS)
    refused = {
        name: keys for name in body if name not in skip and (keys := _beyond(name, body, allowed))
    }
    if not refused or has_permission(user, "launch_conversation"):
        return {}
    return {name: _say(name, keys) for name, keys in refused.items()}


def _beyond(name: str, body: Mapping[str, Any], allowed: set[str] | frozenset[str]) -> list[str]:
    """Return the dotted names below ``name`` that are not among ``allowed``."""
    if name in allowed:
        return []
    value = body[name]
    if name == "properties" and isinstance(value, Mapping):
        known = [f"properties.{key}" for key in value if key in PROPERTIES]
        return [dotted for dotted in known if dotted not in allowed]
    # Properties of a wrong type are an error for everybody, and named as such by the validator.
    return [] if name == "properties" else [name]


def _say(name: str, keys: list[str]) -> ValidationError:
    message = _("You may not set %(names)s.") % {"names": ", ".join(keys)}
    return ValidationError(message, code="not_allowed")
