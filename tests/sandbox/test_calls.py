from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_tavus.sandbox import RoomRefusal, Sandbox
from tests.sandbox.conftest import PERSONA, Api

HOOK = "https://site.example/callbacks/secret/"


def events(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [callback.body for callback in sandbox.due_callbacks()]


def names(sandbox: Sandbox) -> list[str]:
    return [body["event_type"] for body in events(sandbox)]


def start(api: Api, **fields: Any) -> str:
    """A conversation whose replica has joined; its callbacks so far are taken away."""
    conversation_id: str = api.converse(callback_url=HOOK, **fields)["conversation_id"]
    api.sandbox.advance(1)
    api.sandbox.due_callbacks()
    return conversation_id


def talk(api: Api, *lines: str, **fields: Any) -> list[dict[str, Any]]:
    """Play a whole call; returns the callbacks after the replica joined."""
    conversation_id = start(api, **fields)
    api.sandbox.join(conversation_id, "Ann")
    for line in lines:
        api.sandbox.say(conversation_id, "user", line)
    api.sandbox.leave(conversation_id)
    api.sandbox.advance(10)
    return events(api.sandbox)


def test_replica_joins_under_both_names(api: Api) -> None:
    created = api.converse(callback_url=HOOK)
    assert names(api.sandbox) == []
    api.sandbox.advance(1)
    old, new = events(api.sandbox)
    assert old["event_type"] == "system.replica_joined"
    assert old["properties"] == {"replica_id": "r90bbd427f71"}
    assert new["event_type"] == "system.pal_joined"
    assert new["properties"] == {"face_id": "r90bbd427f71"}
    assert old["timestamp"] == new["timestamp"] == "2026-05-04T12:00:00.623456Z"
    assert old["webhook_url"] == HOOK
    assert old["conversation_id"] == created["conversation_id"]


def test_whole_call_is_told_in_order(api: Api) -> None:
    told = talk(api, "Hello!")
    assert [body["event_type"] for body in told] == [
        "system.shutdown",
        "application.transcription_ready",
        "application.perception_analysis",
    ]
    assert told[0]["properties"]["shutdown_reason"] == "participant_left_timeout reached"
    assert told[2]["properties"]["analysis"].startswith("### ")


def test_transcript_begins_with_the_confidential_prompt(api: Api) -> None:
    told = talk(api, "Hello!", conversational_context="They are a new customer.")
    first, *turns = told[1]["properties"]["transcript"]
    assert first["role"] == "system"
    assert "sales coach" in first["content"]
    assert first["content"].endswith("They are a new customer.")
    assert [turn["role"] for turn in turns] == ["assistant", "user", "assistant"]
    assert turns[1]["content"] == "Hello!"
    assert "Hello!" in turns[2]["content"]


def test_turns_are_timed(api: Api) -> None:
    told = talk(api, "Hello!")
    greeting, said, answer = told[1]["properties"]["transcript"][1:]
    assert greeting["seconds_from_start"] == 0.0
    assert isinstance(said["timestamp"], float)
    assert greeting["timestamp"] < said["timestamp"] < answer["timestamp"]
    assert said["duration"] > 0
    assert "inference_id" in answer
    assert "inference_id" not in said


def test_same_words_get_the_same_answers(make: Callable[..., Sandbox], connect: Any) -> None:
    first, second = (talk(connect(make()), "Why?", "Well.") for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("fields", "greeting"),
    [
        ({}, "Hello! Ready to practice your pitch on me?"),
        ({"custom_greeting": "Ahoy."}, "Ahoy."),
        ({"persona_id": "pb87e71797da"}, "Hi, I am Carla. What would you like to talk about?"),
    ],
)
def test_replica_greets(api: Api, fields: dict[str, Any], greeting: str) -> None:
    conversation_id = start(api, **fields)
    api.sandbox.join(conversation_id)
    assert [turn.content for turn in api.sandbox.conversation(conversation_id).turns] == [greeting]


def test_replica_that_comes_late_greets_who_waits(api: Api) -> None:
    conversation_id = api.converse()["conversation_id"]
    api.sandbox.join(conversation_id)
    assert api.sandbox.conversation(conversation_id).turns == []
    api.sandbox.advance(1)
    assert len(api.sandbox.conversation(conversation_id).turns) == 1


def test_echo_persona_repeats(api: Api) -> None:
    api.sandbox.add_persona(
        persona_id="pecho", pipeline_mode="echo", default_replica_id="r90bbd427f71"
    )
    conversation_id = start(api, persona_id="pecho")
    api.sandbox.join(conversation_id)
    turns = api.sandbox.say(conversation_id, "user", "Polly")
    assert [turn.content for turn in turns] == ["Polly", "Polly"]


def test_replica_can_be_made_to_speak(api: Api) -> None:
    conversation_id = start(api)
    api.sandbox.join(conversation_id)
    turns = api.sandbox.say(conversation_id, "replica", "One more thing.")
    assert [(turn.role, turn.content) for turn in turns] == [("assistant", "One more thing.")]


def test_nobody_came(api: Api) -> None:
    conversation_id = start(api, properties={"participant_absent_timeout": 60})
    api.sandbox.advance(58.5)
    assert api.sandbox.conversation(conversation_id).is_active
    api.sandbox.advance(1)
    (told,) = events(api.sandbox)
    assert told["properties"]["shutdown_reason"] == "participant_absent_timeout reached"
    assert told["timestamp"] == "2026-05-04T12:01:00.123456Z"


def test_call_without_anybody_leaves_no_transcript(api: Api) -> None:
    start(api)
    api.sandbox.advance(10_000)
    assert names(api.sandbox) == ["system.shutdown"]


def test_longest_duration_ends_a_call_with_people_in_it(api: Api) -> None:
    conversation_id = start(api, properties={"max_call_duration": 90})
    api.sandbox.join(conversation_id)
    api.sandbox.advance(95)
    assert api.sandbox.conversation(conversation_id).shutdown_reason == "max_call_duration reached"


def test_coming_back_in_time_keeps_the_call(api: Api) -> None:
    conversation_id = start(api, properties={"participant_left_timeout": 30})
    api.sandbox.join(conversation_id)
    api.sandbox.leave(conversation_id)
    api.sandbox.advance(20)
    api.sandbox.join(conversation_id)
    api.sandbox.advance(20)
    assert api.sandbox.conversation(conversation_id).is_active
    api.sandbox.leave(conversation_id)
    api.sandbox.advance(29)
    assert api.sandbox.conversation(conversation_id).is_active
    api.sandbox.advance(1)
    assert not api.sandbox.conversation(conversation_id).is_active


def test_first_of_two_may_leave(api: Api) -> None:
    conversation_id = start(api)
    first = api.sandbox.join(conversation_id, "Ann")
    api.sandbox.join(conversation_id, "Bob")
    api.sandbox.leave(conversation_id, first.id)
    assert api.sandbox.conversation(conversation_id).is_active


def test_replica_counts_as_a_participant(api: Api) -> None:
    conversation_id = start(api, max_participants=2)
    api.sandbox.join(conversation_id)
    with pytest.raises(RoomRefusal, match="full"):
        api.sandbox.join(conversation_id)


def test_ended_room_is_closed(api: Api) -> None:
    conversation_id = start(api)
    api("POST", f"/conversations/{conversation_id}/end")
    with pytest.raises(RoomRefusal, match="ended"):
        api.sandbox.join(conversation_id)


def test_nobody_can_speak_in_an_empty_room(api: Api) -> None:
    with pytest.raises(RoomRefusal, match="Nobody"):
        api.sandbox.say(start(api), "user", "Hello?")


def test_verbose_repeats_events_in_another_form(api: Api) -> None:
    conversation_id = start(api)
    api.sandbox.join(conversation_id)
    api.sandbox.leave(conversation_id)
    api.sandbox.advance(10)
    plain = api("GET", f"/conversations/{conversation_id}").json()
    shown = api("GET", f"/conversations/{conversation_id}", verbose="true").json()["events"]
    assert "events" not in plain
    shutdown = next(event for event in shown if event["event_type"] == "system.shutdown")
    assert shutdown["properties"]["reason"] == "participant_left_timeout reached"
    assert "shutdown_reason" not in shutdown["properties"]
    assert shutdown["timestamp"] == "2026-05-04T12:00:01Z"
    assert not {"webhook_url", "conversation_id"} & set(shutdown)
    assert len(shown) == 5


def test_without_callback_url_nothing_is_posted(api: Api) -> None:
    conversation_id = api.converse()["conversation_id"]
    api.sandbox.advance(1)
    assert api.sandbox.due_callbacks() == []
    assert len(api.sandbox.conversation(conversation_id).events) == 2


def test_camera_that_was_never_on_leaves_no_perception(api: Api) -> None:
    conversation_id = start(api)
    api.sandbox.join(conversation_id, camera=False)
    api.sandbox.leave(conversation_id)
    api.sandbox.advance(10)
    last = events(api.sandbox)[-1]
    assert last["event_type"] == "application.perception_unavailable"
    assert last["properties"] == {"reason": "no_vision_history"}


def test_perception_that_is_off_tells_nothing(api: Api) -> None:
    layers = {"perception": {"perception_model": "off"}}
    api("PATCH", f"/personas/{PERSONA}", [{"op": "add", "path": "/layers", "value": layers}])
    assert [body["event_type"] for body in talk(api)] == [
        "system.shutdown",
        "application.transcription_ready",
    ]


STORAGES = {
    "s3": ({"bucket_name": "b"}, "s3://b/"),
    "gcs": ({"bucket_name": "b"}, "gs://b/"),
    "azure_blob": ({"storage_account": "a", "container": "b"}, "https://a.blob.core.windows.net/b"),
}


@pytest.mark.parametrize("provider", STORAGES)
def test_recording_arrives_in_the_bucket(api: Api, provider: str) -> None:
    fields, uri = STORAGES[provider]
    storage = {"provider": provider, **fields}
    conversation_id = start(
        api, properties={"enable_recording": True, "recording_storage": storage}
    )
    api.sandbox.join(conversation_id)
    api.sandbox.record(conversation_id)
    api.sandbox.advance(42)
    api.sandbox.leave(conversation_id)
    api.sandbox.advance(10)
    told = [b for b in events(api.sandbox) if b["event_type"] == "application.recording_ready"]
    assert told[0]["properties"]["duration"] == 42
    assert told[0]["properties"]["storage_uri"].startswith(uri)
    assert told[0]["properties"]["storage_provider"] == provider


def test_recording_that_nobody_started_does_not_exist(api: Api) -> None:
    storage = {"provider": "s3", "bucket_name": "b"}
    told = talk(api, properties={"enable_recording": True, "recording_storage": storage})
    assert "application.recording_ready" not in [body["event_type"] for body in told]


def test_recording_has_to_be_enabled(api: Api) -> None:
    conversation_id = start(api)
    with pytest.raises(RoomRefusal, match="not enabled"):
        api.sandbox.record(conversation_id)


def test_objectives_complete_one_by_one_at_their_own_urls(api: Api) -> None:
    api.sandbox.put(
        "objectives",
        objectives_id="o1",
        data=[
            {
                "objective_name": name,
                "objective_prompt": "Ask.",
                "output_variables": ["heard"],
                "callback_url": f"https://goals.example/{name}",
            }
            for name in ("first", "second")
        ],
    )
    api.sandbox.add_persona(
        persona_id="pgoal",
        system_prompt="Ask.",
        objectives_id="o1",
        default_replica_id="r90bbd427f71",
    )
    conversation_id = start(api, persona_id="pgoal")
    api.sandbox.join(conversation_id)
    for words in ("one", "two", "three"):
        api.sandbox.say(conversation_id, "user", words)
    told = api.sandbox.due_callbacks()
    assert [callback.url for callback in told] == [
        "https://goals.example/first",
        "https://goals.example/second",
    ]
    assert told[0].body["properties"] == {
        "objective_name": "first",
        "output_variables": {"heard": "one"},
    }
    assert told[0].body["event_type"] == "conversation.objective.completed"


def test_guardrail_is_triggered_by_its_name(api: Api) -> None:
    api.sandbox.put(
        "guardrails",
        uuid="g1",
        guardrail_name="medical_advice",
        guardrail_prompt="Never.",
        callback_url="https://rules.example/",
    )
    api.sandbox.add_persona(
        persona_id="prule",
        system_prompt="Ask.",
        guardrail_ids=["g1"],
        default_replica_id="r90bbd427f71",
    )
    conversation_id = start(api, persona_id="prule")
    api.sandbox.join(conversation_id)
    api.sandbox.say(conversation_id, "user", "Give me medical advice!")
    (told,) = api.sandbox.due_callbacks()
    assert told.url == "https://rules.example/"
    assert told.body["properties"] == {"guardrail_name": "medical_advice"}


def test_any_event_can_be_made_up(api: Api) -> None:
    conversation_id = start(api)
    api.sandbox.emit(conversation_id, "application.recording_copy_failed", {"error_message": "no"})
    (told,) = events(api.sandbox)
    assert told["event_type"] == "application.recording_copy_failed"
    assert told["message_type"] == "application"


def test_visitor_of_a_page_that_falls_silent_is_gone(api: Api) -> None:
    conversation_id = start(api)
    room = f"/rooms/{conversation_id}"
    api.control("POST", f"{room}/join", {"name": "Ann"})
    engine = api.sandbox.engine
    engine.world.advance(89)  # the clock itself, not a jump that visitors survive
    engine.tick()
    assert api.sandbox.conversation(conversation_id).is_active
    engine.world.advance(1)
    engine.tick()
    assert not api.sandbox.conversation(conversation_id).is_active


def test_visitor_of_a_page_survives_a_jump_of_the_clock(api: Api) -> None:
    conversation_id = start(api)
    api.control("POST", f"/rooms/{conversation_id}/join", {"name": "Ann"})
    api.sandbox.advance(3000)
    assert api.sandbox.conversation(conversation_id).is_active


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("no_show", "participant_absent_timeout reached", ["system.shutdown"]),
        ("crash", "exception_encountered_during_conversation_startup", ["system.shutdown"]),
        ("silent", "participant_absent_timeout reached", []),
    ],
)
def test_persona_with_a_magic_name(api: Api, name: str, reason: str, told: list[str]) -> None:
    api.sandbox.add_persona(persona_id="pm", persona_name=name, default_replica_id="r90bbd427f71")
    conversation_id = api.converse(persona_id="pm", callback_url=HOOK)["conversation_id"]
    api.sandbox.advance(400)
    assert api.sandbox.conversation(conversation_id).shutdown_reason == reason
    assert names(api.sandbox) == told
