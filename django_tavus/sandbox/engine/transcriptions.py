"""Transcriptions of video files, an older service beside the conversations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_tavus.sandbox.engine import dates
from django_tavus.sandbox.engine.collection import Collection, Owner, Stored
from django_tavus.sandbox.engine.refusals import invalid

TEXT = "This is what was said in the video."


@dataclass
class Transcription(Stored):
    """A transcription; ``status`` is ``started`` or ``completed``."""

    status: str = "completed"


class Transcriptions(Collection[Transcription]):
    """What can be done with transcriptions."""

    def create(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Start one; it takes as long as a video does to be generated."""
        transcription = self.add(status="started", **fields)
        self.world.after(self.world.pacing.video_ready, lambda: self._finish(transcription))
        return {
            "transcription_id": transcription.id,
            "status": transcription.status,
            "callback_url": fields["callback_url"],
        }

    def add(
        self, *, owner: Owner = "user", status: str = "completed", **body: Any
    ) -> Transcription:
        """Put one into the account, with a given ``transcription_id`` if there is one."""
        now = self.world.now()
        given = body.pop("transcription_id", None) or self.world.new_id("t", 11)
        return self.put(Transcription(given, owner, now, now, body, status=status))

    def find(self, transcription_id: str) -> Transcription:
        """The transcription, or the refusal."""
        if transcription_id not in self:
            raise invalid("transcription_id")
        return self[transcription_id]

    def detail(self, transcription: Transcription) -> dict[str, Any]:
        """The answer to GET, and an item of the list."""
        return {
            "transcription_id": transcription.id,
            "file_url": transcription.body.get("file_url", ""),
            "text": TEXT if transcription.status == "completed" else "",
            "status": transcription.status,
            "created_at": dates.seconds(transcription.created_at),
        }

    def _finish(self, transcription: Transcription) -> None:
        if self.get(transcription.id) is transcription:
            transcription.status = "completed"
            self.world.post(transcription.body.get("callback_url", ""), self.detail(transcription))
