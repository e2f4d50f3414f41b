"""Magic names: a person can see every state by naming an object after it.

A persona called ``fail:429`` makes the creation of a conversation with it answer 429, a document
called ``fail:file_empty`` ends in that error, and so on. The whole name has to match.
"""

from __future__ import annotations

CREATION_FAULTS: dict[str, str] = {
    # name of a persona -> fault (see django_tavus.sandbox.faults) of creating a conversation
    "bad_json": "garbled",
    "empty": "empty",
    "html": "html",
    "cut": "cut_after",
    "cut_before": "cut_before",
    "hang": "timeout_after",
    "concurrency": "concurrency",
    "credits": "credits",
}
"""Names that break the answer to creating a conversation."""

PREFIXED_FAULTS: dict[str, str] = {"fail:": "status:", "slow:": "slow:"}
"""Names with a number after the colon."""

NO_SHOW = "no_show"
"""The replica never joins."""
CRASH = "crash"
"""The replica fails while starting; the call is shut down with that reason."""
SILENT = "silent"
"""No callback is ever posted; the conversation can only be polled."""
MAKER_CHANGES = "maker_changes"
"""The persona has unpublished edits from the provider's own editor, until a patch is forced."""
STUCK = "stuck"
"""A document or replica never gets ready."""


def creation_fault(persona_name: str) -> str | None:
    """The fault that a persona's name asks for, or None."""
    for prefix, kind in PREFIXED_FAULTS.items():
        number = persona_name.removeprefix(prefix)
        if number != persona_name and number.replace(".", "", 1).isdigit():
            return kind + number
    return CREATION_FAULTS.get(persona_name)


def failure(name: str) -> str | None:
    """What follows ``fail:`` in the name of a document, replica or video, or None."""
    code = name.removeprefix("fail:")
    return code if code != name else None
