"""How a conversation was shared: words, turns and questions of both sides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from django_tavus.models.choices import UtteranceRole

QUESTION = re.compile("[?？؟]+")
SIDES = (UtteranceRole.USER.value, UtteranceRole.REPLICA.value)


class Side(NamedTuple):
    """What one side said. ``longest`` is the length of its longest turn in words."""

    words: int = 0
    turns: int = 0
    longest: int = 0
    questions: int = 0

    def add(self, content: str) -> Side:
        """Return the same after one more turn."""
        words = len(content.split())
        if not words:
            return self
        return Side(
            words=self.words + words,
            turns=self.turns + 1,
            longest=max(self.longest, words),
            questions=self.questions + len(QUESTION.findall(content)),
        )


class Talk(NamedTuple):
    """Both sides of a conversation."""

    user: Side
    replica: Side

    @property
    def share(self) -> int:
        """The person's part of all words in percent."""
        return round(100 * self.user.words / (self.user.words + self.replica.words))

    @property
    def rest(self) -> int:
        """The replica's part; both make 100."""
        return 100 - self.share


def measure(turns: Iterable[tuple[str, str]]) -> Talk | None:
    """Measure ``turns`` (role, content); None if neither the person nor the replica spoke."""
    sides = dict.fromkeys(SIDES, Side())
    for role, content in turns:
        if role in sides:
            sides[role] = sides[role].add(content)
    talk = Talk(*(sides[role] for role in SIDES))
    return talk if talk.user.words or talk.replica.words else None
