"""Conversations: live video rooms, billed from creation to end."""

from __future__ import annotations

from django_tavus.client.resources.base import Creatable, HardDeletable, Listed, VerboselyGettable
from django_tavus.client.retry import Kind
from django_tavus.client.vocabulary import CONVERSATIONS


class Conversations(Listed, VerboselyGettable, Creatable, HardDeletable):
    """`/conversations`. Verbose objects hold `events`, the stored callbacks.

    Deleting does not end a call (observed): use `end`.
    """

    facts = CONVERSATIONS

    def end(self, conversation_id: str) -> None:
        """End a conversation; safe to repeat.

        Ending one that is over has been seen to answer 400, which raises `InvalidRequest` or
        `NotFound` here: look with `get` before taking it for a failure.
        """
        self._transport.send(
            self._call("POST", "end", kind=Kind.SAFE, tavus_id=conversation_id, wants_body=False)
        )
