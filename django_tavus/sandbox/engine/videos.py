"""Videos: a replica reads a script, without anybody to talk to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_tavus.sandbox.engine import dates, magic
from django_tavus.sandbox.engine.collection import Collection, Owner, Stored
from django_tavus.sandbox.engine.refusals import Refusal, invalid
from django_tavus.sandbox.engine.replicas import Replicas
from django_tavus.sandbox.engine.world import World

SUCCESS = "Your request has processed successfully!"
FAILURE = "An error occurred while generating this request."
PROGRESS = {"queued": 0, "generating": 50, "ready": 100, "error": 50}


@dataclass
class Video(Stored):
    """A video; ``status`` is ``queued``, ``generating``, ``ready`` or ``error``."""

    status: str = "ready"

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.body["video_name"])


class Videos(Collection[Video]):
    """What can be done with videos."""

    def __init__(self, world: World, replicas: Replicas) -> None:
        super().__init__(world)
        self.replicas = replicas

    def create(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Queue a video."""
        if bool(fields.get("script")) == bool(fields.get("audio_url")):
            raise Refusal(400, "Either script or audio_url must be provided.")
        if fields.get("transparent_background") and not fields.get("fast"):
            raise Refusal(400, "transparent_background requires fast")
        self.replicas.find(fields["replica_id"])
        video = self.add(status="queued", **fields)
        self.world.after(self.world.pacing.video_starts, lambda: self._generate(video))
        return {
            "video_id": video.id,
            "video_name": video.name,
            "status": video.status,
            "hosted_url": self._hosted(video),
            "created_at": dates.rfc1123(video.created_at),  # only here (Tavus docs)
        }

    def add(self, *, owner: Owner = "user", status: str = "ready", **body: Any) -> Video:
        """Put a video into the account, with a given ``video_id`` if there is one."""
        now = self.world.now()
        video_id = body.pop("video_id", None) or self.world.new_id("", 10)
        filled = {"video_name": f"Video {video_id}"} | body
        return self.put(Video(video_id, owner, now, now, filled, status=status))

    def find(self, video_id: str) -> Video:
        """The video, or the refusal."""
        if video_id not in self:
            raise invalid("video_id")
        return self[video_id]

    def rename(self, video: Video, name: str) -> None:
        """Give it another name."""
        video.body["video_name"] = name
        self.touch(video)

    def detail(self, video: Video, *, verbose: bool = False) -> dict[str, Any]:
        """The answer to GET, and an item of the list; thumbnails only with ``verbose``."""
        ready = video.status == "ready"
        file = f"https://stream.sandbox.invalid/{video.id}"
        answer = {
            "video_id": video.id,
            "video_name": video.name,
            "status": video.status,
            "data": {key: video.body[key] for key in ("script", "audio_url") if key in video.body},
            "replica_id": video.body.get("replica_id", ""),
            "download_url": f"{file}/high.mp4?download=video" if ready else "",
            "stream_url": f"{file}.m3u8" if ready else "",
            "hosted_url": self._hosted(video),
            "status_details": {"ready": SUCCESS, "error": FAILURE}.get(video.status, ""),
            "generation_progress": f"{PROGRESS.get(video.status, 0)}/100",
            "created_at": dates.micros(video.created_at),
            "updated_at": dates.micros(video.updated_at),
        }
        if verbose:
            answer["still_image_thumbnail_url"] = f"{file}/thumbnail.jpg" if ready else ""
            answer["gif_thumbnail_url"] = f"{file}/thumbnail.gif" if ready else ""
        return answer

    def _hosted(self, video: Video) -> str:
        return f"https://tavus.video/{video.id}"

    def _generate(self, video: Video) -> None:
        self._become(video, "generating")
        self.world.after(self.world.pacing.video_ready, lambda: self._finish(video))

    def _finish(self, video: Video) -> None:
        self._become(video, "error" if magic.failure(video.name) else "ready")
        if video.id not in self:
            return
        body = self.detail(video) | {
            # On an error the sentence is in status_details, and this is null (Tavus docs).
            "error_details": None,
            "created_at": dates.naive(video.created_at),
            "updated_at": dates.naive(video.updated_at),
        }
        self.world.post(video.body.get("callback_url", ""), body)

    def _become(self, video: Video, status: str) -> None:
        video.status = status
        self.touch(video)
