from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from django_tavus.sandbox import Quirks, Sandbox
from tests.sandbox.conftest import PERSONA, Api

COACH = {"persona_name": "Coach", "system_prompt": "You coach."}
VIDEO = {"train_video_url": "https://h/v.mp4"}
CRAWLED = {"document_url": "https://docs.example.com", "crawl": {"depth": 2, "max_pages": 4}}


def bodies(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [callback.body for callback in sandbox.due_callbacks()]


# personas and PALs


def test_both_vocabularies_show_the_same_persona(api: Api) -> None:
    persona_id = api("POST", "/personas", COACH).json()["persona_id"]
    old = api("GET", f"/personas/{persona_id}").json()
    new = api("GET", f"/pals/{persona_id}").json()
    assert old["persona_name"] == new["pal_name"] == "Coach"
    assert (new["pal_id"], "persona_id" in new, "pal_id" in old) == (persona_id, False, False)


def test_layer_speaks_the_vocabulary_of_the_path(api: Api) -> None:
    flow = {"conversational_flow": {"replica_interruptibility": "low"}}
    persona_id = api("POST", "/personas", COACH | {"layers": flow}).json()["persona_id"]
    shown = api("GET", f"/pals/{persona_id}").json()["layers"]
    assert shown == {"conversational_flow": {"face_interruptibility": "low"}}


def test_words_of_users_are_not_translated(api: Api) -> None:
    function = {"name": "find", "parameters": {"properties": {"persona_id": {"type": "string"}}}}
    layers = {"llm": {"tools": [{"type": "function", "function": function}]}}
    persona_id = api("POST", "/personas", COACH | {"layers": layers}).json()["persona_id"]
    assert api("GET", f"/pals/{persona_id}").json()["layers"] == layers


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("/personas", {"system_prompt": "x", "pal_name": "x"}, {"pal_name": ["Unknown field."]}),
        (
            "/pals",
            {"system_prompt": "x", "default_face_id": "r90bbd427f71", "persona_name": "x"},
            {"persona_name": ["Unknown field."]},
        ),
        (
            "/pals",
            {"system_prompt": "x"},
            {"default_face_id": ["Missing data for required field."]},
        ),
        ("/personas", {}, {"system_prompt": ["Missing data for required field."]}),
    ],
)
def test_persona_is_refused_by_field(api: Api, path: str, body: Any, answer: Any) -> None:
    response = api("POST", path, body)
    assert (response.status_code, response.json()) == (400, {"message": answer})


@pytest.mark.parametrize(
    ("path", "field", "text"),
    [
        ("/personas", "default_replica_id", "Invalid replica_uuid"),
        ("/pals", "default_face_id", "Invalid face_id"),
    ],
)
def test_unknown_default_replica(api: Api, path: str, field: str, text: str) -> None:
    response = api("POST", path, {"system_prompt": "x", field: "rnone"})
    assert (response.status_code, response.json()) == (400, {"error": text})


def test_echo_persona_takes_no_prompt(api: Api) -> None:
    body = {"pipeline_mode": "echo"}
    assert api("POST", "/personas", body).ok
    assert api("POST", "/personas", body | {"system_prompt": "x"}).status_code == 400


def test_unknown_model_breaks_the_server(api: Api) -> None:
    layers = {"llm": {"model": "gpt-none"}}
    assert api("POST", "/personas", COACH | {"layers": layers}).status_code == 500
    layers["llm"]["base_url"] = "https://models.example/v1"
    assert api("POST", "/personas", COACH | {"layers": layers}).ok


def test_personas_are_oldest_first_and_do_not_say_whose_they_are(api: Api) -> None:
    persona_id = api("POST", "/personas", COACH).json()["persona_id"]
    mixed = api("GET", "/personas", limit=50).json()["data"]
    assert mixed[-1]["persona_id"] == persona_id
    assert not {"persona_type", "owner"} & set(mixed[0])
    own = api("GET", "/personas", persona_type="user").json()
    assert [row["persona_id"] for row in own["data"]] == [persona_id]
    newest = api("GET", "/pals", sort="desc", pal_type="user").json()["data"]
    assert [row["pal_id"] for row in newest] == [persona_id]


@pytest.mark.parametrize("body", [{"persona_name": "x"}, [1], [{"op": "set", "path": "/x"}], "x"])
def test_patch_that_is_none_is_422(api: Api, body: Any) -> None:
    response = api("PATCH", f"/personas/{PERSONA}", body)
    assert response.status_code == 422
    assert response.json() == {"message": "Invalid JSON patch format"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/nothing", "value": "x"},
        {"op": "remove", "path": "/layers/tts"},
        {"op": "add", "path": "/layers/tts/api_key", "value": "x"},
        {"op": "add", "path": "/persona_nam", "value": "x"},
        {"op": "replace", "path": "/system_prompt", "value": 1},
        {"op": "replace", "path": "/persona_id", "value": "pother"},
        {"op": "replace", "path": "/system_prompt", "value": ""},
        {"op": "remove", "path": "/created_at"},
    ],
)
def test_patch_that_does_not_fit_changes_nothing(api: Api, operation: Any) -> None:
    before = api("GET", f"/personas/{PERSONA}").json()
    rename = {"op": "replace", "path": "/persona_name", "value": "Changed"}
    assert api("PATCH", f"/personas/{PERSONA}", [rename, operation]).status_code == 400
    assert api("GET", f"/personas/{PERSONA}").json() == before


def test_patch_speaks_the_vocabulary_of_its_path(api: Api) -> None:
    operations = [{"op": "add", "path": "/default_face_id", "value": "rf4e9d9790f0"}]
    assert api("PATCH", f"/pals/{PERSONA}", operations).status_code == 200
    assert api("PATCH", f"/personas/{PERSONA}", operations).status_code == 400
    assert api("GET", f"/personas/{PERSONA}").json()["default_replica_id"] == "rf4e9d9790f0"


def test_patch_that_changes_nothing_is_304_without_a_body(face: Api) -> None:
    operations = [{"op": "replace", "path": "/persona_name", "value": "Sales Coach"}]
    response = face("PATCH", f"/personas/{PERSONA}", operations)
    assert (response.status_code, response.content) == (304, b"")
    assert face("GET", f"/personas/{PERSONA}").ok


def test_unpublished_edits_are_a_conflict_until_forced(api: Api) -> None:
    api.control("POST", f"/personas/{PERSONA}/maker-changes")
    operations = [{"op": "replace", "path": "/persona_name", "value": "Mine"}]
    refused = api("PATCH", f"/personas/{PERSONA}", operations)
    assert (refused.status_code, refused.json()["conflict"]) == (409, "maker_changes")
    forced = api("PATCH", f"/personas/{PERSONA}", operations, force="true")
    assert forced.json() == {"discarded_maker_changes": True}
    assert api("PATCH", f"/personas/{PERSONA}", operations).status_code == 304


def test_persona_called_maker_changes_begins_with_a_conflict(api: Api) -> None:
    api.sandbox.add_persona(persona_id="pm", persona_name="maker_changes", system_prompt="x")
    operations = [{"op": "add", "path": "/greeting", "value": "Hi"}]
    assert api("PATCH", "/personas/pm", operations).status_code == 409


def test_conferencing_is_patched_alone(api: Api) -> None:
    own = {"op": "add", "path": "/layers/conferencing", "value": {"username": "coach"}}
    other = {"op": "replace", "path": "/persona_name", "value": "x"}
    assert api("PATCH", f"/personas/{PERSONA}", [own, other]).status_code == 400
    assert api("PATCH", f"/personas/{PERSONA}", [own]).status_code == 200


@pytest.mark.parametrize("shape", ["flat", "data"])
def test_persona_has_either_shape(
    make: Callable[..., Sandbox], connect: Callable[[Sandbox], Api], shape: Any
) -> None:
    api = connect(make(quirks=Quirks(persona_body=shape)))
    body = api("GET", f"/personas/{PERSONA}").json()
    assert (body["data"][0] if shape == "data" else body)["persona_id"] == PERSONA


def test_publishing_takes_unpublished_edits_away(api: Api) -> None:
    api.control("POST", f"/personas/{PERSONA}/maker-changes")
    assert api("POST", f"/pals/{PERSONA}/publish").json()["pal_id"] == PERSONA
    assert not api.sandbox.engine.personas[PERSONA].maker_changes


# replicas and Faces


def test_training_takes_time_and_is_ready_only_in_the_callback(api: Api) -> None:
    body = VIDEO | {"callback_url": "https://h/c", "replica_name": "Rio"}
    created = api("POST", "/replicas", body).json()
    assert created == {"replica_id": created["replica_id"], "status": "started"}
    path = f"/replicas/{created['replica_id']}"
    api.sandbox.advance(5)
    assert api("GET", path).json()["training_progress"] == "50/100"
    assert bodies(api.sandbox) == []
    api.sandbox.advance(6)
    assert api("GET", path).json()["status"] == "completed"
    assert bodies(api.sandbox) == [{"replica_id": created["replica_id"], "status": "ready"}]


def test_training_that_fails_says_a_sentence(api: Api) -> None:
    body = VIDEO | {"callback_url": "https://h/c", "replica_name": "fail:video_duration"}
    replica_id = api("POST", "/replicas", body).json()["replica_id"]
    api.sandbox.advance(11)
    row = api("GET", f"/replicas/{replica_id}").json()
    (told,) = bodies(api.sandbox)
    assert row["status"] == told["status"] == "error"
    assert row["error_message"] == told["error_message"]
    assert "one minute" in told["error_message"]


def test_replica_called_stuck_is_never_ready(api: Api) -> None:
    replica_id = api("POST", "/replicas", VIDEO | {"replica_name": "stuck"}).json()["replica_id"]
    api.sandbox.advance(100_000)
    row = api("GET", f"/replicas/{replica_id}").json()
    assert (row["status"], row["training_progress"]) == ("started", "99/100")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Either train_video_url or train_image_url must be provided."),
        (VIDEO | {"train_image_url": "https://h/i.png"}, "Either train_video_url"),
        ({"train_image_url": "https://h/i.png"}, "Invalid voice_name"),
        (VIDEO | {"voice_name": "nobody"}, "Invalid voice_name"),
    ],
)
def test_replica_is_refused(api: Api, body: Any, text: str) -> None:
    response = api("POST", "/replicas", body)
    assert response.status_code == 400
    assert response.json()["error"].startswith(text)


def test_voice_is_found_in_any_case(api: Api) -> None:
    body = {"train_image_url": "https://h/i.png", "voice_name": "Anna"}
    assert api("POST", "/replicas", body).ok


def test_replica_that_trains_cannot_converse(api: Api) -> None:
    replica_id = api("POST", "/replicas", VIDEO).json()["replica_id"]
    body = {"persona_id": PERSONA, "replica_id": replica_id}
    assert api("POST", "/conversations", body).status_code == 400
    api.sandbox.advance(11)
    assert api("POST", "/conversations", body).ok


def test_type_of_a_replica_is_told_to_those_who_ask(api: Api) -> None:
    assert "replica_type" not in api("GET", "/replicas").json()["data"][0]
    shown = api("GET", "/faces", verbose="true").json()["data"][0]
    assert shown["face_type"] == "system"


def test_replicas_are_filtered(api: Api) -> None:
    replica_id = api("POST", "/replicas", VIDEO | {"model_name": "phoenix-3"}).json()["replica_id"]

    def found(path: str, **query: str) -> set[str]:
        rows = api("GET", path, **query).json()["data"]
        return {row.get("replica_id") or row["face_id"] for row in rows}

    assert found("/replicas", replica_type="user") == {replica_id}
    assert found("/faces", face_type="user") == {replica_id}
    assert found("/replicas", replica_ids=f"{replica_id},r90bbd427f71") == {
        replica_id,
        "r90bbd427f71",
    }
    assert found("/replicas", model_name="phoenix-3") == {replica_id, "r79e1c033f"}


@pytest.mark.parametrize(("family", "word"), [("/replicas", "replica"), ("/faces", "face")])
def test_replica_is_renamed_and_deleted_with_204(api: Api, family: str, word: str) -> None:
    replica_id = api("POST", "/replicas", VIDEO).json()["replica_id"]
    renamed = api("PATCH", f"{family}/{replica_id}/name", {f"{word}_name": "Rio"})
    assert (renamed.status_code, renamed.content) == (204, b"")
    assert api("GET", f"{family}/{replica_id}").json()[f"{word}_name"] == "Rio"
    assert api("DELETE", f"{family}/{replica_id}").status_code == 204
    assert api("GET", f"{family}/{replica_id}").json() == {"error": f"Invalid {word}_id"}


def test_stock_replica_stays(api: Api) -> None:
    assert api("DELETE", "/replicas/r90bbd427f71").status_code == 400
    assert api("GET", "/replicas/r90bbd427f71").ok


# voices


@pytest.mark.parametrize("query", [{"limit": 101}, {"limit": 0}, {"page": 0}, {"sort": "up"}])
def test_voices_refuse_what_the_docs_exclude(api: Api, query: Any) -> None:
    assert api("GET", "/voices", **query).status_code == 400


def test_voices_are_searched_and_tagged(api: Api) -> None:
    found = api("GET", "/voices", search="an", tag="english").json()
    assert [row["voice_name"] for row in found["data"]] == ["anna", "daniel"]
    assert (found["total_count"], found["page"], found["limit"]) == (2, 1, 10)


# documents


def test_document_is_read_step_by_step(api: Api) -> None:
    body = CRAWLED | {"callback_url": "https://h/c", "tags": ["site"]}
    created = api("POST", "/documents", body).json()
    assert created["status"] == "started"
    api.sandbox.advance(10)
    told = bodies(api.sandbox)
    assert [update["status"] for update in told] == ["started", "processing", "ready"]
    assert told[-1] == api("GET", f"/documents/{created['document_id']}").json()
    assert told[-1]["crawled_urls"][0] == "https://docs.example.com/"
    assert told[-1]["crawl_count"] == 1
    assert re.fullmatch(r"d[0-9a-f]-[0-9a-f]{12}", created["document_id"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"document_url": "https://h/a.pdf", "document_name": "fail:file_empty"}, "file_empty"),
        ({"document_url": "ftp://h/a.pdf"}, "invalid_file_url"),
        ({"document_url": "not a url"}, "invalid_file_url"),
        ({"document_url": "https://h/a.zip"}, "file_format_unsupported"),
    ],
)
def test_document_fails(api: Api, body: Any, code: str) -> None:
    document_id = api("POST", "/documents", body).json()["document_id"]
    api.sandbox.advance(10)
    row = api("GET", f"/documents/{document_id}").json()
    assert (row["status"], row["error_message"], row["progress"]) == ("error", code, None)


def test_document_called_stuck_is_never_ready(api: Api) -> None:
    body = {"document_url": "https://h/a.pdf", "document_name": "stuck"}
    document_id = api("POST", "/documents", body).json()["document_id"]
    api.sandbox.advance(100_000)
    assert api("GET", f"/documents/{document_id}").json()["status"] == "processing"


def test_documents_count_pages_from_zero(api: Api) -> None:
    api.sandbox.add_document(document_id="d2")
    first = api("GET", "/documents", limit=1).json()
    second = api("GET", "/documents", limit=1, page=1).json()
    assert first["data"][0]["document_id"] == "d8-5c71baca86fc"
    assert second["data"][0]["document_id"] == "d2"
    assert (second["total_count"], second["page"], second["limit"]) == (2, 1, 1)
    assert api("GET", "/documents", page=2).json()["data"] == []


def test_documents_are_filtered(api: Api) -> None:
    api.sandbox.add_document(document_id="d2", document_name="Menu", tags=["food"])

    def found(**query: str) -> list[str]:
        rows = api("GET", "/documents", **query).json()["data"]
        return [row["document_id"] for row in rows]

    assert found(tags="food,drink") == ["d2"]
    assert found(name_or_uuid="MENU") == ["d2"]
    assert found(name_or_uuid="d8-") == ["d8-5c71baca86fc"]
    assert found(status="error") == []
    assert found(sort="descending") == found(sort="desc") == ["d2", "d8-5c71baca86fc"]


@pytest.mark.parametrize("limit", ["0", "-1", "ten"])
def test_limit_of_documents(api: Api, limit: str) -> None:
    response = api("GET", "/documents", limit=limit)
    assert response.status_code == 400
    assert response.json() == {"error": "Invalid request: limit must be a positive integer"}


def test_patch_of_a_document_is_plain_and_replaces_tags(api: Api) -> None:
    path = "/documents/d8-5c71baca86fc"
    assert api("PATCH", path, {"tags": ["new"]}).json()["tags"] == ["new"]
    assert api("PATCH", path, {"status": "ready"}).status_code == 400


def test_document_is_recrawled_after_the_cooldown_only(api: Api) -> None:
    document_id = api("POST", "/documents", CRAWLED).json()["document_id"]
    path = f"/documents/{document_id}"
    api.sandbox.advance(10)
    first = api("POST", f"{path}/recrawl", {"crawl": {"depth": 3}})
    assert first.json()["crawl_config"] == {"depth": 3, "max_pages": 4}
    api.sandbox.advance(15 * 60)
    refused = api("POST", f"{path}/recrawl")
    assert refused.status_code == 429
    assert refused.json()["error"] == (
        "Recrawl cooldown: please wait 45 minutes before recrawling this document."
    )
    api.sandbox.advance(45 * 60)
    assert api("POST", f"{path}/recrawl").status_code == 202
    api.sandbox.advance(10)
    assert api("GET", path).json()["crawl_count"] == 3


def test_five_crawls_at_once(api: Api) -> None:
    codes = [api("POST", "/documents", CRAWLED).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]
    assert api("POST", "/documents", {"document_url": "https://h/a.pdf"}).ok


def test_document_deleted_while_it_is_read_stays_deleted(api: Api) -> None:
    body = {"document_url": "https://h/a.pdf", "callback_url": "https://h/c"}
    document_id = api("POST", "/documents", body).json()["document_id"]
    assert api("DELETE", f"/documents/{document_id}").status_code == 204
    api.sandbox.advance(10)
    assert [update["status"] for update in bodies(api.sandbox)] == ["started"]


def test_id_of_documents_may_be_called_uuid(
    make: Callable[..., Sandbox], connect: Callable[[Sandbox], Api]
) -> None:
    api = connect(make(quirks=Quirks(document_id_key="uuid")))
    assert api("GET", "/documents/d8-5c71baca86fc").json()["uuid"] == "d8-5c71baca86fc"


# videos


def test_video_is_generated_and_told_with_other_dates(api: Api) -> None:
    body = {"replica_id": "r90bbd427f71", "script": "Hello.", "callback_url": "https://h/c"}
    created = api("POST", "/videos", body).json()
    assert created["created_at"] == "Mon, 04 May 2026 12:00:00 GMT"
    assert created["status"] == "queued"
    api.sandbox.advance(1)
    assert api("GET", f"/videos/{created['video_id']}").json()["status"] == "generating"
    api.sandbox.advance(10)
    (told,) = bodies(api.sandbox)
    assert told["created_at"] == "2026-05-04 12:00:00.123456"
    assert (told["status"], told["generation_progress"]) == ("ready", "100/100")
    assert told["data"] == {"script": "Hello."}


def test_video_that_fails_says_so_in_the_details_of_its_status(api: Api) -> None:
    body = {"replica_id": "r90bbd427f71", "script": "Hi", "video_name": "fail:x"}
    api("POST", "/videos", body | {"callback_url": "https://h/c"})
    api.sandbox.advance(10)
    (told,) = bodies(api.sandbox)
    assert told["status"] == "error"
    assert told["error_details"] is None
    assert told["status_details"].startswith("An error occurred")


@pytest.mark.parametrize(
    "extra",
    [{}, {"script": "a", "audio_url": "b"}, {"script": "a", "transparent_background": True}],
)
def test_video_is_refused(api: Api, extra: Any) -> None:
    assert api("POST", "/videos", {"replica_id": "r90bbd427f71"} | extra).status_code == 400


# objectives


def steps(*chain: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [
        {"objective_name": name, "objective_prompt": "Ask."}
        | ({"next_required_objective": following} if following else {})
        for name, following in chain
    ]


@pytest.mark.parametrize(
    "data",
    [
        steps(("a", None), ("a", None)),
        steps(("a", "a")),
        steps(("a", "b")),
        steps(("a", "b"), ("b", "a")),
        steps(("root", "a"), ("a", "b"), ("b", "a")),
    ],
)
def test_steps_have_to_form_a_path(api: Api, data: Any) -> None:
    for path in ("/objectives", "/objectives/validate"):
        response = api("POST", path, {"data": data})
        assert response.status_code == 400
        assert isinstance(response.json()["message"], str)


def test_loop_may_be_allowed(api: Api) -> None:
    data = steps(("a", "b"), ("b", "a"))
    assert api("POST", "/objectives", {"data": data, "allow_loops": True}).ok


def test_validating_stores_nothing(api: Api) -> None:
    assert api("POST", "/objectives/validate", {"data": steps(("a", None))}).ok
    assert len(api.sandbox.engine.objectives) == 0


def test_objective_is_patched_at_either_path(api: Api) -> None:
    objectives_id = api("POST", "/objectives", {"data": steps(("a", None))}).json()["objectives_id"]
    path = f"/objectives/{objectives_id}"
    for pointer, value in (("/objective_prompt", "One."), ("/data/0/objective_prompt", "Two.")):
        operations = [{"op": "replace", "path": pointer, "value": value}]
        assert api("PATCH", path, operations).json() == {
            "message": "Objective updated successfully"
        }
        assert api("GET", path).json()["data"][0]["objective_prompt"] == value


@pytest.mark.parametrize("data", [[], "x", [1], [{"objective_name": "a"}], [{"x": 1}], None])
def test_patch_cannot_break_objectives(api: Api, data: Any) -> None:
    objectives_id = api("POST", "/objectives", {"data": steps(("a", None))}).json()["objectives_id"]
    operations = [{"op": "replace", "path": "/data", "value": data}]
    assert api("PATCH", f"/objectives/{objectives_id}", operations).status_code == 400
    assert api("GET", "/objectives").json()["total_count"] == 1


def test_patch_cannot_make_objectives_go_in_circles(api: Api) -> None:
    data = steps(("a", "b"), ("b", None))
    objectives_id = api("POST", "/objectives", {"data": data}).json()["objectives_id"]
    back = [{"op": "add", "path": "/data/1/next_required_objective", "value": "a"}]
    assert api("PATCH", f"/objectives/{objectives_id}", back).status_code == 400


def test_lists_of_objectives_are_of_the_user_unless_asked(api: Api) -> None:
    api.sandbox.put("objectives", objectives_id="os", owner="system", data=steps(("a", None)))
    api.sandbox.put("objectives", objectives_id="ou", data=steps(("b", None)))

    def found(**query: str) -> list[str]:
        rows = api("GET", "/objectives", **query).json()["data"]
        return [row["objectives_id"] for row in rows]

    assert found() == ["ou"]
    assert found(type="all") == ["os", "ou"]
    assert found(type="all", sort="descending") == ["ou", "os"]
    assert found(type="all", name_or_uuid="os") == ["os"]


# guardrails

RULE = {"guardrail_name": "polite", "guardrail_prompt": "Be polite."}


def test_flat_guardrail_is_keyed_uuid(api: Api) -> None:
    uuid = api("POST", "/guardrails", RULE | {"tags": ["tone"]}).json()["uuid"]
    assert api("GET", f"/guardrails/{uuid}").json()["guardrail_name"] == "polite"
    assert api("GET", "/guardrails", tags="tone").json()["total_count"] == 1
    assert api("GET", "/guardrails", tags="other").json()["total_count"] == 0
    assert api("GET", "/guardrails", legacy="true").json()["total_count"] == 0
    assert api("GET", "/guardrails/tags").json() == {"tags": ["tone"], "total_count": 1}


def test_set_of_guardrails_is_legacy(api: Api) -> None:
    created = api("POST", "/guardrails", {"name": "Tone", "data": [RULE]}).json()
    listed = api("GET", "/guardrails", legacy="true", verbose="true").json()["data"][0]
    assert listed["guardrails_id"] == created["guardrails_id"]
    assert listed["guardrail_type"] == "user"
    shown = api("GET", f"/guardrails/{created['guardrails_id']}").json()
    assert shown["data"][0]["guardrail_prompt"] == "Be polite."


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"guardrail_prompt": "x"}, "guardrail_name is required"),
        ({"data": [{"guardrail_prompt": "x"}]}, "guardrail_name is required"),
        (RULE | {"name": "x"}, "name is not a known field"),
        (RULE | {"app_message": "yes"}, "app_message must be a boolean"),
    ],
)
def test_guardrail_is_refused(api: Api, body: Any, text: str) -> None:
    response = api("POST", "/guardrails", body)
    assert (response.status_code, response.json()) == (400, {"message": text})


def test_patch_cannot_break_a_guardrail(api: Api) -> None:
    uuid = api("POST", "/guardrails", RULE).json()["uuid"]
    for operation in (
        {"op": "remove", "path": "/guardrail_name"},
        {"op": "add", "path": "/guardrail_nam", "value": "x"},
        {"op": "add", "path": "/tags", "value": "x"},
        {"op": "replace", "path": "", "value": []},
    ):
        response = api("PATCH", f"/guardrails/{uuid}", [operation])
        assert response.status_code == 400
        assert response.json() == {"error": "Invalid patch operation"}


def test_deleted_guardrail_leaves_its_personas(api: Api) -> None:
    uuid = api("POST", "/guardrails", RULE).json()["uuid"]
    api.sandbox.add_persona(persona_id="pg", system_prompt="x", guardrail_ids=[uuid, "gother"])
    api("DELETE", f"/guardrails/{uuid}")
    assert api("GET", "/personas/pg").json()["guardrail_ids"] == ["gother"]


# pronunciation dictionaries


def test_dictionaries_are_newest_first_from_page_zero_without_rules(api: Api) -> None:
    rule = {"text": "a", "pronunciation": "b", "type": "ipa"}
    ids = []
    for name in ("first", "second"):
        body = {"name": name, "rules": [rule]}
        ids.append(
            api("POST", "/pronunciation-dictionaries", body).json()["pronunciation_dictionary_id"]
        )
        api.sandbox.advance(1)
    listed = api("GET", "/pronunciation-dictionaries", limit=1).json()
    assert listed["data"][0]["pronunciation_dictionary_id"] == ids[1]
    assert "rules" not in listed["data"][0]
    assert listed["data"][0]["rules_count"] == 1
    assert api("GET", "/pronunciation-dictionaries", limit=101).status_code == 400


def test_rules_of_a_dictionary_get_their_defaults(api: Api) -> None:
    rule = {"text": "a", "pronunciation": "b", "type": "alias"}
    created = api("POST", "/pronunciation-dictionaries", {"name": "x", "rules": [rule]}).json()
    assert created["rules"] == [rule | {"case_sensitive": False, "word_boundaries": True}]


# tools and skills

TOOL = {"name": "book", "description": "Books a table."}


def api_tool(**auth: str) -> dict[str, Any]:
    return TOOL | {"delivery": {"api": {"url": "https://h/", "auth": auth}}}


def test_secrets_of_tools_come_back_masked(api: Api) -> None:
    body = api_tool(type="bearer", token="very secret")
    created = api("POST", "/tools", body)
    assert "very secret" not in created.text
    assert created.json()["delivery"]["api"]["auth"]["token"] == "*" * 8
    kept = api.sandbox.engine.tools[created.json()["tool_id"]]
    assert kept.body["delivery"]["api"]["auth"]["token"] == "very secret"


@pytest.mark.parametrize(
    "extra",
    [
        {"name": "2 many"},
        {"delivery": {}},
        {"delivery": {"app_message": True, "api": {"url": "https://h/"}}},
        {"parameters": {"properties": {"tavus_id": {}}}},
        {"description": "x" * 10_001},
    ],
)
def test_tool_is_refused(api: Api, extra: Any) -> None:
    assert api("POST", "/tools", TOOL | extra).status_code == 400


def test_patch_of_a_tool_is_a_merge(api: Api) -> None:
    tool_id = api("POST", "/tools", TOOL).json()["tool_id"]
    changed = api("PATCH", f"/tools/{tool_id}", {"description": "Cancels."}).json()
    assert (changed["name"], changed["description"]) == ("book", "Cancels.")


@pytest.mark.parametrize("family", ["/personas", "/pals"])
def test_tools_are_attached_and_detached(api: Api, family: str) -> None:
    tool_id = api("POST", "/tools", TOOL).json()["tool_id"]
    path = f"{family}/{PERSONA}/tools"
    assert api("POST", f"{path}/", {"tool_ids": [tool_id]}).json()["data"][0]["tool_id"] == tool_id
    assert api("POST", path, {"tool_ids": ["tnone"]}).status_code == 404
    assert api("DELETE", f"{path}/{tool_id}").status_code == 204
    assert api("GET", path).json() == {"data": []}


@pytest.mark.parametrize("family", ["/personas", "/pals"])
def test_skills_are_put_merged_and_deleted(api: Api, family: str) -> None:
    path = f"{family}/{PERSONA}/skills"
    api("PUT", f"{path}/presentation", {"config": {"a": 1}})
    assert api("PATCH", f"{path}/presentation", {"config": {"b": 2}}).json()["config"] == {
        "a": 1,
        "b": 2,
    }
    assert api("PUT", f"{path}/juggling", {}).status_code == 404
    assert api("PUT", path, {"skills": {"magic_canvas": None}}).json() == {
        "skills": {"magic_canvas": {"config": {}}}
    }
    assert api("DELETE", f"{path}/magic_canvas").status_code == 204
    assert api("GET", path).json() == {"skills": {}}


# all of them


def test_trailing_slash_is_tolerated(face: Api) -> None:
    assert face("POST", "/guardrails/", RULE).ok
    assert face("GET", "/personas/").ok


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"a": }'])
def test_body_that_is_not_json_is_400(face: Api, content: bytes) -> None:
    url = f"{face.sandbox.base_url}/conversations"
    response = face.session.post(url, data=content, timeout=5)
    assert response.status_code == 400
    assert set(response.json()) == {"message"}


@pytest.mark.parametrize("body", [[], "x", 1, True])
def test_body_that_is_no_object_is_400(api: Api, body: Any) -> None:
    for path in ("/conversations", "/personas", "/documents", "/objectives", "/guardrails"):
        assert api("POST", path, body).status_code == 400


def test_unknown_path_and_method(face: Api) -> None:
    assert face("GET", "/nothing").status_code == 404
    assert face("PUT", "/conversations").status_code == 405


def test_empty_key_is_none(face: Api) -> None:
    face.session.headers["x-api-key"] = ""
    assert face("GET", "/conversations").status_code == 401
