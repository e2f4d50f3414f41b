"""Replicas (Faces): trained for a while, then ready, or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_tavus.sandbox.engine import dates, magic
from django_tavus.sandbox.engine.collection import Collection, Owner, Stored
from django_tavus.sandbox.engine.refusals import Refusal, invalid
from django_tavus.sandbox.engine.voices import VOICES

SOURCES = "Either train_video_url or train_image_url must be provided."

TRAINING_ERRORS: dict[str, str] = {
    # code in the docs -> the sentence that callback and GET carry; the code itself is never sent
    "video_duration": "There was an issue processing your training video. "
    "The video is shorter than the minimum of one minute.",
    "consent_phrase_mismatch": "There was an issue processing your training video. "
    "The consent statement could not be verified.",
    "download_link": "There was an issue downloading your training video.",
}
OTHER_ERROR = "There was an issue processing your training video."


@dataclass
class Replica(Stored):
    """A replica; ``status`` is ``started``, ``completed`` or ``error``."""

    status: str = "completed"
    error_message: str | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.body.get("replica_name") or f"Replica {self.id}")


class Replicas(Collection[Replica]):
    """What can be done with replicas."""

    def create(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Start a training."""
        self._check(fields)
        now = self.world.now()
        replica_id = self.world.new_id("r", 11)
        body = {"replica_name": f"Replica {replica_id}", "model_name": "phoenix-4"} | fields
        replica = self.put(Replica(replica_id, "user", now, now, body, status="started"))
        if replica.name != magic.STUCK:
            self.world.after(self.world.pacing.training, lambda: self._finish(replica))
        return {"replica_id": replica.id, "status": replica.status}

    def add(self, *, owner: Owner = "system", **body: Any) -> Replica:
        """Put a finished replica with a given ``replica_id`` into the account."""
        now = self.world.now()
        replica_id = body.pop("replica_id", None) or self.world.new_id("r", 11)
        status = body.pop("status", "completed")
        defaults = {"replica_name": f"Replica {replica_id}", "model_name": "phoenix-4"}
        return self.put(Replica(replica_id, owner, now, now, defaults | body, status=status))

    def find(self, replica_id: str, error: str = "replica_id") -> Replica:
        """The replica, or the refusal with the word that this place uses for the id."""
        if replica_id not in self:
            raise invalid(error)
        return self[replica_id]

    def select(
        self, *, owner: str | None, ids: str | None, model_name: str | None
    ) -> list[Replica]:
        """The filters of the list; ``ids`` is comma-separated."""
        wanted = {part.strip() for part in (ids or "").split(",") if part.strip()}
        return [
            row
            for row in self.owned_by(owner)
            if (not wanted or row.id in wanted) and model_name in (None, row.body["model_name"])
        ]

    def rename(self, replica: Replica, name: str) -> None:
        """Give it another name."""
        replica.body["replica_name"] = name
        self.touch(replica)

    def delete(self, replica: Replica) -> None:
        """Delete a replica of the user's own."""
        if replica.owner == "system":
            # The text is a guess: the docs only say that stock replicas cannot be deleted.
            raise Refusal(400, "System replicas cannot be deleted")
        self.remove(replica.id)

    def row(self, replica: Replica, *, verbose: bool = False) -> dict[str, Any]:
        """An item of the list; the type is in it only with ``verbose``."""
        row = {
            "replica_id": replica.id,
            "replica_name": replica.name,
            "thumbnail_video_url": replica.body.get("thumbnail_video_url", ""),
            "training_progress": f"{self._progress(replica)}/100",
            "status": replica.status,
            "created_at": dates.millis(replica.created_at),
            "model_name": replica.body["model_name"],
        }
        return row | ({"replica_type": replica.owner} if verbose else {})

    def detail(self, replica: Replica, *, verbose: bool = False) -> dict[str, Any]:
        """The answer to GET."""
        return self.row(replica, verbose=verbose) | {
            "updated_at": dates.millis(replica.updated_at),
            "error_message": replica.error_message,
        }

    def _progress(self, replica: Replica) -> int:
        if replica.status != "started":
            return 100 if replica.status == "completed" else 0
        elapsed = (self.world.now() - replica.created_at).total_seconds()
        return min(99, int(100 * elapsed / self.world.pacing.training))

    def _check(self, fields: dict[str, Any]) -> None:
        video, image = fields.get("train_video_url"), fields.get("train_image_url")
        if bool(video) == bool(image):
            # Sending both is documented as not allowed; the text of that refusal is unknown.
            raise Refusal(400, SOURCES)
        voice = str(fields.get("voice_name") or "").lower()
        if (image or voice) and voice not in VOICES:
            raise Refusal(400, "Invalid voice_name")

    def _finish(self, replica: Replica) -> None:
        if self.get(replica.id) is not replica:
            return
        code = magic.failure(replica.name)
        replica.status = "error" if code else "completed"
        replica.error_message = TRAINING_ERRORS.get(code, OTHER_ERROR) if code else None
        self.touch(replica)
        # The callback says "ready" where GET says "completed" (Tavus docs).
        body: dict[str, Any] = {"replica_id": replica.id, "status": "error" if code else "ready"}
        body |= {"error_message": replica.error_message} if code else {}
        self.world.post(replica.body.get("callback_url", ""), body)
