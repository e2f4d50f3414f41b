from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from django_tavus.sandbox import Sandbox
from tests.sandbox.conftest import PERSONA, Api

HIDDEN = "There was an error creating the conversation, please reach out to support at"


def test_creating_answers_200_and_the_documented_fields(api: Api) -> None:
    response = api("POST", "/conversations", {"persona_id": PERSONA, "callback_url": "https://h/c"})
    body = response.json()
    assert response.status_code == 200
    assert re.fullmatch(r"c[0-9a-f]{15}", body["conversation_id"])
    assert body["status"] == "active"
    assert body["callback_url"] == "https://h/c"
    assert body["created_at"] == "2026-05-04T12:00:00.123456Z"
    assert body["conversation_name"]
    assert "meeting_token" not in body


def test_room_is_at_the_origin_that_was_asked(api: Api) -> None:
    created = api.converse()
    assert created["conversation_url"] == (
        f"http://sandbox.invalid/sandbox/rooms/{created['conversation_id']}"
    )


def test_request_is_kept_as_it_was_sent(api: Api) -> None:
    fields = {"persona_id": PERSONA, "properties": {"language": "multilingual"}}
    created = api("POST", "/conversations", fields).json()
    assert api.sandbox.engine.conversations[created["conversation_id"]].request == fields


def test_replica_comes_from_the_persona_or_from_the_caller(api: Api) -> None:
    assert api.converse()["replica_id"] == "r90bbd427f71"
    assert api.converse(replica_id="rf4e9d9790f0")["replica_id"] == "rf4e9d9790f0"


def test_replica_alone_is_enough(api: Api) -> None:
    response = api("POST", "/conversations", {"replica_id": "r90bbd427f71"})
    assert response.json()["persona_id"] == "pb87e71797da"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, HIDDEN),
        ({"persona_id": "p9a95912"}, HIDDEN),
        ({"persona_id": "pnone"}, "Invalid persona_id"),
        ({"persona_id": PERSONA, "replica_id": "rnone"}, "Invalid replica_uuid"),
        ({"persona_id": PERSONA, "pal_id": PERSONA}, "Cannot have both persona_id and pal_id"),
        ({"persona_id": PERSONA, "document_ids": ["dnone"]}, "Invalid document_id"),
    ],
)
def test_create_refuses(api: Api, body: dict[str, Any], text: str) -> None:
    response = api("POST", "/conversations", body)
    assert response.status_code == 400
    assert response.json()["error"].startswith(text)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"replica": "x"}, ["replica"]),
        ({"max_participants": 1}, ["max_participants"]),
        ({"max_participants": True}, ["max_participants"]),
        ({"document_retrieval_strategy": "fastest"}, ["document_retrieval_strategy"]),
        ({"properties": {"language": "es"}}, ["properties", "language"]),
        ({"properties": {"language": "en-US"}}, ["properties", "language"]),
        ({"properties": {"pipeline_mode": "echo"}}, ["properties", "pipeline_mode"]),
        ({"properties": {"max_call_duration": "60"}}, ["properties", "max_call_duration"]),
        ({"properties": {"recording_storage": {}}}, ["properties", "recording_storage"]),
        ({"memory_stores": "anna"}, ["memory_stores"]),
        ({"conversation_name": None}, ["conversation_name"]),
    ],
)
def test_create_names_the_field_that_does_not_fit(
    api: Api, fields: dict[str, Any], where: list[str]
) -> None:
    response = api("POST", "/conversations", {"persona_id": PERSONA, **fields})
    assert response.status_code == 400
    branch = response.json()["message"]
    for name in where:
        branch = branch[name]


def test_audio_only_may_be_the_string_of_the_docs(api: Api) -> None:
    api.converse(audio_only="false")


def test_row_speaks_the_vocabulary_of_its_creation(api: Api) -> None:
    created = api("POST", "/conversations", {"pal_id": PERSONA, "face_id": "r90bbd427f71"}).json()
    row = api("GET", f"/conversations/{created['conversation_id']}").json()
    assert (row["pal_id"], row["face_id"]) == (PERSONA, "r90bbd427f71")
    assert "persona_id" not in row


def test_test_mode_is_over_at_once_and_tells_nobody(api: Api) -> None:
    created = api.converse(test_mode=True, callback_url="https://h/c")
    api.sandbox.advance(4000)
    assert created["status"] == "ended"
    assert api.sandbox.due_callbacks() == []


def test_list_is_newest_first_and_counts_pages_from_one(api: Api) -> None:
    ids = [api.converse()["conversation_id"] for _ in range(3)]
    first = api("GET", "/conversations", limit=2).json()
    second = api("GET", "/conversations", limit=2, page=2).json()
    assert [row["conversation_id"] for row in first["data"]] == ids[:0:-1]
    assert [row["conversation_id"] for row in second["data"]] == ids[:1]
    assert first["total_count"] == second["total_count"] == 3


def test_page_zero_of_conversations_is_the_first(api: Api) -> None:
    api.converse()
    assert api("GET", "/conversations", page=0).json() == api("GET", "/conversations").json()


def test_list_filters_by_status(api: Api) -> None:
    over, running = api.converse()["conversation_id"], api.converse()["conversation_id"]
    api("POST", f"/conversations/{over}/end")
    found = api("GET", "/conversations", status="active").json()
    assert [row["conversation_id"] for row in found["data"]] == [running]
    assert found["total_count"] == 1


def test_ending_has_an_empty_answer_and_is_refused_twice(api: Api) -> None:
    conversation_id = api.converse()["conversation_id"]
    first = api("POST", f"/conversations/{conversation_id}/end")
    second = api("POST", f"/conversations/{conversation_id}/end")
    assert (first.status_code, first.content) == (200, b"")
    assert second.status_code == 400
    ended = api.sandbox.conversation(conversation_id)
    assert ended.shutdown_reason == "end_conversation_endpoint_hit"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", "/end"), ("DELETE", ""), ("DELETE", "?hard=true")]
)
def test_unknown_conversation_is_400_not_404(api: Api, method: str, path: str) -> None:
    response = api(method, f"/conversations/cnone{path}")
    assert response.status_code == 400
    assert response.json() == {"error": "Invalid conversation_id"}


def test_deleting_hides_but_does_not_hang_up(api: Api) -> None:
    conversation_id = api.converse()["conversation_id"]
    assert api("DELETE", f"/conversations/{conversation_id}").status_code == 204
    assert api("GET", f"/conversations/{conversation_id}").status_code == 400
    assert api("GET", "/conversations").json()["total_count"] == 0
    assert api.sandbox.conversation(conversation_id).is_active


def test_hard_delete_leaves_no_events(api: Api) -> None:
    conversation_id = api.converse()["conversation_id"]
    api.sandbox.advance(1)
    api("DELETE", f"/conversations/{conversation_id}", hard="true")
    assert api.sandbox.conversation(conversation_id).events == []


def test_concurrency_counts_what_runs(
    make: Callable[..., Sandbox], connect: Callable[[Sandbox], Api]
) -> None:
    api = connect(make(max_concurrent=1))
    first = api.converse()["conversation_id"]
    api.converse(test_mode=True)
    refused = api("POST", "/conversations", {"persona_id": PERSONA})
    assert refused.status_code == 400
    assert refused.json() == {"message": "User has reached maximum concurrent conversations"}
    api("POST", f"/conversations/{first}/end")
    api.converse()


def test_credits_run_out(make: Callable[..., Sandbox], connect: Callable[[Sandbox], Api]) -> None:
    api = connect(make(credits=2))
    conversation_id = api.converse()["conversation_id"]
    api.sandbox.advance(121)
    refused = api("POST", "/conversations", {"persona_id": PERSONA})
    assert refused.status_code == 402
    assert refused.json() == {"message": "The user is out of conversational credits"}
    assert api.sandbox.conversation(conversation_id).is_active


def test_plan_caps_the_duration_without_a_word(
    make: Callable[..., Sandbox], connect: Callable[[Sandbox], Api]
) -> None:
    api = connect(make(max_call_duration=300))
    conversation_id = api.converse(
        properties={"max_call_duration": 3600, "participant_absent_timeout": 5000}
    )["conversation_id"]
    api.sandbox.advance(300)
    assert api.sandbox.conversation(conversation_id).shutdown_reason == "max_call_duration reached"


def test_canvas_interaction_needs_no_key_and_counts_once(api: Api) -> None:
    path = f"/conversations/{api.converse(callback_url='https://h/c')['conversation_id']}"
    del api.session.headers["x-api-key"]
    body = {"interaction_id": "i1", "type": "submit", "value": "yes"}
    for _ in range(2):
        assert api("POST", f"{path}/canvas/interactions", body).status_code == 200
    posted = [c.body["event_type"] for c in api.sandbox.due_callbacks()]
    assert posted == ["canvas.interaction"]
    api.session.headers["x-api-key"] = "k"
    rows = api("GET", f"{path}/canvas/interactions").json()["data"]
    assert [row["created_at"] for row in rows] == ["2026-05-04T12:00:00.123456"]


def test_canvas_interactions_are_limited_to_120_a_minute(api: Api) -> None:
    path = f"/conversations/{api.converse()['conversation_id']}/canvas/interactions"
    codes = [api("POST", path, {"interaction_id": f"i{n}"}).status_code for n in range(121)]
    assert codes == [200] * 120 + [429]
    assert api("POST", path, {"interaction_id": "late"}).headers["Retry-After"] == "60"
    api.sandbox.advance(61)
    assert api("POST", path, {"interaction_id": "later"}).status_code == 200
