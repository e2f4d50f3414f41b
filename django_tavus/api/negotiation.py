"""Which representation is answered: by ``Accept``, or by ``?format=``."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer


class FormatNegotiation(DefaultContentNegotiation):
    """DRF's negotiation, deaf to the host's ``URL_FORMAT_OVERRIDE``."""

    settings: Any = SimpleNamespace(URL_FORMAT_OVERRIDE="format")

    def filter_renderers(
        self,
        renderers: Iterable[BaseRenderer],
        format: str,  # noqa: A002 - DRF's name
    ) -> list[BaseRenderer]:
        """Return the renderers of ``format``.

        Raises:
            NotAcceptable: there is none; DRF says 404, as if the object did not exist.
        """
        fitting = [renderer for renderer in renderers if renderer.format == format]
        if not fitting:
            raise NotAcceptable(available_renderers=list(renderers))
        return fitting
