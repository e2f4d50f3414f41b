"""Refusals of the services as DRF exceptions, in one table.

Every exception has a stable code. The host's ``EXCEPTION_HANDLER`` decides how it looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import (
    ObjectDoesNotExist,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
    ValidationError as DjangoValidationError,
)
from django.db.models import ProtectedError
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError

from django_tavus.services.documents import RecrawlRefusedError
from django_tavus.services.errors import IdempotencyConflictError, LaunchRefusedError

OBJECT_STATES = frozenset({"system", "gone", "deleting", "no_conflict"})
"""Codes of what cannot be changed because of what it is, whatever the body says."""


class IdempotencyConflict(APIException):
    """The idempotency key was used for another request."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = _("This Idempotency-Key was used for another request. Use a new key.")
    default_code = "idempotency_conflict"


class StillRunning(APIException):
    """A conversation that is not over cannot be deleted."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = _("This conversation is not over. End it before you delete it.")
    default_code = "still_running"


class PayloadTooLarge(APIException):
    """More bytes than Django's ``DATA_UPLOAD_MAX_MEMORY_SIZE``."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The body is too large.")
    default_code = "payload_too_large"


class PreconditionFailed(APIException):
    """``If-Match`` names another version than the one there is."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = _("This has changed since. Fetch it again.")
    default_code = "precondition_failed"


class LaunchRefused(APIException):
    """A launch that was not even queued; ``wait`` becomes ``Retry-After`` in DRF's handler."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS

    def __init__(self, refusal: LaunchRefusedError) -> None:
        super().__init__(refusal.message, refusal.code)
        self.wait = refusal.retry_after


class RecrawlRefused(APIException):
    """A recrawl that Tavus would refuse now: 429 where waiting helps, else 409."""

    def __init__(self, refusal: RecrawlRefusedError) -> None:
        super().__init__(refusal.message, refusal.code)
        self.wait = refusal.retry_after
        waits = refusal.retry_after is not None
        self.status_code = status.HTTP_429_TOO_MANY_REQUESTS if waits else status.HTTP_409_CONFLICT


class NotChangeable(APIException):
    """An object of Tavus's own, or one that is gone or on its way out."""

    status_code = status.HTTP_409_CONFLICT


def refused_value(error: DjangoValidationError) -> APIException:
    """Return 409 for an object that cannot be changed at all, else the errors by field."""
    code = getattr(error, "code", None)
    if not hasattr(error, "error_dict") and code in OBJECT_STATES:
        return NotChangeable(error.messages[0], code)
    return field_errors(error)


def field_errors(error: DjangoValidationError) -> ValidationError:
    """Return Django's error as DRF's: the same fields, sentences and codes."""
    if not hasattr(error, "error_dict"):
        return ValidationError({"non_field_errors": _details(error.error_list)})
    return ValidationError({name: _details(errors) for name, errors in error.error_dict.items()})


def _details(errors: list[DjangoValidationError]) -> list[ErrorDetail]:
    return [
        ErrorDetail(message, error.code or "invalid")
        for error in errors
        for message in error.messages
    ]


Translation = tuple[type[Exception], Callable[[Any], APIException]]
TRANSLATIONS: tuple[Translation, ...] = (
    (LaunchRefusedError, LaunchRefused),
    (IdempotencyConflictError, lambda error: IdempotencyConflict()),
    (ProtectedError, lambda error: StillRunning()),
    (RecrawlRefusedError, RecrawlRefused),
    (DjangoValidationError, refused_value),
    # A worker has deleted the row since the view has read it.
    (ObjectDoesNotExist, lambda error: exceptions.NotFound()),
)
REFUSALS = tuple(kind for kind, _translate in TRANSLATIONS)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Let what services refuse come out as DRF's exceptions."""
    try:
        yield
    except REFUSALS as error:
        translate = next(make for kind, make in TRANSLATIONS if isinstance(error, kind))
        raise translate(error) from error


TOO_MUCH: tuple[Translation, ...] = (
    (RequestDataTooBig, lambda error: PayloadTooLarge()),
    (
        TooManyFieldsSent,
        lambda error: bad_parameter("non_field_errors", _("Too many parameters or fields.")),
    ),
    (TooManyFilesSent, lambda error: bad_parameter("non_field_errors", _("Too many files."))),
)
"""What Django refuses to read, which it would answer itself, in HTML."""


def readable(error: Exception) -> Exception:
    """Return ``error``, or the exception of ours for a request of which Django reads no more."""
    return next((make(error) for kind, make in TOO_MUCH if isinstance(error, kind)), error)


def add_code(data: Any) -> Any:
    """Return ``data`` with the stable code beside ``detail``, if it has DRF's default shape.

    DRF's own handler drops the code, and a browser could not tell one 429 from another. What a
    host's own handler has made is left as it is.
    """
    detail = data.get("detail") if isinstance(data, dict) and len(data) == 1 else None
    if isinstance(detail, ErrorDetail):
        return {**data, "code": detail.code}
    return data


def bad_parameter(name: str, message: Any) -> exceptions.ValidationError:
    """Return the error for one query parameter or header, or the whole (``non_field_errors``)."""
    return ValidationError({name: [message]})
