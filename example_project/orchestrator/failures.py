"""What ends the command with one line instead of a traceback."""

from __future__ import annotations


class RunFailedError(Exception):
    """A step did not happen; the message says which, and what to do where that is known."""
