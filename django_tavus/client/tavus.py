"""The client: one object, a resource per remote collection."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import requests

from django_tavus.client.resources.conversations import Conversations
from django_tavus.client.resources.documents import Documents
from django_tavus.client.resources.guardrails import Guardrails
from django_tavus.client.resources.objectives import Objectives
from django_tavus.client.resources.personas import Personas
from django_tavus.client.resources.pronunciation_dictionaries import PronunciationDictionaries
from django_tavus.client.resources.replicas import Replicas
from django_tavus.client.resources.tools import Tools
from django_tavus.client.resources.transcriptions import Transcriptions
from django_tavus.client.resources.videos import Videos
from django_tavus.client.resources.voices import Voices
from django_tavus.client.retry import RetryPolicy
from django_tavus.client.transport import Transport

BASE_URL = "https://tavusapi.com/v2"


class TavusClient:
    """The Tavus API v2, without Django.

    `timeout` is (connect, read) in seconds. `session` is any `requests.Session`, which then is
    the caller's to close; the client's own one (`new_session()`) also limits every exchange as a
    whole to the sum of both. A session is for one thread: give each thread its own.

    Every method raises a `TavusError` and nothing else when Tavus or the network misbehaves.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = BASE_URL,
        timeout: Sequence[float] = (5, 30),
        session: requests.Session | None = None,
        retry: RetryPolicy | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.base_url = base_url
        self._transport = transport = Transport(
            api_key,
            base_url=base_url,
            timeout=timeout,
            session=session,
            retry=retry or RetryPolicy(),
            sleep=sleep,
        )
        self.conversations = Conversations(transport)
        self.personas = Personas(transport)
        self.replicas = Replicas(transport)
        self.voices = Voices(transport)
        self.documents = Documents(transport)
        self.objectives = Objectives(transport)
        self.guardrails = Guardrails(transport)
        self.videos = Videos(transport)
        self.pronunciation_dictionaries = PronunciationDictionaries(transport)
        self.tools = Tools(transport)
        self.transcriptions = Transcriptions(transport)

    def __repr__(self) -> str:
        return f"<TavusClient {self.base_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, if the session is the client's own."""
        self._transport.close()
