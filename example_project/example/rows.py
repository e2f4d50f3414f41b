"""Conversations as this site lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import Prefetch

from django_tavus.models import Conversation, Replica, Utterance
from django_tavus.models.conversation import ConversationQuerySet
from example.cast import known_as
from example.interviews import brief_of
from example.talk import Talk, measure

# What no list shows: bodies and prompts of many kilobytes.
BULK = (
    *("remote", "perception_analysis", "replica__remote", "persona__default_replica__remote"),
    *("persona__remote", "persona__system_prompt", "persona__context", "persona__layers"),
)


class Row(NamedTuple):
    """A conversation and what is said of it in a list."""

    conversation: Conversation
    title: str
    partner: str
    face: Replica | None
    brief: dict[str, str]
    talk: Talk | None


def with_people(conversations: ConversationQuerySet) -> ConversationQuerySet:
    """Return ``conversations`` with everybody in them, in the same query."""
    return conversations.select_related("persona__default_replica", "replica")


def own_conversations(user: Any) -> ConversationQuerySet:
    """Return the conversations of ``user``, newest first."""
    spoken = Utterance.objects.only("conversation", "position", "role", "content")
    return (
        with_people(Conversation.objects.for_user(user))
        .defer(*BULK)
        .prefetch_related(Prefetch("utterances", spoken))
    )


def rows_of(conversations: Iterable[Conversation]) -> list[Row]:
    """Return a row for each conversation."""
    return [row_of(conversation) for conversation in conversations]


def row_of(conversation: Conversation) -> Row:
    """Return the row of one conversation."""
    brief, partner = brief_of(conversation), partner_of(conversation)
    turns = [(turn.role, turn.content) for turn in conversation.utterances.all()]
    return Row(
        conversation,
        title=f"Interview: {brief['job']}" if brief else partner,
        partner=partner,
        face=face_of(conversation),
        brief=brief,
        talk=measure(turns),
    )


def partner_of(conversation: Conversation) -> str:
    """Return whom one talked to, as visitors read it."""
    subject = conversation.persona or conversation.replica
    return known_as(str(subject)) if subject else "Conversation"


def face_of(conversation: Conversation) -> Replica | None:
    """Return the replica that one saw."""
    persona = conversation.persona
    return conversation.replica or (persona.default_replica if persona else None)
