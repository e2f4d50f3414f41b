"""What the sandbox was asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 10_000
"""Requests that are remembered; older ones are forgotten."""

SECRET_HEADERS = {"x-api-key", "authorization", "cookie"}


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request to the API, without the key it came with."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    """The parsed JSON; None where there was none, the text where it was not JSON."""
    headers: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """For the control call."""
        return asdict(self)


def public_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers without credentials."""
    return {name: value for name, value in headers if name.lower() not in SECRET_HEADERS}


def remember(requests: list[RecordedRequest], request: RecordedRequest) -> None:
    """Append, and forget the oldest."""
    requests.append(request)
    del requests[:-KEPT]
