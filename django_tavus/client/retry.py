"""When to send a request again, and after how long: pure, without clock, sleep or dice.

Safe requests are sent again after anything that may pass. A create is sent again only where
nothing can have happened at Tavus: there are no idempotency keys, and a conversation costs money.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from django_tavus.client.errors import ConnectionFailed, RateLimited, ServerError, TavusError

PASSING_STATUSES = frozenset({500, 502, 503, 504, 520, 521, 522, 523, 524})
"""Server errors that may be gone a moment later; 501 or 505 will not, 52x are Cloudflare's."""
_LONGEST_RETRY_AFTER = 86400.0
"""Seconds; a longer wait is told as a day."""


class Kind(Enum):
    """What sending a request twice would do."""

    SAFE = "safe"
    """Nothing: GET, DELETE, ending a conversation, validating."""
    CREATE = "create"
    """Perhaps make, and bill, a second object."""
    CHANGE = "change"
    """Perhaps fail, or apply a patch twice: PATCH, PUT, recrawl."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How often and how patiently requests are repeated. Times in seconds."""

    tries: int = 3
    """Tries of a safe request, the first included."""
    create_tries: int = 2
    """Tries of anything else; each but the first only if nothing can have happened."""
    backoff: float = 0.5
    """Wait before the second try; doubles with each further one."""
    backoff_cap: float = 8.0
    """Longest wait of our own choosing."""
    retry_after_cap: float = 30.0
    """Longest `Retry-After` that is slept; beyond it the error is raised at once."""

    def delay(self, kind: Kind, attempt: int, error: TavusError, dice: float) -> float | None:
        """Seconds to wait before the next try, None to give up and raise `error`.

        `attempt` counts from 1, `dice` is a random number from 0 up to 1 for the jitter.
        """
        if attempt >= self._allowed(kind) or not _may_pass(kind, error):
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.retry_after_cap else None
        return self._backoff(attempt) * (0.5 + dice / 2)

    def _allowed(self, kind: Kind) -> int:
        return self.tries if kind is Kind.SAFE else self.create_tries

    def _backoff(self, attempt: int) -> float:
        # the exponent is bounded: 2.0**1024 raises OverflowError
        return float(min(self.backoff * 2.0 ** min(attempt - 1, 60), self.backoff_cap))


def _may_pass(kind: Kind, error: TavusError) -> bool:
    if isinstance(error, ConnectionFailed):
        return kind is Kind.SAFE or not error.sent
    if isinstance(error, RateLimited):
        return kind is Kind.SAFE or error.retry_after is not None
    if isinstance(error, ServerError):
        return kind is Kind.SAFE and error.status in PASSING_STATUSES
    return False


def read_retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds meant by a `Retry-After` header (a number or an HTTP date), None if unreadable.

    Never negative, never more than a day.
    """
    text = (value or "").strip()
    if not text:
        return None
    seconds = float(text) if _is_number(text) else _seconds_until(text, now or datetime.now(UTC))
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _is_number(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).isdigit()


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - now).total_seconds()
