"""Every request of the client is one that the provider's OpenAPI file admits, strictly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from django_tavus.client import TavusClient
from tests import openapi
from tests.client.wire import Wire

# Every documented request field of Create Conversation, by its own name.
FULL_CONVERSATION: dict[str, Any] = {
    "replica_id": "r90bbd427f71",
    "persona_id": "pcb7a34da5fe",
    "audio_only": False,
    "callback_url": "https://site.test/tavus/callbacks/abc/",
    "conversation_name": "A call",
    "conversational_context": "The user is Ada.",
    "custom_greeting": "Hello Ada",
    "memory_stores": ["ada"],
    "document_ids": ["d8-5c71baca86fc"],
    "document_retrieval_strategy": "balanced",
    "document_tags": ["docs"],
    "test_mode": True,
    "require_auth": True,
    "max_participants": 2,
    "properties": {
        "max_call_duration": 600,
        "participant_left_timeout": 30,
        "participant_absent_timeout": 60,
        "enable_recording": True,
        "enable_closed_captions": True,
        "apply_greenscreen": False,
        "language": "english",
    },
}
OBJECTIVE = {"objective_name": "ask", "objective_prompt": "Ask it", "output_variables": ["it"]}
GUARDRAIL = {"guardrail_name": "no", "guardrail_prompt": "Do not"}
SET_NAME = [{"op": "replace", "path": "/name", "value": "New"}]

Action = Callable[[TavusClient], object]

# operation: ways of calling it, each to be valid against the file
CALLS: dict[str, list[Action]] = {
    "createConversation": [
        lambda t: t.conversations.create(persona_id="p1"),
        lambda t: t.conversations.create(**FULL_CONVERSATION),
        lambda t: t.conversations.create(pal_id="p1", face_id="r1"),
    ],
    "listConversations": [
        lambda t: t.conversations.list(),
        lambda t: t.conversations.list(page=2, limit=50, status="active"),
        lambda t: list(t.conversations.iterate(status="active")),
    ],
    "getConversation": [
        lambda t: t.conversations.get("c1"),
        lambda t: t.conversations.get("c1", verbose=True),
    ],
    "endConversation": [lambda t: t.conversations.end("c1")],
    "deleteConversation": [
        lambda t: t.conversations.delete("c1"),
        lambda t: t.conversations.delete("c1", hard=True),
    ],
    "createPersona": [
        lambda t: t.personas.create(persona_name="Coach", system_prompt="You coach."),
        lambda t: t.personas.create(
            pal_name="Coach",
            default_face_id="r1",
            system_prompt="You coach.",
            layers={"llm": {"model": "tavus-gpt-oss", "headers": {"X": "y"}}},
        ),
    ],
    "listPersonas": [
        lambda t: t.personas.list(persona_type="system", page=1),
        lambda t: list(t.personas.iterate(persona_type="user")),
    ],
    "getPersona": [lambda t: t.personas.get("p1")],
    "patchPersona": [
        lambda t: t.personas.update("p1", [{"op": "add", "path": "/context", "value": "Hi"}])
    ],
    "deletePersona": [lambda t: t.personas.delete("p1")],
    "createReplica": [
        lambda t: t.replicas.create(
            train_video_url="https://site.test/v.mp4", replica_name="Ada", model_name="phoenix-4"
        ),
        lambda t: t.replicas.create(
            train_image_url="https://site.test/i.png",
            voice_name="anna",
            auto_fix_training_image=True,
            properties={"background_green_screen": True},
        ),
    ],
    "listReplicas": [
        lambda t: t.replicas.list(
            replica_type="user", verbose=True, replica_ids=["r1", "r2"], model_name="phoenix-4"
        ),
        lambda t: list(t.replicas.iterate(replica_type="system", verbose=False)),
    ],
    "getReplica": [lambda t: t.replicas.get("r1"), lambda t: t.replicas.get("r1", verbose=True)],
    "renameReplica": [lambda t: t.replicas.rename("r1", "Grace")],
    "deleteReplica": [
        lambda t: t.replicas.delete("r1"),
        lambda t: t.replicas.delete("r1", hard=True),
    ],
    "getVoices": [
        lambda t: t.voices.list(search="an", sort="asc", tag="warm", page=1, limit=100),
        lambda t: list(t.voices.iterate()),
    ],
    "createDocument": [
        lambda t: t.documents.create(
            document_url="https://site.test/a.pdf",
            document_name="A",
            callback_url="https://site.test/cb/",
            tags=["a"],
            crawl={"depth": 2, "max_pages": 10},
        )
    ],
    "listDocuments": [
        lambda t: t.documents.list(
            sort="descending", status="ready", name_or_uuid="a", tags=["a", "b"], page=0, limit=10
        ),
        lambda t: list(t.documents.iterate(tags="a")),
    ],
    "getDocument": [lambda t: t.documents.get("d1")],
    "patchDocument": [lambda t: t.documents.update("d1", document_name="B", tags=["b"])],
    "recrawlDocument": [
        lambda t: t.documents.recrawl("d1"),
        lambda t: t.documents.recrawl("d1", crawl={"depth": 1, "max_pages": 5}),
    ],
    "deleteDocument": [lambda t: t.documents.delete("d1")],
    "createObjectives": [lambda t: t.objectives.create(data=[OBJECTIVE])],
    "getObjectives": [
        lambda t: t.objectives.list(page=1, limit=5),
        lambda t: list(t.objectives.iterate()),
    ],
    "getObjective": [lambda t: t.objectives.get("o1")],
    "patchObjective": [
        lambda t: t.objectives.update(
            "o1",
            [
                {"op": "replace", "path": "/data/0/objective_name", "value": "b"},
                {"op": "remove", "path": "/data/0/callback_url"},
            ],
        )
    ],
    "deleteObjective": [lambda t: t.objectives.delete("o1")],
    "createGuardrails": [lambda t: t.guardrails.create(name="Safe", data=[GUARDRAIL])],
    "getGuardrails": [
        lambda t: t.guardrails.list(page=1, limit=5),
        lambda t: list(t.guardrails.iterate()),
    ],
    "getGuardrail": [lambda t: t.guardrails.get("g1")],
    "patchGuardrails": [
        lambda t: t.guardrails.update(
            "g1", [{"op": "replace", "path": "/data/0/guardrail_prompt", "value": "Never"}]
        )
    ],
    "deleteGuardrails": [lambda t: t.guardrails.delete("g1")],
    "generateVideo": [
        lambda t: t.videos.create(replica_id="r1", script="Hello", fast=True, video_name="V"),
        lambda t: t.videos.create(
            replica_id="r1",
            audio_url="https://site.test/a.mp3",
            properties={"start_with_wave": True},
        ),
    ],
    "listVideos": [lambda t: t.videos.list(page=0, limit=5), lambda t: list(t.videos.iterate())],
    "getVideo": [lambda t: t.videos.get("v1"), lambda t: t.videos.get("v1", verbose=True)],
    "renameVideo": [lambda t: t.videos.rename("v1", "W")],
    "deleteVideo": [lambda t: t.videos.delete("v1"), lambda t: t.videos.delete("v1", hard=True)],
    "createPronunciationDictionary": [
        lambda t: t.pronunciation_dictionaries.create(
            name="Brands",
            rules=[{"text": "Tavus", "pronunciation": "TAH-vus", "type": "alias"}],
        )
    ],
    "listPronunciationDictionaries": [
        lambda t: t.pronunciation_dictionaries.list(sort="desc", page=0, limit=100),
        lambda t: list(t.pronunciation_dictionaries.iterate()),
    ],
    "getPronunciationDictionary": [lambda t: t.pronunciation_dictionaries.get("pd_1")],
    "patchPronunciationDictionary": [
        lambda t: t.pronunciation_dictionaries.update("pd_1", SET_NAME)
    ],
    "deletePronunciationDictionary": [lambda t: t.pronunciation_dictionaries.delete("pd_1")],
    "createTranscription": [
        lambda t: t.transcriptions.create(
            file_url="https://site.test/v.mp4", callback_url="https://site.test/cb/"
        )
    ],
    "listTranscriptions": [
        lambda t: t.transcriptions.list(page=1, limit=5),
        lambda t: list(t.transcriptions.iterate()),
    ],
    "getTranscription": [lambda t: t.transcriptions.get("t1")],
    "deleteTranscription": [lambda t: t.transcriptions.delete("t1")],
}

# An answer with the id of every resource, and an empty list: good enough for any of the calls.
ANSWER = {
    "conversation_id": "c1",
    "persona_id": "p1",
    "replica_id": "r1",
    "document_id": "d1",
    "objectives_id": "o1",
    "guardrails_id": "g1",
    "video_id": "v1",
    "pronunciation_dictionary_id": "pd_1",
    "transcription_id": "t1",
    "data": [],
    "total_count": 0,
}


@pytest.mark.parametrize(
    ("operation_id", "number"),
    [(name, number) for name, ways in CALLS.items() for number in range(len(ways))],
)
def test_request_is_valid_against_the_openapi_file(
    operation_id: str, number: int, tavus: TavusClient, wire: Wire
) -> None:
    operation = openapi.operations()[operation_id]
    wire.answers(200, ANSWER)
    CALLS[operation_id][number](tavus)
    assert len(wire.sent) == 1
    (sent,) = wire.sent
    assert openapi.find(sent.method, sent.path) == operation
    assert openapi.request_errors(operation, query=sent.query, body=sent.body) == []


def test_all_operations_in_use_are_covered(record_property: Any, capsys: Any) -> None:
    wanted = set(openapi.operations())
    share = f"{len(wanted & set(CALLS))} of {len(wanted)} operations"
    record_property("openapi_coverage", share)
    with capsys.disabled():
        print(f"\nclient covers {share} of the OpenAPI file")
    assert set(CALLS) == wanted


def _examples() -> Iterator[tuple[str, str]]:
    if openapi.OPENAPI_FILE.exists():
        for name, operation in openapi.operations().items():
            if operation.method == "POST":
                yield from ((name, example) for example in operation.request_examples)
    else:
        yield "createConversation", "absent"  # skips, loudly, inside the test


_CREATORS: dict[str, str] = {
    "createConversation": "conversations",
    "createPersona": "personas",
    "createReplica": "replicas",
    "createDocument": "documents",
    "createObjectives": "objectives",
    "createGuardrails": "guardrails",
    "generateVideo": "videos",
    "createPronunciationDictionary": "pronunciation_dictionaries",
    "createTranscription": "transcriptions",
}


@pytest.mark.parametrize(("operation_id", "example"), list(_examples()))
def test_request_examples_of_the_file_are_sent_unchanged(
    operation_id: str, example: str, tavus: TavusClient, wire: Wire
) -> None:
    body = openapi.operations()[operation_id].request_examples[example]
    wire.answers(200, ANSWER)
    if operation_id == "recrawlDocument":
        tavus.documents.recrawl("d1", **body)
    else:
        getattr(tavus, _CREATORS[operation_id]).create(**body)
    assert wire.sent[0].body == (body or None)


def test_strict_validation_finds_an_undeclared_field() -> None:
    operation = openapi.operations()["createConversation"]
    body = {"persona_id": "p1", "properties": {"pipeline_mode": "full"}, "persona": 1}
    errors = openapi.request_errors(operation, body=body, query={"dry": "true"})
    assert len(errors) == 3
    assert any("pipeline_mode" in error for error in errors)


def test_strict_validation_closes_an_object_over_its_branches() -> None:
    operation = openapi.operations()["generateVideo"]
    assert openapi.request_errors(operation, body={"replica_id": "r", "script": "Hi"}) == []
    assert openapi.request_errors(operation, body={"replica_id": "r", "script": "Hi", "x": 1})
    assert openapi.request_errors(operation, body={"replica_id": "r"})
