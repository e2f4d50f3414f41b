"""Conditional GET: an answer that has not changed for this viewer is not sent again."""

from __future__ import annotations

import hashlib
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags, quote_etag
from rest_framework.request import Request
from rest_framework.response import Response

from django_tavus.api.errors import PreconditionFailed
from django_tavus.api.renderers import PlainJSONRenderer


def conditional(request: Request, response: Response) -> HttpResponse:
    """Return ``response`` with an ``ETag`` of what this viewer sees, or 304 if that is known.

    Raises:
        PreconditionFailed: ``If-Match`` names another version, or none.
    """
    content = PlainJSONRenderer().render(response.data)
    etag = quote_etag(hashlib.sha256(content).hexdigest())
    response.headers["ETag"] = etag
    # Django looks at META and method only, which DRF's request passes through.
    answer = get_conditional_response(cast("HttpRequest", request), etag=etag, response=response)
    is_other = answer is not None and answer.status_code == PreconditionFailed.status_code
    # Django ignores what is no ETag, and an edit would overwrite what it was to spare.
    wanted = request.headers.get("If-Match")
    if is_other or (wanted is not None and not parse_etags(wanted)):
        raise PreconditionFailed
    return answer or response
