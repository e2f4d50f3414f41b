"""What may go wrong with a push, beside the errors of the client, and how it is told."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from django_tavus.client import Conflict, TavusError, redact
from django_tavus.services import mapping, secrets


class NotYetError(Exception):
    """Something that it refers to has to be published first."""

    retry_after: float | None = None  # nobody said how long to wait


class FailedError(Exception):
    """It cannot be published; a person has to look at it."""

    def __init__(self, message: str, conflicts: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.conflicts = conflicts or []


def explain(row: Any, error: Exception) -> str:
    """Return what went wrong in readable words, without any secret of the row."""
    if isinstance(error, TavusError):
        return _sentence(row, error)
    if isinstance(error, ValidationError):
        return _told(error)
    return str(error)


def _sentence(row: Any, error: TavusError) -> str:
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


def _told(error: ValidationError) -> str:
    """Return the messages of a refusal of our own, with the fields that they are about."""
    if hasattr(error, "error_dict"):
        return " ".join(f"{name}: {' '.join(told)}" for name, told in error.message_dict.items())
    return " ".join(error.messages)
