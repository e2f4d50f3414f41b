"""Every documented shape of a callback, through the real view: accepted, stored, and its effect.

The shapes are those that Tavus's pages and integrators show; names and texts are made up.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from django_tavus.models import Recording, Utterance, WebhookEvent
from django_tavus.services import events
from django_tavus.testing import deliver_callback, make_conversation, make_document, make_replica

pytestmark = pytest.mark.django_db(transaction=True)

LAUNCHED = datetime(2026, 7, 11, 6, 45, 0, tzinfo=UTC)


@pytest.fixture
def conversation():
    return make_conversation(launched_at=LAUNCHED, attempted_at=LAUNCHED)


def envelope(conversation, event_type, properties, timestamp="2026-07-11T06:48:37.564961Z"):
    """The six members of a conversation event, in an order of their own."""
    return {
        "properties": properties,
        "conversation_id": conversation.tavus_id,
        "webhook_url": "https://site.example/tavus/callbacks/whatever/",
        "event_type": event_type,
        "message_type": event_type.split(".")[0],
        "timestamp": timestamp,
    }


def changed(field, value):
    def check(conversation):
        assert getattr(conversation, field) == value

    return check


def ended_by(reason):
    def check(conversation):
        assert (conversation.status, conversation.shutdown_reason) == ("ended", reason)
        assert conversation.ended_at == datetime(2026, 7, 11, 6, 48, 37, 564961, tzinfo=UTC)

    return check


def has_turns(*turns):
    def check(conversation):
        assert list(Utterance.objects.values_list("role", "content")) == list(turns)

    return check


def has_recording(**values):
    def check(conversation):
        assert Recording.objects.filter(conversation=conversation, **values).count() == 1

    return check


def is_kept(conversation):
    assert conversation.status == "active"


JOINED_AT = datetime(2026, 7, 11, 6, 48, 37, 564961, tzinfo=UTC)
TRANSCRIPT = [
    {"role": "system", "content": "You are in a live video call. Never mention the rutabaga."},
    {
        "role": "assistant",
        "content": "Hi, how are you?",
        "timestamp": 1783752317.84,
        "seconds_from_start": 0.0,
        "duration": 2.15,
        "inference_id": "inf_1",
    },
    {
        "role": "user",
        "content": "Fine.",
        "timestamp": 1783752344.88,
        "seconds_from_start": 27.04,
        "duration": 1.84,
    },
]
OLD_TRANSCRIPT = [{"role": entry["role"], "content": entry["content"]} for entry in TRANSCRIPT]
SPOKEN = (("replica", "Hi, how are you?"), ("user", "Fine."))

EVENTS = {
    "joined": ("system.replica_joined", {"replica_id": "r1"}, changed("joined_at", JOINED_AT)),
    "joined, newer": ("system.pal_joined", {"face_id": "r1"}, changed("joined_at", JOINED_AT)),
    "shutdown": (
        "system.shutdown",
        {"replica_id": "r1", "shutdown_reason": "participant_left_timeout"},
        ended_by("participant_left_timeout"),
    ),
    "shutdown, newer": (
        "system.shutdown",
        {"face_id": "r1", "shutdown_reason": "max_call_duration reached"},
        ended_by("max_call_duration reached"),
    ),
    "shutdown, as fetched": (
        "system.shutdown",
        {"reason": "participant_absent_timeout reached"},
        ended_by("participant_absent_timeout reached"),
    ),
    "transcript": (
        "application.transcription_ready",
        {"replica_id": "r1", "transcript": TRANSCRIPT},
        has_turns(*SPOKEN),
    ),
    "transcript, older": (
        "application.transcription_ready",
        {"replica_id": "r1", "transcript": OLD_TRANSCRIPT},
        has_turns(*SPOKEN),
    ),
    "recording": (
        "application.recording_ready",
        {"bucket_name": "calls", "s3_key": "a/b.mp4", "duration": 30},
        has_recording(storage_provider="s3", bucket_name="calls", key="a/b.mp4", duration=30),
    ),
    "recording, newer": (
        "application.recording_ready",
        {"storage_provider": "gcs", "storage_uri": "gs://calls/b.mp4", "duration": 30},
        has_recording(storage_provider="gcs", uri="gs://calls/b.mp4"),
    ),
    "recording not copied": (
        "application.recording_copy_failed",
        {"error_message": "AccessDenied"},
        has_recording(error_message="AccessDenied"),
    ),
    "perception": (
        "application.perception_analysis",
        {"analysis": "### Calm"},
        changed("perception_analysis", "### Calm"),
    ),
    "no perception": (
        "application.perception_unavailable",
        {"reason": "no_vision_history"},
        is_kept,
    ),
    "perception tool": ("application.perception_tool_call", {"name": "id_shown"}, is_kept),
    "post-call action": (
        "application.post_call_action_executed",
        {"tool_id": "t1", "status": "ok", "request": {"body": '{"a": 1}'}, "response": {}},
        is_kept,
    ),
    "memory": ("application.memory_consolidation", {"any": "thing"}, is_kept),
    "memory evidence": ("application.raven_memory_evidence", {"any": "thing"}, is_kept),
    "canvas": (
        "canvas.interaction",
        {
            "conversation_id": "c1",
            "interaction_id": "i1",
            "component": "canvas.question",
            "type": "submit",
            "value": "yes",
            "created_at": "2026-06-09T21:14:03.518923",
        },
        is_kept,
    ),
    "objective": (
        "conversation.objective.completed",
        {"objective_name": "ask_name", "output_variables": {"name": "Ada"}},
        is_kept,
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_a_conversation_event_has_its_effect(name, conversation, worker, signals_sent):
    event_type, properties, check = EVENTS[name]
    response = deliver_callback(conversation, envelope(conversation, event_type, properties))
    assert response.status_code == 200
    process_only(worker)
    event = WebhookEvent.objects.get()
    assert (event.event_type, event.status) == (event_type, "processed")
    assert event.payload["properties"].keys() == properties.keys()
    assert "whatever" not in event.payload["webhook_url"]
    assert "webhook_received" in [signal for signal, _ in signals_sent]
    conversation.refresh_from_db()
    check(conversation)


def process_only(worker):
    """Run the event, and not the look at Tavus that an end asks for."""
    ((name, arguments),) = worker.messages
    assert name == "django_tavus.process_event"
    events.process(*arguments)


def test_an_objective_in_the_flat_shape_is_kept(conversation, worker):
    body = {
        "conversation_id": conversation.tavus_id,
        "objective_name": "ask_name",
        "objective_status": "completed",
        "output_variables": {"name": "Ada"},
        "timestamp": "2026-07-11T06:48:37Z",
    }
    assert deliver_callback(conversation, body).status_code == 200
    worker.run()
    event = WebhookEvent.objects.get()
    assert (event.event_type, event.status) == ("conversation.objective.completed", "processed")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"status": "ready"}, "ready", ""),
        ({"status": "error", "error_message": "Your video is too short."}, "error", "Your video"),
        ({"status": "completed"}, "ready", ""),
    ],
)
def test_a_replica_report_has_its_effect(body, status, message, worker):
    replica = make_replica(status="training")
    deliver_callback(replica, {"replica_id": replica.tavus_id, **body})
    worker.run()
    replica.refresh_from_db()
    assert replica.status == status
    assert replica.error_message.startswith(message)


@pytest.mark.parametrize("status", ["started", "processing", "ready", "error", "recrawling"])
def test_a_document_report_has_its_effect(status, worker):
    document = make_document(status="started")
    body = {"document_id": document.tavus_id, "status": status, "error_message": None}
    deliver_callback(document, body)
    worker.run()
    document.refresh_from_db()
    assert document.status == status
