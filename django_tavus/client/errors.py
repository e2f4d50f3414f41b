"""The errors of the client: one class per meaning, not per HTTP status.

Tavus answers an unknown id with 400, a full account with 400 and an empty one with 402, so a
status alone says little. Each class also inherits the built-in exception it resembles, so that
code which knows nothing of Tavus still catches it sensibly.
"""

from __future__ import annotations

from typing import Any


class TavusError(Exception):
    """Anything that went wrong between this client and Tavus.

    The text never contains the API key; `body` has passed `redact()` and is capped in size.
    """

    code: str = "tavus_error"
    """Stable machine-readable name of the kind of error."""

    status: int | None
    """HTTP status of the answer, None if there was no answer."""
    message: str
    """A readable sentence, in the words of Tavus where it gave any."""
    body: Any
    """The answer, parsed if it was JSON, else text; secrets masked, long ones cut."""
    request: str
    """Method and path, such as "POST /conversations"."""
    field: str | None
    """The input field that the answer names as bad, dotted for nested ones."""
    reason: str
    """Finer cause within the class: `refused`, `read_timeout`, `too_large`, …"""
    retry_after: float | None
    """Seconds that Tavus asked to wait, if it did."""

    def __init__(  # every part is optional, so that pickling (args, then __dict__) works
        self,
        message: str = "",
        *,
        status: int | None = None,
        body: Any = None,
        request: str = "",
        field: str | None = None,
        reason: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.body = body
        self.request = request
        self.field = field
        self.reason = reason
        self.retry_after = retry_after

    def __str__(self) -> str:
        where = " ".join(str(part) for part in (self.request, self.status) if part)
        return f"{self.message} [{where}]" if where else self.message


class NotFound(TavusError, LookupError):  # noqa: N818 - the public names are words, not "…Error"
    """The object in the path does not exist (404, or 400 "Invalid conversation_id")."""

    code = "not_found"


class InvalidRequest(TavusError, ValueError):  # noqa: N818
    """Tavus refused the input, or the client did before sending it; `field` names the culprit."""

    code = "invalid_request"


class Authentication(TavusError, PermissionError):  # noqa: N818
    """The API key is wrong (401) or lacks access (403)."""

    code = "authentication"


class OutOfCredits(TavusError, RuntimeError):  # noqa: N818
    """The account has no conversational minutes left (402)."""

    code = "out_of_credits"


class ConcurrencyLimit(TavusError, RuntimeError):  # noqa: N818
    """The account runs as many conversations as its plan allows (400 or 429, told by text)."""

    code = "concurrency_limit"


class RateLimited(TavusError, RuntimeError):  # noqa: N818
    """Too many requests (429); `retry_after` in seconds where Tavus said so."""

    code = "rate_limited"


class Conflict(TavusError, RuntimeError):  # noqa: N818
    """The object's state forbids it (409)."""

    code = "conflict"

    @property
    def conflict(self) -> str | None:
        """Tavus's name of the conflict: `maker_changes` are unpublished edits in PAL Maker."""
        found = self.body.get("conflict") if isinstance(self.body, dict) else None
        return found if isinstance(found, str) else None


class ServerError(TavusError, RuntimeError):
    """Tavus or a gateway failed (5xx), or gave an answer that cannot be understood."""

    code = "server_error"


class ConnectionFailed(TavusError, ConnectionError):  # noqa: N818
    """No answer. `sent` tells whether the request may have reached Tavus all the same.

    For a create it is always False: a create that may have arrived raises `OutcomeUnknown`.
    """

    code = "connection_failed"

    def __init__(self, message: str = "", *, sent: bool = False, **parts: Any) -> None:
        super().__init__(message, **parts)
        self.sent = sent


class OutcomeUnknown(TavusError, TimeoutError):  # noqa: N818
    """A create that may or may not have happened: look for the object before trying again.

    Tavus has no idempotency keys, so sending it twice can cost twice.
    """

    code = "outcome_unknown"
