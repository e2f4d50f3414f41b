"""What this site says of a persona: what it is for, in a sentence.

Its prompt and context stay with the staff; a visitor sees these words of our own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from django.db.models import Q, QuerySet

from django_tavus.models import Persona


class Part(NamedTuple):
    """A kind of partner: ``word`` in the name of a persona makes it one."""

    word: str
    role: str
    label: str
    tagline: str


CAST = (
    Part(
        "interview",
        "interviews",
        "Interviews",
        "Asks one question at a time and listens to how you tell your story.",
    ),
    Part(
        "sales",
        "sales",
        "Sales",
        "Plays the customer you are afraid of, then tells you what nearly worked.",
    ),
    Part(
        "coach",
        "coaching",
        "Coaching",
        "Listens more than talking, and helps you find your own next step.",
    ),
    Part(
        "assistant",
        "everyday",
        "Everyday",
        "Small talk, big questions, short answers. A good place to start.",
    ),
)
OTHER = Part("", "others", "Others", "Somebody to try a conversation with before it counts.")

# Written for colleagues: "Life Coach (no default replica)".
REMARK = re.compile(r"\s*\([^()]*\)\s*$")


def part_of(persona: Persona) -> Part:
    """Return what ``persona`` is here for, by its name."""
    name = persona.persona_name.lower()
    return next((part for part in CAST if part.word in name), OTHER)


def known_as(name: str) -> str:
    """Return ``name`` as visitors read it: without a remark in brackets at its end."""
    return REMARK.sub("", name) or name


def gallery() -> QuerySet[Persona]:
    """Personas to choose from, without the long and confidential texts."""
    personas: QuerySet[Persona] = Persona.objects.known().select_related("default_replica")
    unseen = ("system_prompt", "context", "greeting", "layers", "remote", "default_replica__remote")
    return personas.defer(*unseen)


def interviewers() -> QuerySet[Persona]:
    """Personas that lead interviews; whoever is there if none does."""
    found = gallery().filter(Q(persona_name__icontains=CAST[0].word))
    return found if found.exists() else gallery()
