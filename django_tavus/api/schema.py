"""What drf-spectacular is told about the views; without it, nothing happens.

The ``[openapi]`` extra is optional, so this is the only module that knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from rest_framework import serializers

spectacular: Any
try:
    from drf_spectacular import utils as spectacular
except ImportError:
    spectacular = None

View = TypeVar("View")
Decorator = Callable[[View], View]

JSON = "application/json"

ERRORS: dict[int, str] = {
    400: "The request is wrong; each wrong field is named.",
    401: "Nobody is signed in (with authentication classes that ask for credentials).",
    403: "Nobody is signed in, or the permission is missing.",
    404: "There is no such object, or it is somebody else's.",
    406: "There is no such representation.",
    409: "`idempotency_conflict`, `still_running`; of an object that cannot be changed `system`, "
    "`gone`, `deleting`; of a recrawl `not_crawled`, `not_published`, `busy`.",
    412: "`If-Match` was given and the object has changed.",
    413: "The body is too large.",
    415: "The body is of a type that is not read here.",
    429: "`concurrency_limit`, `budget_exhausted`, `throttled` or `cooldown`; see `Retry-After`.",
}
ALWAYS = (401, 403, 406)


class RefusalSerializer(serializers.Serializer[Any]):
    """DRF's default shape of a refusal."""

    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable; meant for programs.")


FIELD_ERRORS: dict[str, Any] = {
    "type": "object",
    "description": "Sentences by field; `detail` and `code` where no field is to blame.",
    "additionalProperties": {},
}


def header(name: str, description: str, kind: type = str) -> Any:
    """Return a request header, or ``None`` without drf-spectacular."""
    return _parameter(name, description, "header", kind)


def query(name: str, description: str, kind: type = str, enum: tuple[str, ...] = ()) -> Any:
    """Return a query parameter, or ``None`` without drf-spectacular."""
    return _parameter(name, description, "query", kind, enum=enum or None)


def key(description: str) -> Any:
    """Return the ``key`` in the path, or ``None`` without drf-spectacular."""
    return _parameter("key", description, "path", str, required=True)


def _parameter(name: str, description: str, location: str, kind: type, **more: Any) -> Any:
    if spectacular is None:
        return None
    return spectacular.OpenApiParameter(
        name, kind, location, description=description, **{"required": False, **more}
    )


def described(
    operation_id: str,
    answers: Mapping[Any, tuple[Any, str]],
    *,
    errors: tuple[int, ...] = (),
    parameters: tuple[Any, ...] = (),
    request: Any = None,
    filters: Any = None,
) -> Decorator[Any]:
    """Return a decorator for a view's method.

    Args:
        operation_id: stable name; generated clients call their functions so.
        answers: serializer (or ``None``) and sentence by status, or by status and media type.
        errors: statuses of ``ERRORS`` beyond those that every view may answer.
        parameters: made by :func:`header`, :func:`query` and :func:`key`.
        request: serializer of the body.
        filters: ``False`` where the list's parameters and pages are not meant.
    """
    if spectacular is None:
        return _unchanged
    responses: dict[Any, Any] = {
        status: spectacular.OpenApiResponse(serializer, description=text)
        for status, (serializer, text) in answers.items()
    }
    for status in sorted({*ALWAYS, *errors}):
        body = FIELD_ERRORS if status == 400 else RefusalSerializer
        responses[status, JSON] = spectacular.OpenApiResponse(body, description=ERRORS[status])
    decorate: Decorator[Any] = spectacular.extend_schema(
        operation_id=operation_id,
        responses=responses,
        parameters=list(parameters),
        request=request,
        filters=filters,
        tags=["tavus"],
    )
    return decorate


def one_for_list(serializer: View) -> View:
    """Mark a serializer class as the whole answer of a list, which is no bare array of it."""
    if spectacular is None:
        return serializer
    marked: View = spectacular.extend_schema_serializer(many=False)(serializer)
    return marked


def _unchanged(view: View) -> View:
    return view
