"""Remote bodies to columns: the one place that knows which member goes where.

Pure functions, tolerant on reading: a missing, null or wrongly typed member leaves the column's
empty value, an unknown status survives as it is, and the whole body is kept (secrets masked).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django_tavus.client import parse_datetime, redact
from django_tavus.models.choices import DocumentStatus, ReplicaStatus

# Create and get say "completed", the callback says "ready"; the others were seen in the wild.
REPLICA_STATUS = {
    "started": ReplicaStatus.TRAINING,
    "training": ReplicaStatus.TRAINING,
    "processing": ReplicaStatus.TRAINING,
    "queued": ReplicaStatus.TRAINING,
    "completed": ReplicaStatus.READY,
    "ready": ReplicaStatus.READY,
    "error": ReplicaStatus.ERROR,
    "failed": ReplicaStatus.ERROR,
}
# Tavus's own command line counts "completed" and "success" as readable.
DOCUMENT_STATUS = {
    "completed": DocumentStatus.READY,
    "success": DocumentStatus.READY,
    "failed": DocumentStatus.ERROR,
}


def text(value: object, maximum: int | None = None) -> str:
    """Return ``value`` if it is a string (cut to ``maximum``), else the empty string."""
    return clean_text(value)[:maximum] if isinstance(value, str) else ""


def clean_text(value: str) -> str:
    """Replace what PostgreSQL and MariaDB refuse in text: U+0000 and lone surrogates."""
    value = value.replace("\x00", "\ufffd")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean_json(value: Any) -> Any:
    """Return ``value`` as a database can hold it: clean text, no NaN and no infinities."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {clean_text(str(key)): clean_json(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(member) for member in value]
    return value


def keep(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``body`` as it is stored: clean, and without its secrets."""
    kept: dict[str, Any] = redact(clean_json(body))
    return kept


def percent(value: object) -> int | None:
    """Read a progress: ``"40/100"`` (replicas), ``40`` (documents) or ``"40"`` (older ones)."""
    if isinstance(value, str):
        done, _, whole = value.partition("/")
        if not (done.strip().isdigit() and (whole.strip() or "100").isdigit()):
            return None
        value = int(done) * 100 // max(1, int(whole.strip() or 100))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(100, max(0, int(value)))


def strings(value: object) -> list[str]:
    """Return the strings of a list; anything else is no list."""
    return (
        [clean_text(item) for item in value if isinstance(item, str)]
        if isinstance(value, list)
        else []
    )


def document_values(body: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a :class:`~django_tavus.models.Document`."""
    status = text(body.get("status"), 32)
    return {
        "document_name": text(body.get("document_name"), 255),
        "document_url": text(body.get("document_url")),
        "tags": strings(body.get("tags")),
        "crawl": _crawl(body.get("crawl_config")),
        "status": DOCUMENT_STATUS.get(status, status) or DocumentStatus.STARTED,
        "progress": percent(body.get("progress")),
        "error_message": text(body.get("error_message")),
        "last_crawled_at": parse_datetime(body.get("last_crawled_at")),
        "remote": keep(body),
    }


def _crawl(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {k: value[k] for k in ("depth", "max_pages") if isinstance(value.get(k), int)}


def replica_values(body: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a :class:`~django_tavus.models.Replica`."""
    status = text(body.get("status"), 32)
    return {
        "replica_name": text(body.get("replica_name"), 255),
        "status": REPLICA_STATUS.get(status, status) or ReplicaStatus.TRAINING,
        "training_progress": percent(body.get("training_progress")),
        "model_name": text(body.get("model_name"), 64),
        "thumbnail_video_url": text(body.get("thumbnail_video_url")),
        "error_message": text(body.get("error_message")),
        "remote": keep(body),
    }


def persona_values(body: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a :class:`~django_tavus.models.Persona`; its relations go by Tavus id."""
    layers = body.get("layers")
    return {
        "persona_name": text(body.get("persona_name"), 255),
        "system_prompt": text(body.get("system_prompt")),
        "context": text(body.get("context")),
        "greeting": text(body.get("greeting")),
        "pipeline_mode": text(body.get("pipeline_mode"), 32) or "full",
        "document_tags": strings(body.get("document_tags")),
        "layers": keep(layers) if isinstance(layers, Mapping) else {},
        "objectives_id": text(body.get("objectives_id"), 128),
        "guardrail_ids": strings(body.get("guardrail_ids")),
        "remote": keep(body),
    }


def conversation_values(body: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a :class:`~django_tavus.models.Conversation` that its creation answers.

    ``meeting_token`` is answered once, by the create; a later body without it does not clear it.
    """
    values: dict[str, Any] = {
        "tavus_id": text(body.get("conversation_id"), 128) or None,
        "conversation_url": text(body.get("conversation_url")),
        "remote": keep(body),
    }
    if token := text(body.get("meeting_token")):
        values["meeting_token"] = token
    if name := text(body.get("conversation_name"), 255):
        values["conversation_name"] = name
    return values


def launched_at(body: Mapping[str, Any], fallback: datetime) -> datetime:
    """When Tavus began to bill: its ``created_at``, else when we asked."""
    return parse_datetime(body.get("created_at")) or fallback
