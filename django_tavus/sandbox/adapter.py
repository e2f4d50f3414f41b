"""The in-process face: a transport for `requests` that opens no socket."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPResponse
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from django_tavus.sandbox.faults import Interrupted

if TYPE_CHECKING:
    from django_tavus.sandbox.wire.app import App


class InProcessAdapter(BaseAdapter):
    """Hands requests to the application and its answers back.

    Nothing sleeps: an answer later than the read time-out raises `requests.ReadTimeout` after its
    effect, an earlier one comes at once. A cut connection raises `requests.ConnectionError`.
    """

    def __init__(self, app: App) -> None:
        super().__init__()
        self.app = app

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature of requests
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Answer one request."""
        try:
            response, late = self.app.respond(_request(request))
        except Interrupted as interruption:
            if interruption.manner == "hang":
                raise requests.ReadTimeout("Read timed out.", request=request) from None
            message = "Remote end closed connection without response"
            raise requests.ConnectionError(message, request=request) from None
        patience = timeout[1] if isinstance(timeout, tuple) else timeout
        if patience is not None and late > patience:
            raise requests.ReadTimeout("Read timed out.", request=request)
        return _response(request, response)

    def close(self) -> None:
        """There is nothing to close."""


def _request(request: requests.PreparedRequest) -> Request:
    content = request.body or b""
    builder = EnvironBuilder(
        method=request.method or "GET",
        base_url=_origin(request),
        path=request.path_url,
        headers=list(request.headers.items()),
        data=content.encode() if isinstance(content, str) else content,
    )
    return Request(builder.get_environ())


def _origin(request: requests.PreparedRequest) -> str:
    return (request.url or "")[: -len(request.path_url)] or "http://sandbox.invalid"


def _response(request: requests.PreparedRequest, answer: Response) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status_code
    response.headers = CaseInsensitiveDict(answer.headers.items())
    response.encoding = get_encoding_from_headers(response.headers)
    response.url = request.url or ""
    response.request = request
    response.reason = answer.status.partition(" ")[2]
    response.raw = HTTPResponse(
        body=io.BytesIO(answer.get_data()), status=answer.status_code, preload_content=False
    )
    return response
