from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection

from django_tavus.api import preferences
from django_tavus.api.serializers.conversations import (
    LaunchSerializer,
    PropertiesSerializer,
    RecordingStorageSerializer,
)
from django_tavus.models import Conversation
from django_tavus.services import request_fields
from django_tavus.services.capacity import MAX_QUEUED_PER_USER
from django_tavus.services.launch_fields import LAUNCH_FIELDS
from django_tavus.services.syncing import sync_objects
from django_tavus.testing.factories import (
    make_conversation,
    make_document,
    make_persona,
    make_replica,
)
from tests.api.conftest import CONVERSATIONS


def launch(client: Any, body: Any, **headers: str) -> Any:
    return client.post(CONVERSATIONS, body, format="json", headers=headers)


def test_launch_is_accepted_stored_and_enqueued(api, owner, persona, worker):
    answer = launch(
        api,
        {
            "persona_id": persona.tavus_id,
            "conversation_name": "First",
            "reference": "lead:42",
            "metadata": {"a": [1]},
            "properties": {"language": "spanish"},
        },
    )

    assert answer.status_code == 202
    row = Conversation.objects.get()
    assert row.owner == owner
    assert answer.json() == {
        "id": str(row.pk),
        "conversation_id": None,
        "conversation_name": "First",
        "status": "queued",
        "conversation_url": None,
        "meeting_token": None,
        "persona_id": persona.tavus_id,
        "replica_id": persona.default_replica.tavus_id,
        "audio_only": False,
        "test_mode": False,
        "require_auth": False,
        "max_participants": None,
        "conversational_context": "",
        "custom_greeting": "",
        "memory_stores": [],
        "document_ids": [],
        "document_tags": [],
        "document_retrieval_strategy": None,
        "properties": {"language": "spanish"},
        "reference": "lead:42",
        "metadata": {"a": [1]},
        "queue_position": 1,
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "launched_at": None,
        "joined_at": None,
        "ended_at": None,
        "shutdown_reason": None,
        "duration": None,
        "error": None,
    }
    assert answer["Location"] == f"{CONVERSATIONS}{row.pk}/"
    assert answer["Cache-Control"] == "private, no-store"
    worker.commit()
    assert worker.messages == [("django_tavus.launch_conversation", (str(row.pk),))]


def test_permission_opens_every_request_field(as_user, make_user, persona):
    document, replica = make_document(), make_replica()
    body = {
        "persona_id": persona.tavus_id,
        "replica_id": replica.tavus_id,
        "document_ids": [document.tavus_id],
        "document_tags": ["prices"],
        "document_retrieval_strategy": "quality",
        "conversation_name": "All of it",
        "conversational_context": "A buyer.",
        "custom_greeting": "Hello!",
        "audio_only": True,
        "test_mode": True,
        "require_auth": True,
        "max_participants": 3,
        "memory_stores": ["anna"],
        "properties": {
            "max_call_duration": 600,
            "recording_storage": {"provider": "s3", "bucket_name": "ours"},
        },
    }
    answer = launch(as_user(make_user("trusted", "launch_conversation")), body)
    assert answer.status_code == 202
    shown = answer.json()
    assert {name: shown[name] for name in body} == body


def test_shape_for_the_schema_names_the_fields_that_are_read():
    assert LaunchSerializer().fields.keys() == LAUNCH_FIELDS
    assert PropertiesSerializer().fields.keys() == request_fields.PROPERTIES.keys()
    assert RecordingStorageSerializer().fields.keys() == request_fields.RECORDING_STORAGE.keys()


@pytest.mark.parametrize("name", sorted(LAUNCH_FIELDS))
def test_each_field_is_open_or_refused_by_name(api, persona, name):
    samples: dict[str, Any] = {
        "persona_id": persona.tavus_id,
        "replica_id": persona.default_replica.tavus_id,
        "conversation_name": "x",
        "audio_only": True,
        "test_mode": True,
        "reference": "x",
        "metadata": {"a": 1},
        "properties": {"max_call_duration": 5},
    }
    answer = launch(api, {"persona_id": persona.tavus_id, name: samples.get(name, "x")})
    if name in samples and name != "properties":
        assert answer.status_code == 202
    else:
        assert answer.status_code == 400
        assert [error.code for error in answer.data[name]] == ["not_allowed"]
        assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    ("opened", "body", "status"),
    [
        ([], {"custom_greeting": "Hi"}, 400),
        (["custom_greeting"], {"custom_greeting": "Hi"}, 202),
        (["properties.max_call_duration"], {"properties": {"max_call_duration": 60}}, 202),
        (["properties.max_call_duration"], {"properties": {"enable_recording": True}}, 400),
        (["properties"], {"properties": {"enable_recording": True}}, 202),
        (["callback_url"], {"callback_url": "https://evil.example/"}, 400),
    ],
)
def test_setting_opens_single_fields(api, persona, settings, opened, body, status):
    settings.TAVUS = {**settings.TAVUS, "API_LAUNCH_FIELDS": opened}
    answer = launch(api, {"persona_id": persona.tavus_id, **body})
    assert answer.status_code == status
    assert status == 202 or list(answer.json()) == list(body)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "persona_id", "invalid_persona"),
        ({"persona_id": "p-unknown"}, "persona_id", "invalid_persona"),
        ({"replica_id": "r-unknown"}, "replica_id", "invalid_replica"),
        ({"document_ids": ["d-unknown"]}, "document_ids", "invalid_document"),
        ({"persona_id": 5}, "persona_id", "invalid"),
        ({"replica_id": {}}, "replica_id", "invalid"),
        ({"replica_id": "r" * 200}, "replica_id", "max_length"),
        ({"document_ids": "d1"}, "document_ids", "invalid"),
        ({"document_ids": [1]}, "document_ids", "invalid"),
        ({"audio_only": "true"}, "audio_only", "invalid"),
        ({"max_participants": 1}, "max_participants", "min_value"),
        ({"max_participants": 10**30}, "max_participants", "max_value"),
        ({"document_retrieval_strategy": "slow"}, "document_retrieval_strategy", "invalid_choice"),
        ({"properties": {"language": "en"}}, "properties", "invalid"),
        ({"properties": {"languages": "x"}}, "properties", "unknown"),
        ({"properties": []}, "properties", "invalid"),
        ({"metadata": []}, "metadata", "invalid"),
        ({"reference": "x" * 256}, "reference", "max_length"),
        ({"callback_url": "https://evil.example/"}, "callback_url", "not_allowed"),
        ({"owner": 1}, "owner", "unknown"),
        ({"idempotency_key": "k"}, "idempotency_key", "unknown"),
        ({"persona": "p"}, "persona", "unknown"),
        ({"": 1}, "", "unknown"),
    ],
)
def test_wrong_field_is_named(as_user, make_user, persona, body, field, code):
    client = as_user(make_user("trusted", "launch_conversation"))
    if body and "persona_id" not in body:
        body = {"persona_id": persona.tavus_id, **body}
    answer = launch(client, body)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert answer.data[field][0].code == code
    assert not Conversation.objects.exists()


def test_null_is_not_set(api, persona):
    answer = launch(
        api,
        {"persona_id": persona.tavus_id, "replica_id": None, "reference": None, "metadata": None},
    )
    assert answer.status_code == 202


def test_persona_without_replica_wants_one(api):
    answer = launch(api, {"persona_id": make_persona(default_replica=None).tavus_id})
    assert answer.status_code == 400
    assert list(answer.json()) == ["replica_id"]


# --- hostile bodies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b'"text"',
        b"5",
        b'{"metadata": {"a": NaN}}',
        b'{"metadata": {"a": -Infinity}}',
        b'{"metadata": {"a": 1e999}}',
        b'{"metadata": {"a": ' + b"9" * 5000 + b"}}",
        b'{"reference": "a", "reference": "b"}',
        b'{"metadata": {"a": 1, "a": 2}}',
        b'{"reference": "\xff"}',
        b"\xff\xfe{\x00}\x00",
        b'{"reference": "a\\u0000b"}',
        b'{"reference": "\\ud800"}',
        b'{"metadata": {"\\udc00": 1}}',
        b'{"a\\u0000": 1}',
        b"[" * 100_000,
        b'{"metadata": ' + b'{"a":' * 50 + b"1" + b"}" * 51,
        b'{"metadata": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_hostile_body_is_refused(api, body):
    answer = api.post(CONVERSATIONS, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()
    assert not Conversation.objects.exists()


def test_unstorable_text_names_its_field(api):
    answer = api.post(CONVERSATIONS, b'{"reference": "\\ud800"}', content_type="application/json")
    assert list(answer.json()) == ["reference"]


def test_large_integer_in_metadata_survives(api, persona):
    answer = launch(api, {"persona_id": persona.tavus_id, "metadata": {"n": 10**100}})
    assert answer.status_code == 202
    assert answer.json()["metadata"] == {"n": 10**100}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "a/b",
        "x" * 400,
    ],
)
@pytest.mark.parametrize("with_csrf", [False, True])
def test_other_content_types_are_415(api, owner, content_type, with_csrf):
    if with_csrf:  # Django's check reads forms before DRF does
        api.handler.enforce_csrf_checks = True
        api.cookies["csrftoken"] = token = "a" * 32
        answer = api.post(
            CONVERSATIONS,
            f"csrfmiddlewaretoken={token}",
            content_type=content_type,
            headers={"X-CSRFToken": token},
        )
    else:
        answer = api.post(CONVERSATIONS, "a=b", content_type=content_type)
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


def test_csrf_is_asked_for(api, persona):
    api.handler.enforce_csrf_checks = True
    assert launch(api, {"persona_id": persona.tavus_id}).status_code == 403


def test_too_large_a_body_is_413(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert launch(api, {"reference": "x" * 1000}).status_code == 413
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    assert launch(api, {"reference": "x" * 1000}).status_code == 400


# --- idempotency ------------------------------------------------------------------------------


def test_same_key_and_body_is_the_same_conversation(api, persona):
    body = {"persona_id": persona.tavus_id, "reference": "a"}
    first = launch(api, body, **{"Idempotency-Key": "k"})
    again = launch(api, dict(reversed(body.items())), **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()
    assert Conversation.objects.count() == 1


def test_same_key_and_other_body_is_a_conflict(api, persona):
    launch(api, {"persona_id": persona.tavus_id}, **{"Idempotency-Key": "k"})
    answer = launch(
        api, {"persona_id": persona.tavus_id, "reference": "b"}, **{"Idempotency-Key": "k"}
    )
    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency_conflict"


def test_keys_of_different_users_do_not_meet(api, as_user, make_user, persona):
    body = {"persona_id": persona.tavus_id}
    first = launch(api, body, **{"Idempotency-Key": "k"})
    other = launch(as_user(make_user("other")), body, **{"Idempotency-Key": "k"})
    assert other.status_code == 202
    assert other.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", ["", "k" * 256, "\xe9", "a\tb"])
def test_unusable_key_is_named(api, persona, key):
    answer = launch(api, {"persona_id": persona.tavus_id}, **{"Idempotency-Key": key})
    assert answer.status_code == 400
    assert list(answer.json()) == ["Idempotency-Key"]


def test_longest_key_fits(api, persona):
    answer = launch(api, {"persona_id": persona.tavus_id}, **{"Idempotency-Key": "k" * 255})
    assert answer.status_code == 202


# --- refusals ---------------------------------------------------------------------------------


def test_full_queue_is_429_with_retry_after(api, owner, persona):
    Conversation.objects.bulk_create(Conversation(owner=owner) for _ in range(MAX_QUEUED_PER_USER))
    answer = launch(api, {"persona_id": persona.tavus_id})
    assert answer.status_code == 429
    assert answer.json()["code"] == "concurrency_limit"
    assert int(answer["Retry-After"]) > 0


def test_used_up_budget_is_429_with_retry_after(api, persona, settings):
    settings.TAVUS = {**settings.TAVUS, "DAILY_MINUTES": 0}
    answer = launch(api, {"persona_id": persona.tavus_id})
    assert answer.status_code == 429
    assert answer.json()["code"] == "budget_exhausted"
    assert int(answer["Retry-After"]) > 0


def test_launches_are_throttled_and_nothing_else(api, as_user, make_user, persona, settings):
    settings.TAVUS = {**settings.TAVUS, "API_THROTTLE_RATE": "2/hour"}
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "thr"}
    }
    body = {"persona_id": persona.tavus_id}
    answers = [launch(api, body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].json()["code"] == "throttled"
    assert int(answers[2]["Retry-After"]) > 0
    assert api.get(CONVERSATIONS).status_code == 200
    assert launch(as_user(make_user("other")), body).status_code == 202


@pytest.fixture
def throttled_after(settings):
    def change(rate: str) -> None:
        settings.TAVUS = {**settings.TAVUS, "API_THROTTLE_RATE": rate}

    cache = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "throttle"}
    settings.CACHES = {"default": cache}
    yield change
    caches["default"].clear()


def test_only_creating_is_throttled(api, owner, throttled_after):
    throttled_after("1/hour")
    row = make_conversation(owner=owner)
    for _ in range(3):
        for url in ("", f"{row.pk}/", f"{row.pk}/transcript/"):
            assert api.get(f"{CONVERSATIONS}{url}").status_code == 200
        assert api.post(f"{CONVERSATIONS}{row.pk}/end/").status_code == 202
        assert api.options(CONVERSATIONS).status_code == 200


def test_retry_after_survives_a_lower_rate(api, persona, throttled_after):
    throttled_after("3/hour")
    for _ in range(3):
        assert launch(api, {"persona_id": persona.tavus_id}).status_code == 202
    throttled_after("1/hour")
    answer = launch(api, {"persona_id": persona.tavus_id})
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert 0 < int(answer["Retry-After"]) <= 3600


# --- Prefer: wait -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=5", 5),
        ('Wait = "7"; x=y', 7),
        ("wait=99", 30),
        ("wait=0", 0),
        ("wait=-1", None),
        ("wait=abc", None),
        ("await=5", None),
        ("", None),
        ("wait=" + "9" * 50, None),
    ],
)
def test_preference_is_read_and_capped(rf, header, seconds):
    assert preferences.preferred_wait(rf.get("/", headers={"Prefer": header})) == seconds


def test_unsettled_launch_is_202_and_says_so(api, persona):
    answer = launch(api, {"persona_id": persona.tavus_id}, Prefer="wait=0")
    assert answer.status_code == 202
    assert answer["Preference-Applied"] == "wait=0"
    assert "Preference-Applied" not in launch(api, {"persona_id": persona.tavus_id})


@pytest.mark.parametrize("status", ["active", "failed", "ended"])
def test_wait_ends_with_the_launch(db, status):
    assert preferences.wait_for_launch(make_conversation(status=status).pk, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_atomic", [False, True])
def test_wait_sees_what_a_worker_commits(api, persona, worker, monkeypatch, is_atomic):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", is_atomic)
    looks = []

    def work_meanwhile(seconds: float) -> None:
        assert not connection.in_atomic_block
        assert worker.messages, "the launch was not enqueued before the wait"
        looks.append(seconds)
        if len(looks) == 3:
            Conversation.objects.update(status="failed", error_code="x", error_message="Why.")

    monkeypatch.setattr(preferences.time, "sleep", work_meanwhile)
    answer = launch(api, {"persona_id": persona.tavus_id}, Prefer="wait=10")
    assert len(looks) == 3
    assert answer.status_code == 201
    assert answer.json()["status"] == "failed"
    assert answer.json()["error"] == {"code": "x", "message": "Why."}
    assert answer["Preference-Applied"] == "wait=10"


@pytest.mark.django_db(transaction=True)
def test_wait_gives_up_in_time(api, persona, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(preferences.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(
        preferences.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds)
    )
    assert launch(api, {"persona_id": persona.tavus_id}, Prefer="wait=3").status_code == 202
    assert clock[0] == pytest.approx(103.0)


def test_nothing_is_waited_for_inside_a_transaction(db, monkeypatch):
    monkeypatch.setattr(preferences.time, "sleep", lambda seconds: pytest.fail("waited"))
    row = make_conversation(status="queued")
    assert not preferences.wait_for_launch(row.pk, 30)


@pytest.mark.django_db(transaction=True)
def test_wait_answers_with_the_room(api, tavus_sandbox, worker, monkeypatch):
    replica = tavus_sandbox.add_replica(replica_name="Anna")
    persona = tavus_sandbox.add_persona(
        persona_name="Coach", system_prompt="Coach.", default_replica_id=replica.id
    )
    sync_objects("personas")
    monkeypatch.setattr(preferences.time, "sleep", lambda seconds: worker.run())
    answer = launch(api, {"persona_id": persona.id, "test_mode": False}, Prefer="wait=30")
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["status"] == "active"
    assert shown["conversation_id"] in tavus_sandbox.engine.conversations
    assert shown["conversation_url"].startswith("http")
    assert shown["error"] is None
