"""Two vocabularies for the same objects: personas and replicas, PALs and Faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """How one family of paths calls things; ``names`` leads from the old word to its own."""

    names: Mapping[str, str]
    replica_error: str
    """What a persona's unknown default replica is called in the refusal."""

    def outward(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A body of the engine in this vocabulary."""
        return _renamed(body, self.names)

    def inward(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A body of this vocabulary in that of the engine."""
        return _renamed(body, {new: old for old, new in self.names.items()})


OLD = Vocabulary(names={}, replica_error="replica_uuid")
NEW = Vocabulary(
    names={
        "persona_id": "pal_id",
        "persona_name": "pal_name",
        "persona_type": "pal_type",
        "default_replica_id": "default_face_id",
        "replica_id": "face_id",
        "replica_name": "face_name",
        "replica_type": "face_type",
        "replica_ids": "face_ids",
        "replica_interruptibility": "face_interruptibility",
    },
    replica_error="face_id",
)


def _renamed(body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Rename members, and those of the one layer that has an alias. Data of users stays as is."""
    renamed = {names.get(key, key): value for key, value in body.items()}
    layers = renamed.get("layers")
    flow = layers.get("conversational_flow") if isinstance(layers, dict) else None
    if isinstance(layers, dict) and isinstance(flow, dict):
        flow = {names.get(key, key): value for key, value in flow.items()}
        renamed["layers"] = layers | {"conversational_flow": flow}
    return renamed
