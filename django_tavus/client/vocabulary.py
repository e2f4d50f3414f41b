"""What Tavus calls things, as tables: two vocabularies, several id keys, differing envelopes.

Requests and everything returned speak persona and replica; PAL and Face names are read wherever
they turn up and renamed here. (Sources: the provider's OpenAPI file, its docs, and the requests
its own command line sends.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Row = dict[str, Any]
"""One remote object, as a parsed JSON object."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        # newer name: name used here. The same conversation list mixes both on different rows.
        "pal_id": "persona_id",
        "pal_name": "persona_name",
        "pal_type": "persona_type",
        "face_id": "replica_id",
        "face_name": "replica_name",
        "face_type": "replica_type",
        "face_ids": "replica_ids",
        "default_face_id": "default_replica_id",
    }
)
"""Top-level member names of the newer vocabulary and what they are called here."""

REPORTED_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        # name in an error text: input field. "Invalid replica_uuid" is said of `replica_id`.
        "replica_uuid": "replica_id",
        "face_uuid": "replica_id",
        "persona_uuid": "persona_id",
        "pal_uuid": "persona_id",
        "conversation_uuid": "conversation_id",
        "document_uuid": "document_id",
        **ALIASES,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is peculiar to one remote resource."""

    path: str
    """Path below the base URL, documented form without a trailing slash."""
    id_key: str
    """The member that holds the id, as returned by this client."""
    id_aliases: tuple[str, ...] = ()
    """Other members that may hold it, in order of preference."""
    first_page: int = 1
    """Number of the first page of a list: 0 or 1, it differs per resource."""
    default_limit: int = 10
    """Rows per page where none are asked for."""
    filters: frozenset[str] = frozenset()
    """Query parameters of the list beyond `page` and `limit`."""
    texts: tuple[str, ...] = ()
    """Members that are texts or null wherever present; anything else is not an answer of Tavus."""
    input_names: Mapping[str, str] = field(default_factory=dict)
    """Name in an error text: input field of *this* resource, where it differs."""
    holds_steps: bool = False
    """Whether `data` of one object is a list of its steps rather than an envelope."""


def _facts(path: str, id_key: str, filters: str = "", texts: str = "", **rest: Any) -> Facts:
    return Facts(
        path=path,
        id_key=id_key,
        filters=frozenset(filters.split()),
        texts=tuple(texts.split()),
        **rest,
    )


CONVERSATIONS = _facts(
    "/conversations",
    "conversation_id",
    "status persona_id replica_id",  # the ids: sent by an official internal client, undocumented
    "conversation_name conversation_url status callback_url persona_id replica_id meeting_token",
)
PERSONAS = _facts(
    "/personas",
    "persona_id",
    "persona_type",
    "persona_name system_prompt default_replica_id",
    # "Invalid replica_uuid" on a persona speaks of its default replica
    input_names=MappingProxyType({"replica_id": "default_replica_id"}),
)
REPLICAS = _facts(
    "/replicas",
    "replica_id",
    "verbose replica_type replica_ids model_name",
    "replica_name status thumbnail_video_url model_name",
)
DOCUMENTS = _facts(
    "/documents",
    "document_id",
    "sort status name_or_uuid tags participant_tags verbose scope",
    "document_name document_url status",
    id_aliases=("uuid", "id"),  # current docs document_id, older docs and some real answers uuid
    first_page=0,
)
VOICES = _facts("/voices", "voice_name", "search sort tag", "audio_url")
VIDEOS = _facts(
    "/videos",
    "video_id",
    "",
    "video_name status hosted_url download_url",
    first_page=0,  # 1 in older docs
)
OBJECTIVES = _facts(
    "/objectives",
    "objectives_id",
    "type sort name_or_uuid verbose",  # as the provider's command line sends them
    "objective_name name",
    id_aliases=("uuid", "id"),
    holds_steps=True,  # GET one: an object in the OpenAPI file, a list of steps in practice
)
GUARDRAILS = _facts(
    "/guardrails",
    "guardrails_id",
    "legacy type sort name_or_uuid tags verbose",
    "guardrail_name guardrails_name name",
    id_aliases=("uuid", "id"),  # the newer flat guardrails are keyed by uuid
    holds_steps=True,
)
PRONUNCIATION_DICTIONARIES = _facts(
    "/pronunciation-dictionaries",
    "pronunciation_dictionary_id",
    "sort",
    "name",
    id_aliases=("uuid", "id"),
    first_page=0,
)
TRANSCRIPTIONS = _facts("/transcriptions", "transcription_id", "", "file_url text status")
TOOLS = _facts(
    "/tools",
    "tool_id",
    "type sort name_or_uuid",
    "name",
    id_aliases=("uuid", "id"),
    default_limit=25,
)

RESOURCES: Mapping[str, Facts] = MappingProxyType(
    {
        "conversations": CONVERSATIONS,
        "personas": PERSONAS,
        "replicas": REPLICAS,
        "documents": DOCUMENTS,
        "voices": VOICES,
        "videos": VIDEOS,
        "objectives": OBJECTIVES,
        "guardrails": GUARDRAILS,
        "pronunciation_dictionaries": PRONUNCIATION_DICTIONARIES,
        "tools": TOOLS,
        "transcriptions": TRANSCRIPTIONS,
    }
)
"""Every top-level resource by its attribute on the client."""


class UnreadableAnswerError(Exception):
    """A successful answer that does not have the shape its resource has."""


def one(body: Any, facts: Facts, *, tavus_id: str | None = None) -> Row:
    """Return the single object of an answer: envelope removed, names and id key canonical.

    `tavus_id` is the id that was asked for; where an answer leaves its own id out (the steps of
    objectives) it is filled in. Raises `UnreadableAnswerError` if there is no object with an id.
    """
    row = row_of(_unwrapped(body, facts), facts)
    if facts.holds_steps and tavus_id is not None:
        row.setdefault(facts.id_key, tavus_id)
    if not row.get(facts.id_key):
        raise UnreadableAnswerError(f"it has no {facts.id_key}")
    return row


def row_of(value: Any, facts: Facts) -> Row:
    """Return one object with canonical names; every member without an alias stays as it is."""
    if not isinstance(value, dict):
        raise UnreadableAnswerError("it is not a JSON object")
    row = renamed(value)
    _settle_id(row, facts)
    _check_texts(row, facts)
    return row


def rows_of(body: Any, facts: Facts, *, strict: bool = True) -> list[Row]:
    """Return the rows of a list answer, `{"data": [...]}` or a bare list.

    A missing `data` is an error and not an empty list: whoever looks for a conversation in a list
    must not conclude from a strange answer that it was never created. One strange row is an error
    too unless not `strict`: see `loose_row_of`.
    """
    data = body.get("data") if isinstance(body, dict) else body
    if not isinstance(data, list):
        raise UnreadableAnswerError("it has no list of rows in `data`")
    read = row_of if strict else loose_row_of
    return [read(item, facts) for item in data]


def loose_row_of(value: Any, facts: Facts) -> Row:
    """Return one object of a list as it is, whatever the types of its members.

    For mirrors, in which one strange row must not cost the others of its page. What is no object
    at all is returned under the name `unreadable`, without an id.
    """
    if not isinstance(value, dict):
        return {"unreadable": value}
    row = renamed(value)
    _settle_id(row, facts)
    return row


def renamed(row: Mapping[str, Any]) -> Row:
    """Return a copy with PAL and Face names replaced; where both names are present, ours wins.

    An empty canonical member does not win over a filled alias.
    """
    result: Row = {}
    for key, value in row.items():
        name = ALIASES.get(key, key)
        if name != key and row.get(name) not in (None, ""):
            continue
        result[name] = value if name != key or value not in (None, "") else result.get(name, value)
    return result


def clashes(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of names that mean the same; Tavus answers 400 to a request holding such a pair."""
    given = set(names)
    return [(ours, alias) for alias, ours in ALIASES.items() if {ours, alias} <= given]


def _unwrapped(body: Any, facts: Facts) -> Any:
    if not isinstance(body, dict) or _id_in(body, facts) is not None:
        return body
    data = body.get("data")
    if isinstance(data, dict):
        return data
    first = data[0] if isinstance(data, list) and data else None
    if isinstance(first, dict) and (not facts.holds_steps or _id_in(first, facts) is not None):
        return first
    return body


def _id_in(row: Mapping[str, Any], facts: Facts) -> str | None:
    """The member of `row` that holds its id."""
    own = [alias for alias, ours in ALIASES.items() if ours == facts.id_key]
    keys = (facts.id_key, *own, *facts.id_aliases)
    return next((key for key in keys if row.get(key) not in (None, "")), None)


def _settle_id(row: Row, facts: Facts) -> None:
    key = _id_in(row, facts)
    if key is not None and key != facts.id_key:
        row[facts.id_key] = row.pop(key)


def _check_texts(row: Row, facts: Facts) -> None:
    if not isinstance(row.get(facts.id_key, ""), str):
        raise UnreadableAnswerError(f"{facts.id_key} is not a text")
    for name in facts.texts:
        if not isinstance(row.get(name, ""), str | None):
            raise UnreadableAnswerError(f"{name} is not a text")
