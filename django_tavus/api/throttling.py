"""How often one user may launch."""

from __future__ import annotations

from rest_framework.throttling import UserRateThrottle

from django_tavus.conf import get_settings


class LaunchThrottle(UserRateThrottle):
    """``TAVUS["API_THROTTLE_RATE"]`` for each user; counted in Django's default cache."""

    scope = "tavus_launch"

    def get_rate(self) -> str | None:
        """Return the rate as it is set now; ``None`` does not throttle."""
        return get_settings().API_THROTTLE_RATE

    def wait(self) -> float:
        """Return the seconds for ``Retry-After``; DRF gives none after the rate was lowered."""
        seconds: float = self.duration  # type: ignore[attr-defined]
        return super().wait() or seconds
