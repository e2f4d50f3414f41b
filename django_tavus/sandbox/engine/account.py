"""The account as a whole: its resources, wired together over one world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django_tavus.sandbox.engine import stock
from django_tavus.sandbox.engine.calls import Calls
from django_tavus.sandbox.engine.canvas import Canvas
from django_tavus.sandbox.engine.conversations import Conversations, Plan
from django_tavus.sandbox.engine.dictionaries import Dictionaries
from django_tavus.sandbox.engine.documents import Documents
from django_tavus.sandbox.engine.goals import Goals
from django_tavus.sandbox.engine.guardrails import Guardrails
from django_tavus.sandbox.engine.objectives import Objectives
from django_tavus.sandbox.engine.pacing import PACES
from django_tavus.sandbox.engine.personas import Personas
from django_tavus.sandbox.engine.replicas import Replicas
from django_tavus.sandbox.engine.tools import Tools
from django_tavus.sandbox.engine.transcriptions import Transcriptions
from django_tavus.sandbox.engine.videos import Videos
from django_tavus.sandbox.engine.world import Delivery, World


@dataclass(frozen=True, slots=True)
class Quirks:
    """Points on which reports about Tavus differ; a client has to get along with both."""

    persona_body: Literal["flat", "data"] = "flat"
    """GET of a persona: flat (observed) or ``{"data": [persona]}`` (the docs' schema)."""
    document_id_key: Literal["document_id", "uuid"] = "document_id"
    """What documents call their id: current docs, or older ones and some real answers."""


class Engine:
    """Every resource of the account, and the clock that drives them."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        seed: int | None = None,
        pace: str = "quick",
        plan: Plan | None = None,
        delivery: Delivery | None = None,
        quirks: Quirks | None = None,
    ) -> None:
        self.quirks = quirks or Quirks()
        self.world = World(
            clock=clock, pacing=PACES[pace], delivery=delivery or Delivery(), seed=seed
        )
        self.replicas = Replicas(self.world)
        self.documents = Documents(self.world, self.quirks.document_id_key)
        self.personas = Personas(self.world, self.replicas, self.documents)
        self.objectives = Objectives(self.world)
        self.guardrails = Guardrails(self.world)
        self.dictionaries = Dictionaries(self.world)
        self.videos = Videos(self.world, self.replicas)
        self.transcriptions = Transcriptions(self.world)
        self.tools = Tools(self.world, self.personas)
        self.conversations = Conversations(
            self.world, plan or Plan(), self.personas, self.replicas, self.documents
        )
        self.calls = Calls(self.world, Goals(self.objectives, self.guardrails))
        self.canvas = Canvas(self.world, self.calls)
        self._stock()

    def tick(self) -> None:
        """Make everything happen that is due by now."""
        self.world.tick()

    def reset(self) -> None:
        """A new account: nothing but the stock."""
        self.world.clear()
        for resource in (
            self.conversations,
            self.replicas,
            self.documents,
            self.personas,
            self.objectives,
            self.guardrails,
            self.dictionaries,
            self.videos,
            self.transcriptions,
            self.tools,
        ):
            resource.clear()
        self._stock()

    def _stock(self) -> None:
        for replica in stock.REPLICAS:
            self.replicas.add(owner="system", **replica)
        for persona in stock.PERSONAS:
            self.personas.add(owner="system", **persona)
        for document in stock.DOCUMENTS:
            self.documents.add(**document)
