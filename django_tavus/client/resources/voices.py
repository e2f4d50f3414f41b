"""Voices: stock voices for replicas made of an image."""

from __future__ import annotations

from django_tavus.client.resources.base import Listed
from django_tavus.client.vocabulary import VOICES


class Voices(Listed):
    """`/voices`: a list and nothing else."""

    facts = VOICES
