"""Videos: generated from a script or a sound file, without a conversation."""

from __future__ import annotations

from django_tavus.client.resources.base import Creatable, HardDeletable, Listed, VerboselyGettable
from django_tavus.client.retry import Kind
from django_tavus.client.vocabulary import VIDEOS


class Videos(Listed, VerboselyGettable, Creatable, HardDeletable):
    """`/videos`. Pages count from 0; dates come in a format of their own, see `parse_datetime`."""

    facts = VIDEOS

    def rename(self, video_id: str, video_name: str) -> None:
        """Give a video another name."""
        self._transport.send(
            self._call(
                "PATCH",
                "name",
                kind=Kind.CHANGE,
                tavus_id=video_id,
                body={"video_name": video_name},
                wants_body=False,  # documented 200 with a body, observed 204
            )
        )
