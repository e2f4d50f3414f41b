"""The examples in the schema are what the API answers for such rows, letter by letter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator

from django_tavus.api import examples
from django_tavus.api.refusals import SENTENCES
from django_tavus.models import (
    Conversation,
    Document,
    Persona,
    Replica,
    Utterance,
    WebhookEvent,
)
from django_tavus.testing import make_conversation, make_document, make_persona, make_replica
from tests.api.conftest import CONVERSATIONS, ROOT
from tests.api.test_openapi import GOLDEN, operations


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


SYNCED = {name: moment(examples.SYNCED[name]) for name in ("synced_at", "created_at", "updated_at")}


def stamped(row: Any) -> Any:
    """The row with the moments of the examples; saving sets ``updated_at``."""
    type(row).objects.filter(pk=row.pk).update(**SYNCED)
    row.refresh_from_db()
    return row


@pytest.fixture
def replica(db: None) -> Replica:
    shown = examples.REPLICA
    columns = ("replica_name", "status", "replica_type", "thumbnail_video_url")
    columns += ("training_progress", "model_name", "train_video_url")
    values = {name: shown[name] for name in columns}
    return stamped(make_replica(pk=shown["id"], tavus_id=shown["replica_id"], **values))


@pytest.fixture
def document(db: None) -> Document:
    shown = examples.DOCUMENT
    columns = ("document_name", "document_url", "tags", "crawl", "status", "progress")
    values = {name: shown[name] for name in columns}
    crawled = moment(shown["last_crawled_at"])
    return stamped(
        make_document(
            pk=shown["id"], tavus_id=shown["document_id"], last_crawled_at=crawled, **values
        )
    )


@pytest.fixture
def persona(replica: Replica, document: Document) -> Persona:
    shown = examples.PERSONA
    columns = ("persona_name", "system_prompt", "greeting", "pipeline_mode", "layers")
    values = {name: shown[name] for name in columns}
    row = make_persona(
        pk=shown["id"], tavus_id=shown["persona_id"], default_replica=replica, **values
    )
    row.documents.add(document)
    return stamped(row)


def make_call(owner: Any, persona: Persona, shown: dict[str, Any]) -> Conversation:
    columns = ("conversation_name", "status", "properties", "reference", "metadata")
    values: dict[str, Any] = {name: shown[name] for name in columns}
    for name in ("created_at", "launched_at", "joined_at", "ended_at"):
        values[name] = shown[name] and moment(shown[name])
    error = shown["error"] or {"code": "", "message": ""}
    return make_conversation(
        pk=shown["id"],
        owner=owner,
        persona=persona,
        tavus_id=shown["conversation_id"],
        conversation_url=shown["conversation_url"] or "",
        shutdown_reason=shown["shutdown_reason"] or "",
        error_code=error["code"],
        error_message=error["message"],
        **values,
    )


@pytest.mark.parametrize(
    "shown",
    [examples.QUEUED, examples.ACTIVE, examples.ENDED, examples.FAILED],
    ids=lambda shown: shown["status"],
)
def test_conversations(api, owner, persona, shown):
    row = make_call(owner, persona, shown)
    assert api.get(f"{CONVERSATIONS}{row.pk}/").json() == shown


def test_the_launch_is_answered_as_shown(api, owner, persona):
    answer = api.post(CONVERSATIONS, examples.LAUNCH, format="json")
    assert answer.status_code == 202
    own = ("id", "created_at")
    assert {**answer.json(), **{name: examples.QUEUED[name] for name in own}} == examples.QUEUED


def test_transcripts(api, owner, persona):
    row = make_call(owner, persona, examples.ENDED)
    for turn in examples.TRANSCRIPT["transcript"]:
        spoken = turn["spoken_at"] and moment(turn["spoken_at"])
        Utterance.objects.create(conversation=row, **{**turn, "spoken_at": spoken})
    url = f"{CONVERSATIONS}{row.pk}/transcript/"
    assert api.get(url).json() == examples.TRANSCRIPT
    assert api.get(url, {"format": "txt"}).content.decode() == examples.TRANSCRIPT_TEXT
    assert api.get(url, {"format": "vtt"}).content.decode() == examples.TRANSCRIPT_VTT


@pytest.fixture
def chief(as_user, make_user):
    return as_user(make_user("chief", is_superuser=True, is_staff=True))


def test_events(chief, owner, persona):
    row = make_call(owner, persona, examples.ACTIVE)
    shown = examples.EVENT
    values = {**shown, "received_at": moment(shown["received_at"])}
    values["processed_at"] = moment(shown["processed_at"])
    WebhookEvent.objects.create(dedupe_key="k", conversation=row, **values)
    answer = chief.get(f"{CONVERSATIONS}{row.pk}/events/")
    assert answer.json()["results"] == [shown]


@pytest.mark.parametrize(
    ("kind", "full", "gallery"),
    [
        ("personas", examples.PERSONA, examples.GALLERY_PERSONA),
        ("replicas", examples.REPLICA, examples.GALLERY_REPLICA),
        ("documents", examples.DOCUMENT, None),
    ],
)
def test_mirrors(api, chief, persona, kind, full, gallery):
    url = f"{ROOT}/{kind}/{full['id']}/"
    assert chief.get(url).json() == full
    if gallery:
        assert api.get(url).json() == gallery


def test_a_conflict_is_shown_to_whoever_may_settle_it(api, chief, persona):
    shown = examples.CONFLICTING_PERSONA
    columns = ("sync_state", "sync_error", "conflicts")
    Persona.objects.filter(pk=persona.pk).update(**{name: shown[name] for name in columns})
    assert chief.get(f"{ROOT}/personas/{persona.pk}/").json() == shown
    assert "conflicts" not in api.get(f"{ROOT}/personas/{persona.pk}/").json()


def test_usage(chief, owner, persona):
    for name in ("a", "b"):
        call = make_call(owner, persona, {**examples.ENDED, "id": None, "conversation_id": name})
        Conversation.objects.filter(pk=call.pk).update(ended_at="2026-05-01T12:06:16Z")
    by = {"by": "day,persona"}
    assert chief.get(f"{ROOT}/usage/", by).json() == examples.USAGE
    table = chief.get(f"{ROOT}/usage/", {**by, "format": "csv"}).content.decode()
    assert table == examples.USAGE_CSV


def test_bodies_are_accepted(chief, persona, replica, document):
    """Each request of the examples, sent to where it belongs."""
    ids = {"personas": persona.pk, "replicas": replica.pk, "documents": document.pk}
    sent = 0
    for path, method, operation in operations(yaml.safe_load(GOLDEN.read_text())):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for example in content.get("examples", {}).values():
                url = path.replace("{key}", str(ids.get(path.split("/")[3])))
                conflicts = [{"path": "/x", "base": "a", "ours": "b", "theirs": "c"}]
                for model in (Persona, Replica, Document):
                    if path.endswith("/resolve/"):
                        model.objects.update(sync_state="failed", conflicts=conflicts)
                answer = getattr(chief, method)(url, example["value"], format="json")
                assert answer.status_code == 202, (url, answer.content)
                sent += 1
    assert sent == 10


# --- as data ------------------------------------------------------------------------------------


def resolved(schema: dict[str, Any], value: Any) -> Any:
    if isinstance(value, list):
        return [resolved(schema, item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return resolved(schema, schema["components"]["schemas"][value["$ref"].rsplit("/", 1)[1]])
    return {name: resolved(schema, item) for name, item in value.items()}


def test_every_example_fits_its_schema():
    schema = yaml.safe_load(GOLDEN.read_text())
    checked = 0
    for _path, _method, operation in operations(schema):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (one for body in bodies for one in body.get("content", {}).values()):
            validator = OAS30Validator(resolved(schema, content["schema"]))
            for example in content.get("examples", {}).values():
                validator.validate(example["value"])
                checked += 1
            if "example" in validator.schema:
                validator.validate(validator.schema["example"])
    assert checked > 40


def test_every_operation_has_an_example_of_what_it_sends_and_answers():
    for _path, _method, operation in operations(yaml.safe_load(GOLDEN.read_text())):
        content = operation.get("requestBody", {}).get("content", {})
        if content:
            assert content["application/json"]["examples"], operation["operationId"]
        for status, answer in operation["responses"].items():
            if status.startswith("2") and "content" in answer:
                for kind, shown in answer["content"].items():
                    assert shown["examples"], (operation["operationId"], status, kind)


def test_sentences_of_refusals_are_those_of_the_code():
    """Where a sentence is a constant of a class, the example is that constant."""
    from rest_framework import exceptions

    from django_tavus.api import errors

    for module in (exceptions, errors):
        for one in vars(module).values():
            code = getattr(one, "default_code", None)
            is_constant = code in SENTENCES and "{" not in str(one.default_detail)
            if is_constant and code not in ("parse_error", "throttled"):
                assert str(one.default_detail) == SENTENCES[code]
