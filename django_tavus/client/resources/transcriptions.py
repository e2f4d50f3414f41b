"""Transcriptions: speech of a video to text, apart from conversations."""

from __future__ import annotations

from django_tavus.client.resources.base import Creatable, Deletable, Gettable, Listed
from django_tavus.client.vocabulary import TRANSCRIPTIONS


class Transcriptions(Listed, Gettable, Creatable, Deletable):
    """`/transcriptions`. Still in the OpenAPI file, but gone from the newer docs.

    The transcript of a conversation is not found here: it comes with the conversation's events.
    """

    facts = TRANSCRIPTIONS
