"""Answers of the views whose paths hold a token."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpResponseBase

Response = TypeVar("Response", bound=HttpResponseBase)


def unlogged(response: Response) -> Response:
    """Return ``response`` marked so that ``django.request`` does not log its path.

    Django logs 4xx and 5xx answers with their path unless a response says that it was logged.
    """
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
