from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from django_tavus.sandbox import Sandbox
from django_tavus.sandbox.server import SandboxServer
from tests.sandbox.clocks import noon

PERSONA = "pcb7a34da5fe"


class Api:
    """A `requests` session that knows where the sandbox is."""

    def __init__(self, sandbox: Sandbox, session: requests.Session) -> None:
        self.sandbox = sandbox
        self.session = session

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        return self.session.request(
            method, self.sandbox.base_url + path, json=body, params=query or None, timeout=5
        )

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        url = f"{self.sandbox.origin}/sandbox{path}"
        return self.session.request(method, url, json=body, timeout=5, allow_redirects=False)

    def converse(self, **fields: Any) -> dict[str, Any]:
        """A new conversation with a stock persona."""
        response = self("POST", "/conversations", {"persona_id": PERSONA, **fields})
        assert response.status_code == 200, response.text
        created: dict[str, Any] = response.json()
        return created


@pytest.fixture
def make() -> Callable[..., Sandbox]:
    """A sandbox whose clock stands still; keywords as for `Sandbox`."""

    def build(**options: Any) -> Sandbox:
        defaults: dict[str, Any] = {"seed": 1, "clock": noon}
        return Sandbox(**(defaults | options))

    return build


@pytest.fixture
def sandbox(make: Callable[..., Sandbox]) -> Sandbox:
    return make()


@pytest.fixture
def connect() -> Iterator[Callable[[Sandbox], Api]]:
    """Opens a session in this process on a sandbox."""
    sessions = []

    def open_session(sandbox: Sandbox) -> Api:
        session = requests.Session()
        session.headers["x-api-key"] = "any key will do"
        session.mount(sandbox.origin, sandbox.adapter())
        sessions.append(session)
        return Api(sandbox, session)

    yield open_session
    for session in sessions:
        session.close()


@pytest.fixture
def api(sandbox: Sandbox, connect: Callable[[Sandbox], Api]) -> Api:
    """The API in this process."""
    return connect(sandbox)


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[Api]:
    """The API over HTTP."""
    with SandboxServer(sandbox), requests.Session() as session:
        session.trust_env = False
        session.headers["x-api-key"] = "any key will do"
        yield Api(sandbox, session)


@pytest.fixture(params=["in_process", "http"])
def face(request: pytest.FixtureRequest) -> Api:
    """The API on either face."""
    name = {"in_process": "api", "http": "served"}[request.param]
    api: Api = request.getfixturevalue(name)
    return api
