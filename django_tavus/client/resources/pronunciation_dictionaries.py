"""Pronunciation dictionaries: how a voice says certain words."""

from __future__ import annotations

from django_tavus.client.resources.base import Creatable, Deletable, Gettable, JsonPatched, Listed
from django_tavus.client.vocabulary import PRONUNCIATION_DICTIONARIES


class PronunciationDictionaries(Listed, Gettable, Creatable, JsonPatched, Deletable):
    """`/pronunciation-dictionaries`. Pages count from 0; lists leave `rules` out."""

    facts = PRONUNCIATION_DICTIONARIES
