"""A fake network at the one seam there is: the transport adapter of a `requests.Session`."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

URL = "https://tavus.test/v2"
KEY = "key-0123456789abcdef"


@dataclass(frozen=True)
class Sent:
    """One request that reached the network."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    timeout: Any

    @property
    def path(self) -> str:
        return urlsplit(self.url).path.removeprefix("/v2")

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Wire(BaseAdapter):
    """Answers in the order queued; the last one is repeated."""

    sent: list[Sent] = field(default_factory=list)
    queue: list[HTTPResponse | Exception] = field(default_factory=list)
    closed: bool = False

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", self)
        session.mount("http://", self)
        return session

    def answers(
        self,
        status: int = 200,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Wire:
        """Queue an answer: `body` as JSON, or `raw` bytes."""
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        self.queue.append(response(status, content, headers))
        return self

    def fails(self, error: Exception) -> Wire:
        """Queue a failure of the network."""
        self.queue.append(error)
        return self

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        raw = request.body
        self.sent.append(
            Sent(
                method=str(request.method),
                url=str(request.url),
                headers=dict(request.headers),
                body=None if raw is None else json.loads(raw),
                timeout=kwargs["timeout"],
            )
        )
        answer = self.queue.pop(0) if len(self.queue) > 1 else self.queue[0]
        if isinstance(answer, Exception):
            raise answer
        if len(self.queue) == 1 and self.queue[0] is answer:
            answer, self.queue[0] = self._twice(answer)
        built: requests.Response = HTTPAdapter().build_response(request, answer)
        return built

    def close(self) -> None:
        self.closed = True

    def _twice(self, answer: HTTPResponse) -> tuple[HTTPResponse, HTTPResponse]:
        content = answer.read(decode_content=False)
        headers = dict(answer.headers)
        return response(answer.status, content, headers), response(answer.status, content, headers)


def response(status: int, content: bytes, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """An answer as urllib3 hands it to `requests`."""
    return HTTPResponse(
        body=io.BytesIO(content),
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
        preload_content=False,
        decode_content=False,
    )
