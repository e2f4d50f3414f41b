"""What resources have in common: listing, fetching, creating, patching, deleting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from django_tavus.client.calls import Call, segment
from django_tavus.client.errors import InvalidRequest
from django_tavus.client.exchange import Answer
from django_tavus.client.pagination import PAGE_SIZE, Page, read_page, walk
from django_tavus.client.retry import Kind
from django_tavus.client.transport import Transport
from django_tavus.client.vocabulary import (
    Facts,
    Row,
    UnreadableAnswerError,
    clashes,
    one,
    renamed,
    rows_of,
)

Operations = Sequence[Mapping[str, Any]]
"""A JSON Patch: `[{"op": "add", "path": "/greeting", "value": "Hi"}]`."""
QueryValue = str | int | bool | Sequence[str] | None
"""A query parameter: sequences are joined by commas, None is left out."""

_COLLECTION: Final = object()
"""The default of `tavus_id`; not None, or `delete(None)` would reach for the whole collection."""


class Resource:
    """One remote resource, reached through the transport of its client."""

    facts: ClassVar[Facts]

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.facts.path}>"

    def _call(
        self,
        method: str,
        *suffix: str,
        kind: Kind = Kind.SAFE,
        tavus_id: object = _COLLECTION,
        query: Mapping[str, QueryValue] | None = None,
        body: Any = None,
        wants_body: bool = True,
        may_be_unchanged: bool = False,
    ) -> Call:
        own = () if tavus_id is _COLLECTION else (segment(self.facts.id_key, tavus_id),)
        return Call(
            method=method,
            path="/".join((self.facts.path, *own, *suffix)),
            kind=kind,
            query=query_of(query or {}),
            body=body,
            subject=None if tavus_id is _COLLECTION else self.facts.id_key,
            input_names=self.facts.input_names,
            wants_body=wants_body,
            may_be_unchanged=may_be_unchanged,
        )

    def _row(self, call: Call, tavus_id: str | None = None) -> Row:
        answer = self._transport.send(call)
        try:
            return one(answer.body, self.facts, tavus_id=tavus_id)
        except UnreadableAnswerError as error:
            why = str(error)
        raise self._transport.unreadable(call, answer, why)

    def _object(self, call: Call) -> Row:
        """Return an answer that is an object but not one with an id of ours."""
        answer = self._transport.send(call)
        return self._shaped(call, answer)

    def _shaped(self, call: Call, answer: Answer) -> Row:
        if not isinstance(answer.body, dict):
            raise self._transport.unreadable(call, answer, "it is not a JSON object")
        return answer.body

    def _patch(self, tavus_id: str, operations: Operations) -> bool:
        if not operations and not isinstance(operations, Mapping):
            return False
        answer = self._transport.send(
            self._call(
                "PATCH",
                kind=Kind.CHANGE,
                tavus_id=tavus_id,
                body=_checked(operations),
                wants_body=False,
                may_be_unchanged=True,
            )
        )
        return not answer.is_unchanged


class Listed(Resource):
    """A resource with a list."""

    def list(
        self,
        *,
        page: int | None = None,
        limit: int | None = None,
        strict: bool = True,
        **filters: QueryValue,
    ) -> Page:
        """Return one page of rows.

        `page` counts from 0 or 1 as the remote does (`facts.first_page`); left out, it is the
        first. Filters are those of the remote list (`facts.filters`); any other is a TypeError,
        since Tavus ignores unknown ones and would answer with everything. A row whose members
        have wrong types makes the page unreadable, unless not `strict`: then it is returned as
        it is.
        """
        self._check_filters(filters)
        call = self._call("GET", query={"page": page, "limit": limit, **filters})
        answer = self._transport.send(call)
        try:
            rows = rows_of(answer.body, self.facts, strict=strict)
        except UnreadableAnswerError as error:
            why = str(error)
        else:
            return read_page(answer.body, rows, facts=self.facts, page=page, limit=limit)
        raise self._transport.unreadable(call, answer, why)

    def iterate(self, *, limit: int = PAGE_SIZE, **filters: QueryValue) -> Iterator[Row]:
        """Yield every row once, fetching pages of `limit` rows as they are wanted.

        Rows that move between pages meanwhile are neither repeated nor, where Tavus tells
        `total_count`, missed.
        """
        self._check_filters(filters)
        query: dict[str, Any] = dict(filters)

        def fetch(page: int, size: int) -> Page:
            return self.list(page=page, limit=size, **query)

        return walk(fetch, facts=self.facts, limit=limit)

    def _check_filters(self, filters: Mapping[str, QueryValue]) -> None:
        if unknown := sorted(set(filters) - self.facts.filters):
            known = ", ".join(sorted({"page", "limit", *self.facts.filters}))
            raise TypeError(f"unknown filter {unknown[0]!r}; {self.facts.path} has {known}")


class Gettable(Resource):
    """A resource whose objects can be fetched one at a time."""

    def get(self, tavus_id: str) -> Row:
        """Return one object. Raises `NotFound` for an unknown id."""
        return self._row(self._call("GET", tavus_id=tavus_id), tavus_id)


class VerboselyGettable(Resource):
    """The same, with a `verbose` form that holds more."""

    def get(self, tavus_id: str, *, verbose: bool = False) -> Row:
        """Return one object, with everything Tavus knows if `verbose`. Raises `NotFound`."""
        query = {"verbose": True} if verbose else None
        return self._row(self._call("GET", tavus_id=tavus_id, query=query), tavus_id)


class Creatable(Resource):
    """A resource in which objects can be made."""

    def create(self, **fields: Any) -> Row:
        """Make an object of exactly the given request fields and return Tavus's answer.

        Raises `OutcomeUnknown` where it may have been made although no clear answer came: a
        time-out, a cut, a 5xx, an unreadable answer. `ConnectionFailed`: it was not made.
        """
        return self._row(self._call("POST", kind=Kind.CREATE, body=request_fields(fields)))


class JsonPatched(Resource):
    """A resource that is changed by JSON Patch."""

    def update(self, tavus_id: str, operations: Operations) -> bool:
        """Apply a JSON Patch (RFC 6902, see `diff`) and return whether it changed anything.

        Tavus answers 304 to a patch that changes nothing; an empty one is not sent.
        """
        return self._patch(tavus_id, operations)


class Deletable(Resource):
    """A resource whose objects can be deleted."""

    def delete(self, tavus_id: str) -> None:
        """Delete one object. Raises `NotFound` for an unknown id."""
        self._transport.send(self._call("DELETE", tavus_id=tavus_id, wants_body=False))


class HardDeletable(Resource):
    """A resource whose objects can be deleted with all their assets."""

    def delete(self, tavus_id: str, *, hard: bool = False) -> None:
        """Delete one object; `hard` also erases its assets, irrevocably. Raises `NotFound`."""
        query = {"hard": True} if hard else None
        self._transport.send(self._call("DELETE", tavus_id=tavus_id, query=query, wants_body=False))


def request_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return request fields in the persona/replica vocabulary.

    Raises `InvalidRequest` for two names of one thing: Tavus would answer 400.
    """
    for ours, alias in clashes(fields):
        raise InvalidRequest(f"{ours} and {alias} mean the same; give one of them.", field=alias)
    return renamed(fields)


def query_of(values: Mapping[str, QueryValue]) -> dict[str, str]:
    """Return query parameters as texts: booleans in lower case, as the official clients do."""
    return {name: _query_text(value) for name, value in values.items() if value is not None}


def _query_text(value: QueryValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    return ",".join(str(item) for item in value or ())


def _checked(operations: Operations) -> list[dict[str, Any]]:
    """Refuse a plain object: Tavus answers it with 422 "Invalid JSON patch format"."""
    if isinstance(operations, Mapping | str) or not all(map(_is_operation, operations)):
        raise InvalidRequest("A JSON Patch is a list of operations with `op` and `path`.")
    return [dict(operation) for operation in operations]


def _is_operation(value: object) -> bool:
    return isinstance(value, Mapping) and {"op", "path"} <= value.keys()
