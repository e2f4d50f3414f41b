"""How answers are written: JSON, transcripts as text and captions, usage as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer

from django_tavus.api import captions
from django_tavus.services import metering


class PlainJSONRenderer(JSONRenderer):
    """JSON with DRF's defaults, whatever the host's ``REST_FRAMEWORK`` says."""

    ensure_ascii = False
    compact = True
    strict = True


class TranscriptRenderer(BaseRenderer):
    """Writes the body of the transcript endpoint by ``write``."""

    charset = "utf-8"

    def write(self, turns: list[Mapping[str, Any]]) -> str:
        """Return the turns in this format."""
        raise NotImplementedError

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the document; errors never come here, they are always JSON."""
        return self.write(data["transcript"]).encode("utf-8")


class TextTranscriptRenderer(TranscriptRenderer):
    """One paragraph for each turn."""

    media_type = "text/plain"
    format = "txt"

    def write(self, turns: list[Mapping[str, Any]]) -> str:
        """Return the transcript to read."""
        return captions.as_text(turns) or "\n"  # DRF takes the type from an empty answer


class WebVTTRenderer(TranscriptRenderer):
    """Captions for a recording."""

    media_type = "text/vtt"
    format = "vtt"

    def write(self, turns: list[Mapping[str, Any]]) -> str:
        """Return the transcript as WebVTT."""
        return captions.as_webvtt(turns)


class UsageCSVRenderer(BaseRenderer):
    """The rows of the usage endpoint for a spreadsheet."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the table; errors never come here, they are always JSON."""
        return metering.as_csv(data["by"], data["results"]).encode("utf-8")
