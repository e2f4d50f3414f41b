from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_tavus.client import RetryPolicy, TavusClient
from tests.client.wire import KEY, URL, Wire


@pytest.fixture
def wire() -> Wire:
    """The network: hands out queued answers and remembers requests."""
    return Wire()


@pytest.fixture
def sleeps() -> list[float]:
    """The waits between tries, in seconds."""
    return []


@pytest.fixture
def tavus(wire: Wire, sleeps: list[float]) -> Iterator[TavusClient]:
    """A client with the default policy on the fake network; it never really sleeps."""
    with TavusClient(KEY, base_url=URL, session=wire.session(), sleep=sleeps.append) as client:
        yield client


@pytest.fixture
def once(wire: Wire) -> Iterator[TavusClient]:
    """A client that tries everything once."""
    policy = RetryPolicy(tries=1, create_tries=1)
    with TavusClient(KEY, base_url=URL, session=wire.session(), retry=policy) as client:
        yield client
