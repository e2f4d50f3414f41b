"""A request before it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django_tavus.client.errors import InvalidRequest
from django_tavus.client.retry import Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request, as a resource wants it made."""

    method: str
    path: str
    kind: Kind
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """What is sent as JSON; None sends no body."""
    subject: str | None = None
    """Id key of the object in the path, None for creates and lists."""
    input_names: Mapping[str, str] = field(default_factory=dict)
    """See `Facts.input_names`."""
    wants_body: bool = True
    """Whether the answer has to be JSON; `end` and `delete` answer with nothing."""
    may_be_unchanged: bool = False
    """Whether 304 is an answer (JSON Patch that changes nothing)."""

    @property
    def name(self) -> str:
        """Method and path, for errors and logs."""
        return f"{self.method} {self.path}"

    def encoded(self) -> bytes | None:
        """Return the body as bytes. Raises `InvalidRequest` for what JSON cannot express."""
        if self.body is None:
            return None
        try:
            return json.dumps(self.body, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            # not chained: the text of such an error may quote the value, and that may be a key
            problem = "The request holds something that JSON cannot express."
        raise InvalidRequest(problem, request=self.name)


def segment(name: str, value: object) -> str:
    """Return an id as one safe path segment.

    Raises `InvalidRequest` for an empty one (`DELETE /conversations/` is another thing) and for
    dots, which HTTP libraries resolve: `/conversations/../personas`.
    """
    if not isinstance(value, str) or not value.strip() or value in {".", ".."}:
        raise InvalidRequest(f"{name} has to be a non-empty text.", field=name)
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:  # a lone surrogate
        raise InvalidRequest(f"{name} has characters no URL can hold.", field=name) from None
