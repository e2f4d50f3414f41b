"""Remote bodies to columns: the one place that knows which member goes where.

Pure functions, tolerant on reading: a null or wrongly typed member becomes the column's empty
value, an unknown status survives as it is, and a member that is missing says nothing about its
column (the items of a list leave out much of what a GET shows).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django_tavus.client import redact
from django_tavus.client.redaction import is_secret_key, may_hold_secret
from django_tavus.models.choices import DocumentStatus, PipelineMode, ReplicaStatus
from django_tavus.services.moments import moment

Body = Mapping[str, Any]

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


# --- clean --------------------------------------------------------------------------------------


def text(value: object, maximum: int | None = None) -> str:
    """Return ``value`` if it is a string (cut to ``maximum``), else the empty string."""
    return clean_text(value)[:maximum] if isinstance(value, str) else ""


def clean_text(value: str) -> str:
    """Replace what PostgreSQL and MariaDB refuse in text: U+0000 and lone surrogates."""
    if value.isascii():
        return value.replace("\x00", "\ufffd") if "\x00" in value else value
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


# --- keep ---------------------------------------------------------------------------------------

_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Members that redact() treats by their name, beside those of is_secret_key().
_TREATED = frozenset(
    {"headers", "default_query", "query_params", "auth", "callback_url", "webhook_url", "op"}
)
_known_names: dict[object, bool] = {}
_MOST_LEVELS = 100  # deeper bodies are for the recursion to refuse
_MOST_NAMES = 10_000  # names come from outside: the memory of them must not grow without end


def keep(body: Mapping[str, Any], plain: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return ``body`` as it is stored: clean, and without its secrets.

    The members named by ``plain`` are not searched for secrets: they have a column of their own,
    from which they are sent back, and a mask in one of the two would look like an edit.
    """
    if body.keys() & _PATCH_OPERATION == _PATCH_OPERATION:
        whole: dict[str, Any] = redact(clean_json(body))
        return whole
    apart = (plain | _URLS) & body.keys()
    kept = {name: value for name, value in body.items() if name not in apart}
    if not _is_harmless(kept):  # callbacks are, but for the URL they were sent to
        kept = _treated(kept)
    for name in apart:
        value = clean_json(body[name])
        kept[name] = value if name in plain else redact({name: value})[name]
    return kept


_PATCH_OPERATION = {"op", "path"}
_URLS = frozenset({"callback_url", "webhook_url"})


def _treated(body: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in body.items():
        member = {name: value}
        kept.update(member if _is_harmless(member) else redact(clean_json(member)))
    return kept


def _is_harmless(body: dict[str, Any]) -> bool:
    """Whether ``body`` can be stored as it is: it is clean, and nothing in it is masked.

    Every callback passes here before it is answered: one loop, and one look at all its texts.
    """
    texts: list[str] = []
    level: list[Any] = [body]
    for _ in range(_MOST_LEVELS):
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is str:
                texts.append(value)
            elif kind is dict:
                if not all(map(_is_plain_name, value)):
                    return False
                below.extend(value.values())
            elif kind is list:
                below.extend(value)
            elif value is None or kind is bool or kind is int:
                continue
            elif kind is not float or value - value != 0:
                return False
        if not below:
            return _is_harmless_text("\n".join(texts))
        level = below
    return False


def _is_harmless_text(value: str) -> bool:
    clean = "\x00" not in value and (value.isascii() or _SURROGATE.search(value) is None)
    return clean and not may_hold_secret(value)


def _is_plain_name(name: object) -> bool:
    known = _known_names.get(name)
    if known is None:
        known = isinstance(name, str) and not (
            is_secret_key(name) or name.lower() in _TREATED or not _is_harmless_text(name)
        )
        if len(_known_names) < _MOST_NAMES:
            _known_names[name] = known
    return known


# --- read ---------------------------------------------------------------------------------------


def percent(value: object) -> int | None:
    """Read a progress: ``"40/100"`` (replicas), ``40`` (documents) or ``"40"`` (older ones)."""
    if isinstance(value, str):
        done, _, whole = value.partition("/")
        if not (_is_number(done) and _is_number(whole or "100")):
            return None
        value = int(done) * 100 // max(1, int(whole or 100))
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        return None
    return min(100, max(0, int(value)))


def _is_number(value: str) -> bool:
    value = value.strip()
    return value.isascii() and value.isdigit() and len(value) < 10


def strings(value: object) -> list[str]:
    """Return the strings of a list; anything else is no list."""
    return (
        [clean_text(item) for item in value if isinstance(item, str)]
        if isinstance(value, list)
        else []
    )


class Column(NamedTuple):
    """Which member of a body a column mirrors, and how it is read."""

    member: str
    read: Callable[[Any], Any]


def _text(maximum: int | None = None) -> Callable[[Any], Any]:
    return lambda value: text(value, maximum)


def _crawl(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {k: value[k] for k in ("depth", "max_pages") if type(value.get(k)) is int}


def _layers(value: object) -> dict[str, Any]:
    return keep(value) if isinstance(value, Mapping) else {}


def _document_status(value: object) -> str:
    status = text(value, 32)
    return DOCUMENT_STATUS.get(status, status) or DocumentStatus.STARTED.value


def _replica_status(value: object) -> str:
    status = text(value, 32)
    return REPLICA_STATUS.get(status, status) or ReplicaStatus.TRAINING.value


def _pipeline_mode(value: object) -> str:
    return text(value, 32) or PipelineMode.FULL.value


DOCUMENT_COLUMNS: dict[str, Column] = {
    "document_name": Column("document_name", _text(255)),
    "document_url": Column("document_url", _text()),
    "tags": Column("tags", strings),
    "crawl": Column("crawl_config", _crawl),
    "status": Column("status", _document_status),
    "progress": Column("progress", percent),
    "error_message": Column("error_message", _text()),
    "last_crawled_at": Column("last_crawled_at", moment),
}
REPLICA_COLUMNS: dict[str, Column] = {
    "replica_name": Column("replica_name", _text(255)),
    "status": Column("status", _replica_status),
    "training_progress": Column("training_progress", percent),
    "model_name": Column("model_name", _text(64)),
    "thumbnail_video_url": Column("thumbnail_video_url", _text()),
    "error_message": Column("error_message", _text()),
}
PERSONA_COLUMNS: dict[str, Column] = {
    "persona_name": Column("persona_name", _text(255)),
    "system_prompt": Column("system_prompt", _text()),
    "context": Column("context", _text()),
    "greeting": Column("greeting", _text()),
    "pipeline_mode": Column("pipeline_mode", _pipeline_mode),
    "document_tags": Column("document_tags", strings),
    "layers": Column("layers", _layers),
    "objectives_id": Column("objectives_id", _text(128)),
    "guardrail_ids": Column("guardrail_ids", strings),
}
"""Its relations (``default_replica_id``, ``document_ids``) go by Tavus id."""


def _values(columns: Mapping[str, Column], body: Body) -> dict[str, Any]:
    return {
        name: column.read(body[column.member])
        for name, column in columns.items()
        if column.member in body
    }


def document_values(body: Body) -> dict[str, Any]:
    """Columns of a :class:`~django_tavus.models.Document` of which ``body`` speaks."""
    return _values(DOCUMENT_COLUMNS, body)


def replica_values(body: Body) -> dict[str, Any]:
    """Columns of a :class:`~django_tavus.models.Replica` of which ``body`` speaks."""
    return _values(REPLICA_COLUMNS, body)


def persona_values(body: Body) -> dict[str, Any]:
    """Columns of a :class:`~django_tavus.models.Persona` of which ``body`` speaks."""
    return _values(PERSONA_COLUMNS, body)


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
    return moment(body.get("created_at")) or fallback
