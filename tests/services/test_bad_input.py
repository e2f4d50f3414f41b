"""Bad input, from the posted bytes to the processed event: never a 500, never a poisoned queue."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from django_tavus.models import Conversation, Utterance, WebhookEvent
from django_tavus.services import sweeping
from django_tavus.testing import deliver_callback, make_conversation, make_document, make_replica

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 11, 1, 10, 0, 0, tzinfo=UTC)
TYPES = [
    "system.replica_joined",
    "system.shutdown",
    "application.transcription_ready",
    "application.perception_analysis",
    "application.recording_ready",
    "application.recording_copy_failed",
    "canvas.interaction",
    "conversation.objective.completed",
    "application.unheard_of",
]
NUL = "a\x00b"
LONE = "\ud800"
TEXTS = ["", NUL, LONE, "x" * 300]
ODD = [None, True, 0, -1.5, 1e308, 10**400, *TEXTS, [], [[]], [None], {}, {"": {}}]
NO_DATES = [None, "", "soon", "2026-13-45", [], {}, True, 0, 1e308, -1e308, 10**400]
EDGES = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00"]


@pytest.fixture
def conversation():
    return make_conversation(launched_at=START, attempted_at=START, created_at=START)


@pytest.fixture
def post(worker, conversation, tavus_sandbox):
    """Post to the real view, and run what it enqueued."""

    def post(body, subject=None):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        status = deliver_callback(subject or conversation, content).status_code
        worker.run()
        return status

    return post


def about(conversation, event_type, **more):
    return {
        "conversation_id": conversation.tavus_id,
        "event_type": event_type,
        "timestamp": "2026-11-01T10:01:00Z",
        "properties": {},
        **more,
    }


def assert_nothing_is_poisoned():
    """Every event has had its effect or was refused for good, and a good one still gets through."""
    assert not WebhookEvent.objects.exclude(status__in=("processed", "rejected")).exists()
    assert not WebhookEvent.objects.exclude(attempts=1).exists()


@pytest.mark.parametrize("event_type", TYPES)
def test_odd_properties_of_every_event_are_processed(post, conversation, event_type):
    for odd in ODD:
        assert post(about(conversation, event_type, properties=odd)) == 200
    assert_nothing_is_poisoned()


@pytest.mark.parametrize(
    ("event_type", "names"),
    [
        ("system.shutdown", ["shutdown_reason", "reason"]),
        ("application.transcription_ready", ["transcript"]),
        ("application.perception_analysis", ["analysis"]),
        ("application.recording_ready", ["bucket_name", "s3_key", "duration", "storage_uri"]),
        ("application.recording_copy_failed", ["error_message", "storage_provider"]),
        ("canvas.interaction", ["interaction_id"]),
    ],
)
def test_odd_members_of_every_event_are_processed(post, conversation, event_type, names):
    for name in names:
        for odd in ODD:
            assert post(about(conversation, event_type, properties={name: odd})) == 200
    assert_nothing_is_poisoned()


@pytest.mark.parametrize("member", ["role", "content", "timestamp", "seconds_from_start"])
def test_odd_turns_leave_the_others_readable(post, conversation, member):
    good = {"role": "user", "content": "Hello"}
    turns = [*({**good, member: odd} for odd in ODD), good]
    transcript = {"transcript": turns}
    post(about(conversation, "application.transcription_ready", properties=transcript))
    assert_nothing_is_poisoned()
    assert Utterance.objects.last().content == "Hello"


def test_null_and_list_contents_are_read(post, conversation):
    turns = [
        {"role": "user", "content": None},
        {"role": "user", "content": ["a", {"type": "text", "text": "b"}, {"type": "image"}, 7]},
        {"role": "assistant", "content": {"text": ["c"]}},
    ]
    transcript = {"transcript": turns}
    post(about(conversation, "application.transcription_ready", properties=transcript))
    assert list(Utterance.objects.values_list("content", flat=True)) == ["", "a b", "c"]


def test_nul_and_lone_surrogates_are_replaced_to_the_end(post, conversation):
    said = {"transcript": [{"role": "user", "content": f"{NUL}{LONE}"}]}
    post(about(conversation, "application.transcription_ready", properties=said))
    post(about(conversation, "system.shutdown", properties={"shutdown_reason": NUL}))
    assert Utterance.objects.get().content == "a\ufffdb\ufffd"
    conversation.refresh_from_db()
    assert conversation.shutdown_reason == "a\ufffdb"
    assert_nothing_is_poisoned()


@pytest.mark.parametrize("content", [b'{"a": "\xff"}', b"\xff\xfe{}", b'{"event_type": "\xc3("}'])
def test_what_is_not_utf_8_is_refused(post, content):
    assert post(content) == 400
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999"])
def test_what_is_no_number_is_null(post, conversation, number):
    body = b'{"event_type": "application.recording_ready", "conversation_id": "%s", '
    body += b'"properties": {"duration": %s, "s3_key": "k"}}'
    assert post(body % (conversation.tavus_id.encode(), number)) == 200
    assert conversation.recordings.get().duration is None
    assert_nothing_is_poisoned()


def test_a_megabyte_of_turns_is_stored_and_read(post, conversation):
    turns = [{"role": "user", "content": f"{n} " + "ש" * 100} for n in range(5000)]
    body = about(conversation, "application.transcription_ready", properties={"transcript": turns})
    assert len(json.dumps(body, ensure_ascii=False).encode()) > 1_000_000
    assert post(body) == 200
    assert Utterance.objects.count() == 5000
    assert_nothing_is_poisoned()


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-11-01T10:01:00.000000Z",
        "2026-11-01T10:01:00Z",
        "2026-11-01T10:01:00",
        "2026-11-01 10:01:00.000",
        "2026-11-01T12:01:00+02:00",
        "Sun, 01 Nov 2026 10:01:00 GMT",
        1793527260,
        1793527260.0,
        1793527260000,
        "1793527260",
    ],
)
def test_every_way_to_write_a_date_is_the_same_moment(post, conversation, timestamp):
    post(about(conversation, "system.shutdown", timestamp=timestamp))
    conversation.refresh_from_db()
    assert conversation.ended_at == START + timedelta(seconds=60)


@pytest.mark.parametrize("timestamp", NO_DATES + EDGES)
@pytest.mark.parametrize("event_type", ["system.shutdown", "system.replica_joined"])
def test_a_date_that_is_none_stays_within_the_call(post, conversation, event_type, timestamp):
    before = conversation.attempted_at - timedelta(minutes=1)
    assert post(about(conversation, event_type, timestamp=timestamp)) == 200
    row = Conversation.objects.get()
    at = row.ended_at or row.joined_at
    assert before <= at <= WebhookEvent.objects.get().received_at
    assert_nothing_is_poisoned()


def test_no_date_at_all_is_the_time_of_receipt(post, conversation):
    body = about(conversation, "system.shutdown")
    del body["timestamp"]
    post(body)
    conversation.refresh_from_db()
    assert conversation.ended_at == WebhookEvent.objects.get().received_at


@pytest.mark.parametrize("claimed", ["c-unknown", NUL, LONE, "c" * 5000, " ", "другой"])
def test_an_event_about_something_unknown_is_rejected(post, conversation, claimed):
    assert post(about(conversation, "system.shutdown", conversation_id=claimed)) == 200
    assert WebhookEvent.objects.get().status == "rejected"
    conversation.refresh_from_db()
    assert conversation.status == "active"
    assert post(about(conversation, "system.shutdown")) == 200
    conversation.refresh_from_db()
    assert conversation.status == "ended"
    assert_nothing_is_poisoned()


@pytest.mark.parametrize("claimed", [None, 7, True, [], ["c1"], {}, ""])
def test_an_id_that_is_none_is_not_claimed(post, conversation, claimed):
    assert post(about(conversation, "system.shutdown", conversation_id=claimed)) == 200
    conversation.refresh_from_db()
    assert conversation.status == "ended"


def test_an_event_about_another_conversation_changes_neither(post, conversation):
    other = make_conversation(launched_at=START)
    assert post(about(other, "system.shutdown")) == 200
    assert set(Conversation.objects.values_list("status", flat=True)) == {"active"}
    assert_nothing_is_poisoned()


def test_an_event_about_a_deleted_conversation_is_refused(post, worker):
    conversation = make_conversation(status="ended")
    body = about(conversation, "system.shutdown")
    assert deliver_callback(conversation, body).status_code == 200
    pk = conversation.pk
    conversation.delete()  # with its events, while the message is on its way
    worker.run()
    assert not WebhookEvent.objects.exists()
    assert post(body, Conversation(pk=pk)) == 404
    assert post(body, Conversation(pk=uuid.uuid4())) == 404
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("name", ["document_id", "status", "progress", "error_message", "data"])
def test_odd_reports_about_a_document_are_processed(post, name):
    for odd in ODD:
        document = make_document(status="processing")
        body = {"document_id": document.tavus_id, "status": "processing", name: odd}
        assert post(body, document) == 200
    assert_nothing_is_poisoned()


@pytest.mark.parametrize("name", ["replica_id", "status", "training_progress", "error_message"])
def test_odd_reports_about_a_replica_are_processed(post, name):
    for odd in ODD:
        replica = make_replica(status="training", tavus_id=None)
        assert post({"status": "training", name: odd}, replica) == 200
        replica.refresh_from_db()
        replica.delete()
    assert not WebhookEvent.objects.filter(status="failed").exists()


def test_a_bad_event_does_not_hold_up_the_good_ones_of_a_sweep(worker, conversation, tavus_sandbox):
    bad = about(conversation, "system.shutdown", conversation_id="c-unknown")
    for number in range(20):
        deliver_callback(conversation, {**bad, "timestamp": number})
    deliver_callback(conversation, about(conversation, "system.shutdown"))
    worker.messages.clear()
    WebhookEvent.objects.update(received_at=START)
    sweeping.sweep()
    worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "ended"
    assert_nothing_is_poisoned()
