from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_tavus.models import Conversation, OutboxEntry, Recording, Utterance, WebhookEvent
from django_tavus.services import events
from django_tavus.services.tokens import Subject
from django_tavus.signals import conversation_ended
from django_tavus.testing import deliver_callback, make_conversation, make_document, make_replica

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 11, 1, 10, 0, 0, tzinfo=UTC)
TRANSCRIPT = [
    {"role": "system", "content": "Secret prompt: rutabaga."},
    {"role": "assistant", "content": "Hi!", "timestamp": 1793527205.5, "seconds_from_start": 0.0},
    {"role": "system", "content": "The user wears a hat."},
    {"role": "user", "content": None, "timestamp": "2026-11-01T10:00:09Z"},
    {"role": "user", "content": [{"type": "text", "text": "Hello"}, "there"], "duration": 1.5},
    {"role": "tool", "content": "42"},
    {"role": "narrator", "content": "Meanwhile"},
    "garbage",
]


def body(conversation, event_type, properties=None, at=5.0, **more):
    return {
        "conversation_id": conversation.tavus_id,
        "event_type": event_type,
        "message_type": event_type.partition(".")[0],
        "timestamp": (START + timedelta(seconds=at)).isoformat().replace("+00:00", "Z"),
        "properties": properties or {},
        **more,
    }


@pytest.fixture
def conversation():
    return make_conversation(launched_at=START, attempted_at=START)


@pytest.fixture
def tell(worker, conversation):
    def tell(event_type, properties=None, at=5.0, **more):
        event = body(conversation, event_type, properties, at, **more)
        assert deliver_callback(conversation, event).status_code == 200
        worker.commit()
        for name, args in list(worker.messages):
            if name == "django_tavus.process_event":
                events.process(*args)
        worker.commit()
        worker.messages.clear()
        conversation.refresh_from_db()
        return conversation

    return tell


def test_joining_is_told_twice_and_happens_once(tell, signals_sent):
    tell("system.replica_joined", {"replica_id": "r1"}, at=3.5)
    tell("system.pal_joined", {"face_id": "r1"}, at=2.2)
    conversation = tell("system.pal_joined", {"face_id": "r1"}, at=4.4)
    assert conversation.joined_at == START + timedelta(seconds=2.2)
    assert [n for n, _ in signals_sent if n != "webhook_received"] == ["replica_joined"]


def test_shutdown_ends_with_tavus_own_date_and_reason(tell, signals_sent):
    conversation = tell("system.shutdown", {"shutdown_reason": "max_call_duration reached"}, at=60)
    assert conversation.status == "ended"
    assert conversation.ended_at == START + timedelta(seconds=60)
    assert conversation.shutdown_reason == "max_call_duration reached"
    assert conversation.duration == 60
    assert "conversation_ended" in [n for n, _ in signals_sent]


def test_an_end_that_a_callback_told_is_owed_a_look(tell):
    assert tell("system.shutdown").end_owed


def test_a_late_join_does_not_reopen(tell):
    tell("system.shutdown", at=60)
    conversation = tell("system.replica_joined", at=3)
    assert conversation.status == "ended"
    assert conversation.joined_at == START + timedelta(seconds=3)


def test_the_transcript_is_stored_without_the_system_prompt(tell, signals_sent):
    conversation = tell("application.transcription_ready", {"transcript": TRANSCRIPT})
    turns = list(Utterance.objects.values_list("position", "role", "content"))
    assert turns == [
        (0, "replica", "Hi!"),
        (1, "user", ""),
        (2, "user", "Hello there"),
        (3, "tool", "42"),
    ]
    assert conversation.turns == 4
    first, second, third, _ = Utterance.objects.all()
    assert first.spoken_at == datetime.fromtimestamp(1793527205.5, UTC)
    assert second.spoken_at == START + timedelta(seconds=9)
    assert third.duration == 1.5
    assert "transcript_ready" in [n for n, _ in signals_sent]


def test_a_later_transcript_replaces_only_with_more_turns(tell):
    full = [{"role": "user", "content": str(n)} for n in range(3)]
    tell("application.transcription_ready", {"transcript": full}, at=70)
    tell("application.transcription_ready", {"transcript": full[:2]}, at=71)
    assert Utterance.objects.count() == 3
    tell("application.transcription_ready", {"transcript": [*full, full[0]]}, at=72)
    assert Utterance.objects.count() == 4


@pytest.mark.parametrize("transcript", [None, "text", {}, 7, [None]])
def test_an_odd_transcript_is_an_empty_one(tell, transcript):
    conversation = tell("application.transcription_ready", {"transcript": transcript})
    assert conversation.turns == 0


def test_a_megabyte_is_stored(tell):
    long = "ש" * 500_000
    tell("application.transcription_ready", {"transcript": [{"role": "user", "content": long}]})
    assert Utterance.objects.get().content == long


def test_perception_is_stored_once(tell, signals_sent):
    tell("application.perception_analysis", {"analysis": "**calm**"}, at=100)
    conversation = tell("application.perception_analysis", {"analysis": "other"}, at=101)
    assert conversation.perception_analysis == "**calm**"
    assert [n for n, _ in signals_sent].count("perception_ready") == 1


def test_recordings_of_all_clouds_are_stored_once_each(tell):
    s3 = {"bucket_name": "b", "s3_key": "k", "duration": 42}
    gcs = {"storage_provider": "gcs", "storage_uri": "gs://b/k", "duration": 42}
    for at, properties in enumerate([s3, gcs, s3]):
        tell("application.recording_ready", properties, at=100 + at)
    found = Recording.objects.values_list(
        "storage_provider", "bucket_name", "key", "uri", "duration"
    )
    assert list(found) == [("s3", "b", "k", "", 42.0), ("gcs", "", "", "gs://b/k", 42.0)]


def test_a_recording_that_could_not_be_copied_says_why(tell):
    tell("application.recording_copy_failed", {"error_message": "no access"})
    assert Recording.objects.get().error_message == "no access"


@pytest.mark.parametrize(
    "event_type",
    [
        "application.perception_unavailable",
        "application.perception_tool_call",
        "application.post_call_action_executed",
        "application.memory_consolidation",
        "application.raven_memory_evidence",
        "canvas.interaction",
        "conversation.objective.completed",
        "application.unheard_of",
    ],
)
def test_events_without_effect_are_kept_and_announced(tell, signals_sent, event_type):
    tell(event_type, {"interaction_id": "i1", "objective_name": "o"})
    assert WebhookEvent.objects.get().status == "processed"
    ((name, arguments),) = signals_sent
    assert name == "webhook_received"
    assert arguments["event"].event_type == event_type


def test_canvas_events_are_told_apart_by_their_id(tell):
    for interaction in ("a", "b", "a"):
        tell("canvas.interaction", {"interaction_id": interaction})
    assert WebhookEvent.objects.count() == 2


def test_objectives_are_told_apart_by_content_in_both_shapes(tell, conversation):
    for name in ("name", "age", "name"):
        tell("conversation.objective.completed", {"objective_name": name})
    flat = {"conversation_id": conversation.tavus_id, "objective_name": "name"}
    deliver_callback(conversation, {**flat, "output_variables": {"name": "Ada"}})
    assert WebhookEvent.objects.count() == 3
    assert set(WebhookEvent.objects.values_list("event_type", flat=True)) == {
        "conversation.objective.completed"
    }


def test_an_event_about_another_object_is_rejected(tell, conversation, signals_sent):
    other = make_conversation(launched_at=START)
    tell("system.shutdown", conversation_id=other.tavus_id)
    event = WebhookEvent.objects.get()
    assert event.status == "rejected"
    assert other.tavus_id in event.error
    other.refresh_from_db()
    conversation.refresh_from_db()
    assert (conversation.status, other.status) == ("active", "active")
    assert signals_sent == []


def test_a_rejected_event_does_not_keep_the_good_one_out(tell):
    tell("system.shutdown", conversation_id="c-other")
    assert tell("system.shutdown").status == "ended"


def test_a_callback_before_the_answer_adopts(worker, signals_sent):
    conversation = make_conversation(status="launching", attempts=1, attempted_at=START)
    deliver_callback(
        conversation, body(conversation, "system.replica_joined", conversation_id="c9")
    )
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.tavus_id) == ("active", "c9")
    assert [n for n, _ in signals_sent] == [
        "conversation_launched",
        "replica_joined",
        "webhook_received",
    ]


def test_a_failure_is_noted_tried_again_and_parked(tell, monkeypatch, conversation):
    from django_tavus.services import effects

    def fall(*args: object) -> None:
        raise RuntimeError("boom\x00")

    monkeypatch.setitem(effects.CONVERSATION_EFFECTS, "system.shutdown", fall)
    tell("system.shutdown")
    event = WebhookEvent.objects.get()
    assert (event.status, event.attempts) == ("received", 1)
    assert "boom" in event.error
    assert event.next_attempt_at > timezone.now()
    for _ in range(4):
        events.process(event.pk)
    event.refresh_from_db()
    assert (event.status, event.attempts) == ("failed", 5)
    monkeypatch.undo()
    assert events.replay(event)
    events.process(event.pk)
    conversation.refresh_from_db()
    assert conversation.status == "ended"


def test_a_receiver_that_raises_is_recorded_and_stops_nothing(tell):
    def fall(**kwargs: object) -> None:
        raise ValueError("mine")

    conversation_ended.connect(fall)
    try:
        assert tell("system.shutdown").status == "ended"
    finally:
        conversation_ended.disconnect(fall)
    entry = OutboxEntry.objects.get(signal="conversation_ended")
    assert entry.sent_at is not None
    assert "ValueError: mine" in entry.error


def test_a_receiver_sees_the_conversation_as_it_is_through_the_event_too(tell):
    seen = []

    def look(conversation, event, **kwargs):
        seen.append((conversation.status, event.conversation.status))

    conversation_ended.connect(look)
    try:
        tell("system.shutdown")
    finally:
        conversation_ended.disconnect(look)
    assert seen == [("ended", "ended")]


def test_what_nobody_listens_to_is_marked_from_the_beginning(tell, conversation):
    tell("application.perception_tool_call")
    entry = OutboxEntry.objects.get(signal="webhook_received")
    assert entry.sent_at == entry.created_at
    pk = events.record(
        Subject("conversation", conversation.pk),
        body(conversation, "application.perception_tool_call", {"name": "second"}),
    ).pk
    with CaptureQueriesContext(connection) as queries:
        events.process(pk)
    assert not [one for one in queries if '"sent_at" =' in one["sql"]]


@pytest.mark.parametrize("moved", [False, True])
def test_a_conversation_that_moved_since_the_event_was_read_is_read_again(
    conversation, monkeypatch, moved
):
    event = events.record(
        Subject("conversation", conversation.pk), body(conversation, "system.shutdown")
    )
    read = events._apply

    def late(event):
        if moved:
            Conversation.objects.filter(pk=conversation.pk).store(tavus_id="c0ther")
        return read(event)

    monkeypatch.setattr(events, "_apply", late)
    events.process(event.pk)
    event.refresh_from_db()
    assert event.status == ("rejected" if moved else "processed")


def test_fetched_and_called_back_are_the_same_fact():
    conversation = make_conversation(launched_at=START)
    subject = Subject("conversation", conversation.pk)
    told = body(conversation, "system.shutdown", {"shutdown_reason": "x"}, at=60.5)
    fetched = {
        "conversation_id": conversation.tavus_id,
        "event_type": "system.shutdown",
        "timestamp": "2026-11-01T10:01:00Z",
        "properties": {"reason": "x"},
    }
    now = timezone.now()
    assert events.dedupe_key(subject, told, now) == events.dedupe_key(subject, fetched, now)


@pytest.mark.parametrize(
    "shape",
    [
        lambda body: body,
        lambda body: {"properties": body},
        lambda body: {"data": body},
        lambda body: {**body, "uuid": body["document_id"]},
    ],
)
def test_a_document_report_is_read_in_every_shape(worker, signals_sent, shape):
    document = make_document(status="processing")
    report = {"document_id": document.tavus_id, "status": "ready", "progress": 100}
    deliver_callback(document, shape(report))
    worker.run()
    document.refresh_from_db()
    assert (document.status, document.progress) == ("ready", 100)
    assert "document_ready" in [n for n, _ in signals_sent]


def test_a_failed_document_says_why(worker, signals_sent):
    document = make_document(status="processing")
    deliver_callback(document, {"status": "error", "error_message": "file_empty"})
    worker.run()
    document.refresh_from_db()
    assert (document.status, document.error_message) == ("error", "file_empty")
    assert "document_failed" in [n for n, _ in signals_sent]


@pytest.mark.parametrize("key", ["replica_id", "face_id"])
def test_a_replica_report_is_read_under_both_names(worker, signals_sent, key):
    replica = make_replica(status="training")
    deliver_callback(replica, {key: replica.tavus_id, "status": "ready"})
    worker.run()
    replica.refresh_from_db()
    assert replica.status == "ready"
    assert "replica_ready" in [n for n, _ in signals_sent]


def test_a_replica_error_is_stored_in_full(worker):
    replica = make_replica(status="training")
    sentence = "There was an issue processing your training video. It is too short."
    deliver_callback(
        replica, {"replica_id": replica.tavus_id, "status": "error", "error_message": sentence}
    )
    worker.run()
    replica.refresh_from_db()
    assert (replica.status, replica.error_message) == ("error", sentence)


def test_a_report_about_another_document_is_rejected(worker):
    document = make_document(status="processing")
    deliver_callback(document, {"document_id": "d-other", "status": "ready"})
    worker.run()
    document.refresh_from_db()
    assert document.status == "processing"
    assert WebhookEvent.objects.get().status == "rejected"


def test_processing_a_processed_event_does_nothing(tell, signals_sent):
    tell("system.shutdown")
    before = len(signals_sent)
    events.process(WebhookEvent.objects.get().pk)
    assert len(signals_sent) == before
    assert Conversation.objects.get().status == "ended"
