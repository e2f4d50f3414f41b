"""Refusals of our own, before Tavus is asked."""

from __future__ import annotations


class LaunchRefusedError(Exception):
    """A launch that is not even queued.

    Attributes:
        code: stable code (``concurrency_limit`` or ``budget_exhausted``).
        message: what happened and what to do.
        retry_after: seconds after which it may work.
    """

    def __init__(self, code: str, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


class IdempotencyConflictError(Exception):
    """The same idempotency key came with another request."""
