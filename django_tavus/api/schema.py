"""What drf-spectacular is told about the views; without it, nothing happens.

The ``[openapi]`` extra is optional, so this is the only module that knows it. What it makes of
all this is ``docs/openapi.yml``.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.settings import api_settings

from django_tavus.api import refusals
from django_tavus.api.examples import EXAMPLES

spectacular: Any
try:
    from drf_spectacular import openapi, utils as spectacular
except ImportError:
    spectacular = None

View = TypeVar("View")
Decorator = Callable[[View], View]
Schema = Mapping[str, Any]

JSON = "application/json"
SECONDS: Schema = {"type": "integer", "minimum": 1}

TavusSchema: Any = api_settings.DEFAULT_SCHEMA_CLASS
if spectacular is not None:

    class TavusSchema(openapi.AutoSchema):  # type: ignore[no-redef]
        """Describes our views whatever the host's ``DEFAULT_SCHEMA_CLASS`` is."""

        def _map_serializer(self, serializer: Any, *args: Any, **kwargs: Any) -> Any:
            """Take ``openapi`` from a serializer; one with ``is_closed`` has no other members."""
            if given := getattr(serializer, "openapi", None):
                return copy.deepcopy(given)  # drf-spectacular writes into what it is given
            described: Any = super()._map_serializer
            schema: dict[str, Any] = described(serializer, *args, **kwargs)
            is_closed = getattr(serializer, "is_closed", False)
            return {**schema, "additionalProperties": False} if is_closed else schema

        def _get_parameters(self) -> list[dict[str, Any]]:
            """Say that an empty parameter counts as none, as forms send it; not when deleting."""
            parameters: list[dict[str, Any]] = super()._get_parameters()
            for one in parameters:
                if one["in"] == "query" and self.method != "DELETE":
                    one["allowEmptyValue"] = True
            return parameters


# --- parameters ---------------------------------------------------------------------------------


def header(name: str, description: str, schema: Schema | None = None) -> Any:
    """Return a request header, or ``None`` without drf-spectacular."""
    return _parameter(name, description, "header", schema)


def query(name: str, description: str, schema: Schema | None = None, **more: Any) -> Any:
    """Return a query parameter, or ``None`` without drf-spectacular."""
    return _parameter(name, description, "query", schema, **more)


def key(description: str) -> Any:
    """Return the ``key`` in the path, or ``None`` without drf-spectacular."""
    return _parameter("key", description, "path", {"type": "string", "minLength": 1}, required=True)


def answered_header(
    name: str, statuses: tuple[int, ...], description: str, schema: Schema | None = None
) -> Any:
    """Return a header of the answers with ``statuses``, or ``None`` without drf-spectacular."""
    more = {"required": True, "response": list(statuses)}
    return _parameter(name, description, "header", schema, **more)


def _parameter(
    name: str, description: str, location: str, schema: Schema | None, **more: Any
) -> Any:
    if spectacular is None:
        return None
    kind = dict(schema or {"type": "string"})
    return spectacular.OpenApiParameter(
        name, kind, location, description=description, **{"required": False, **more}
    )


IF_NONE_MATCH = header("If-None-Match", "The `ETag` of the answer at hand.")
IF_MATCH = header("If-Match", "The `ETag` of the version that is to be changed.")
ETAG = answered_header("ETag", (200,), "Of what this viewer sees.")


# --- operations ---------------------------------------------------------------------------------


def described(
    operation_id: str,
    answers: Mapping[Any, tuple[Any, str]],
    *,
    refused: tuple[int | str, ...] = (),
    parameters: tuple[Any, ...] = (),
    request: Any = None,
    filters: Any = None,
) -> Decorator[Any]:
    """Return a decorator for a view's method; examples come from ``examples.EXAMPLES``.

    Args:
        operation_id: stable name; generated clients call their functions so.
        answers: serializer (or ``None``) and sentence by status, or by status and media type.
        refused: statuses beyond those that every view may answer, and names of ``OF_STATES``.
        parameters: made by :func:`header`, :func:`query`, :func:`key`, :func:`answered_header`.
        request: serializer of the body.
        filters: ``False`` where the list's parameters and pages are not meant.
    """
    if spectacular is None:
        return _unchanged
    responses: dict[Any, Any] = {
        status: spectacular.OpenApiResponse(serializer, description=text)
        for status, (serializer, text) in answers.items()
    }
    for wanted in (*refusals.ALWAYS, *refused):
        refusal = refusals.find(wanted, has_body=request is not None)
        responses[refusal.status, JSON] = spectacular.OpenApiResponse(
            _serializer(refusal), description=refusals.describe(refusal)
        )
        if refusal.status == 429:
            parameters += (answered_header("Retry-After", (429,), "Seconds to wait.", SECONDS),)
    decorate = spectacular.extend_schema(
        operation_id=operation_id,
        responses=responses,
        parameters=list(parameters),
        request=request,
        filters=filters,
        examples=list(_examples(operation_id)),
        tags=["tavus"],
    )

    def decorator(method: Any) -> Any:
        method.kwargs = {**getattr(method, "kwargs", {}), "schema": TavusSchema}
        return decorate(method)

    return decorator


@functools.cache
def _serializer(refusal: refusals.Refusal) -> type:
    name, shape = f"{refusal.name}Serializer", refusals.schema(refusal)
    return type(name, (serializers.Serializer,), {"openapi": shape})


def _examples(operation_id: str) -> Iterator[Any]:
    for place, examples in EXAMPLES.get(operation_id, {}).items():
        status, media_type = place if isinstance(place, tuple) else (place, JSON)
        where: dict[str, Any] = {"response_only": True, "status_codes": [str(status)]}
        if status == "request":
            where = {"request_only": True}
        for name, value in examples.items():
            yield spectacular.OpenApiExample(name, value, media_type=media_type, **where)


# --- what serializers look like ------------------------------------------------------------------


def one_for_list(serializer: View) -> View:
    """Mark a serializer class as the whole answer of a list, which is no bare array of it."""
    if spectacular is None:
        return serializer
    marked: View = spectacular.extend_schema_serializer(many=False)(serializer)
    return marked


def typed(schema: Schema) -> Decorator[Any]:
    """Return a decorator that gives the schema of a field class or a method of a serializer."""
    if spectacular is None:
        return _unchanged
    decorator: Decorator[Any] = spectacular.extend_schema_field(dict(schema))
    return decorator


def one_of(name: str, *serializers: type) -> Any:
    """Return a body that is one of several; the first of them without drf-spectacular."""
    if spectacular is None:
        return serializers[0]
    return spectacular.PolymorphicProxySerializer(
        component_name=name, serializers=list(serializers), resource_type_field_name=None
    )


def _unchanged(view: View) -> View:
    return view
