"""The request fields of *Create Conversation*: what they are called and what they may hold.

The names and types are those of Tavus's OpenAPI file (mid 2026). Tavus rejects some unknown
``properties`` with a 400 and ignores others, so nothing unknown is ever passed on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _, ngettext

from django_tavus.models.choices import RetrievalStrategy

Validator = Callable[[Any], None]


def text(maximum: int | None = None) -> Validator:
    """Return a validator for strings of at most ``maximum`` characters."""

    def validate(value: Any) -> None:
        if not isinstance(value, str):
            raise ValidationError(_("Must be a string."), code="invalid")
        _check_storable(value)
        if maximum is not None and len(value) > maximum:
            raise ValidationError(
                ngettext(
                    "Must be at most %(n)d character long.",
                    "Must be at most %(n)d characters long.",
                    maximum,
                )
                % {"n": maximum},
                code="max_length",
            )

    return validate


def integer(minimum: int, maximum: int = 2_147_483_647) -> Validator:
    """Return a validator for whole numbers from ``minimum`` to ``maximum``."""

    def validate(value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(_("Must be a whole number."), code="invalid")
        if value < minimum:
            message = _("Must be at least %(minimum)d.") % {"minimum": minimum}
            raise ValidationError(message, code="min_value")
        if value > maximum:
            message = _("Must be at most %(maximum)d.") % {"maximum": maximum}
            raise ValidationError(message, code="max_value")

    return validate


def boolean(value: Any) -> None:
    """Accept true and false, not the strings ``"true"`` and ``"false"``."""
    if not isinstance(value, bool):
        raise ValidationError(_("Must be true or false."), code="invalid")


def strings(value: Any) -> None:
    """Accept a list of non-empty strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValidationError(_("Must be a list of non-empty strings."), code="invalid")
    for item in value:
        _check_storable(item)


def plain_object(value: Any) -> None:
    """Accept a dict that JSON and every database can hold."""
    if not isinstance(value, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    try:
        _check_storable(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValidationError(_("Must be plain JSON."), code="invalid") from error


# PostgreSQL refuses U+0000 in text and JSON (where it may stand escaped); no UTF-8 holds a lone
# surrogate.
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]|\\u0000")


def _check_storable(value: str) -> None:
    if UNSTORABLE.search(value):
        raise ValidationError(
            _("Must not contain U+0000 or lone surrogates."), code="null_characters_not_allowed"
        )


def choice(*allowed: str) -> Validator:
    """Return a validator for one of ``allowed``."""

    def validate(value: Any) -> None:
        if value not in allowed:
            raise ValidationError(
                _("Must be one of: %(allowed)s.") % {"allowed": ", ".join(allowed)},
                code="invalid_choice",
            )

    return validate


def language(value: Any) -> None:
    """Accept a full language name or ``multilingual``; Tavus refuses codes such as ``en``."""
    text()(value)
    if re.fullmatch(r"[A-Za-z]{2}([-_][A-Za-z0-9]+)*", value):
        raise ValidationError(
            _(
                "“%(value)s” is a language code. Give the full English name, such as "
                "“spanish”, or “multilingual”."
            )
            % {"value": value},
            code="invalid",
        )


def web_address(value: Any) -> None:
    """Accept an absolute http(s) URL."""
    text()(value)
    if value and not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ValidationError(_("Must be a URL that begins with https://."), code="invalid")


def mapping(keys: Mapping[str, Validator], *, required: tuple[str, ...] = ()) -> Validator:
    """Return a validator for objects that hold nothing but ``keys``."""

    def validate(value: Any) -> None:
        if not isinstance(value, Mapping):
            raise ValidationError(_("Must be an object."), code="invalid")
        errors = [*_missing(value, required), *_wrong_members(value, keys)]
        if errors:
            raise ValidationError(errors)

    return validate


def _missing(value: Mapping[str, Any], required: tuple[str, ...]) -> list[ValidationError]:
    return [
        ValidationError(_("%(key)s: is required.") % {"key": key}, code="required")
        for key in required
        if key not in value
    ]


def _wrong_members(
    value: Mapping[str, Any], keys: Mapping[str, Validator]
) -> list[ValidationError]:
    errors: list[ValidationError] = []
    for key, member in value.items():
        if key not in keys:
            message = _("%(key)s: unknown key. Known are: %(known)s.")
            known = ", ".join(sorted(keys))
            errors.append(ValidationError(message % {"key": key, "known": known}, code="unknown"))
            continue
        try:
            keys[key](member)
        except ValidationError as error:
            errors += [
                ValidationError(f"{key}: {message}", code=error.error_list[0].code)
                for message in error.messages
            ]
    return errors


RECORDING_STORAGE: dict[str, Validator] = {
    "provider": choice("s3", "gcs", "azure_blob"),
    "bucket_name": text(),
    "bucket_region": text(),
    "assume_role_arn": text(),
    "external_id": text(),
    "project_id": text(),
    "workload_identity_provider": text(),
    "service_account_email": text(),
    "storage_account": text(),
    "container": text(),
    "tenant_id": text(),
    "client_id": text(),
}

PROPERTIES: dict[str, Validator] = {
    "max_call_duration": integer(1),  # seconds; silently capped to the plan's maximum
    "participant_left_timeout": integer(0),  # seconds; Tavus's default 0 ends a call on reload
    "participant_absent_timeout": integer(0),  # seconds; also the life of a meeting token
    "enable_recording": boolean,
    "enable_closed_captions": boolean,
    "apply_greenscreen": boolean,
    "require_auth": boolean,  # the file has it here too; the top-level one is what docs use
    "language": language,
    "recording_s3_bucket_name": text(),  # deprecated by Tavus, still honored
    "recording_s3_bucket_region": text(),  # deprecated by Tavus, still honored
    "aws_assume_role_arn": text(),  # deprecated by Tavus, still honored
    "recording_storage": mapping(RECORDING_STORAGE, required=("provider",)),
}

# Everything but the relations (persona_id, replica_id, document_ids), which are rows here.
REQUEST_FIELDS: dict[str, Validator] = {
    "conversation_name": text(255),  # Tavus documents no limit; the column has one
    "conversational_context": text(),
    "custom_greeting": text(),
    "audio_only": boolean,
    "test_mode": boolean,
    "require_auth": boolean,
    "max_participants": integer(2, 32_767),  # the replica counts as one; the column ends there
    "memory_stores": strings,
    "document_tags": strings,
    "document_retrieval_strategy": choice(*RetrievalStrategy.values),
    "properties": mapping(PROPERTIES),
    "callback_url": web_address,
    # The host's own; never sent.
    "reference": text(255),
    "metadata": plain_object,
}
HOST_FIELDS = frozenset({"reference", "metadata"})
SENT_FIELDS = tuple(name for name in REQUEST_FIELDS if name not in HOST_FIELDS)
RELATIONS: dict[str, str] = {
    "persona_id": "persona",
    "replica_id": "replica",
    "document_ids": "documents",
}
"""Tavus's names for what ``launch_conversation`` takes as rows, and its own names for them."""


def validate_request_fields(values: Mapping[str, Any]) -> None:
    """Check the values of request fields.

    Raises:
        ValidationError: with a dict that names each wrong field.
    """
    errors: dict[str, Any] = {}
    for name, value in values.items():
        try:
            REQUEST_FIELDS[name](value)
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)


def merge_defaults(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``given`` over ``defaults``, ``properties`` merged key by key."""
    merged = {**defaults, **given}
    if isinstance(defaults.get("properties"), Mapping) and isinstance(
        given.get("properties"), Mapping
    ):
        merged["properties"] = {**defaults["properties"], **given["properties"]}
    return merged
