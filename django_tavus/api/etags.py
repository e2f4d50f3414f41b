"""Conditional GET: an answer that has not changed for this viewer is not sent again."""

from __future__ import annotations

import hashlib
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from rest_framework.request import Request
from rest_framework.response import Response

from django_tavus.api.renderers import PlainJSONRenderer


def conditional(request: Request, response: Response) -> HttpResponse:
    """Return ``response`` with an ``ETag`` of what this viewer sees, or 304 if that is known."""
    content = PlainJSONRenderer().render(response.data)
    etag = quote_etag(hashlib.sha256(content).hexdigest())
    response.headers["ETag"] = etag
    # Django looks at META and method only, which DRF's request passes through.
    return (
        get_conditional_response(cast("HttpRequest", request), etag=etag, response=response)
        or response
    )
