from __future__ import annotations

import gzip
import json
import logging
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_tavus.models import Conversation, WebhookEvent
from django_tavus.services import tokens
from django_tavus.testing import deliver_callback, make_conversation, make_document, make_replica

pytestmark = pytest.mark.django_db(transaction=True)

JOINED = {
    "properties": {"replica_id": "r1"},
    "event_type": "system.replica_joined",
    "message_type": "system",
    "timestamp": "2026-11-01T10:00:00.123456Z",
}


def path(token: str) -> str:
    return reverse("django_tavus:callback", kwargs={"token": token})


def event_for(conversation: Conversation, **changes: object) -> dict[str, object]:
    return {**JOINED, "conversation_id": conversation.tavus_id, **changes}


def test_a_callback_is_stored_enqueued_and_answered(worker):
    conversation = make_conversation()
    assert deliver_callback(conversation, event_for(conversation)).status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.conversation, event.event_type, event.status) == (
        conversation,
        "system.replica_joined",
        "received",
    )
    assert worker.messages == [("django_tavus.process_event", (event.pk,))]


def test_the_view_makes_one_statement_and_no_read():
    conversation = make_conversation()
    with CaptureQueriesContext(connection) as queries:
        deliver_callback(conversation, event_for(conversation))
    assert len(queries) == 1
    assert queries[0]["sql"].startswith("INSERT")


def test_the_same_callback_twice_is_stored_once_and_answered_200():
    conversation = make_conversation()
    for _ in range(2):
        assert deliver_callback(conversation, event_for(conversation)).status_code == 200
    assert WebhookEvent.objects.count() == 1


def test_both_names_of_one_fact_are_one_event():
    conversation = make_conversation()
    deliver_callback(conversation, event_for(conversation))
    twin = event_for(conversation, event_type="system.pal_joined", properties={"face_id": "r1"})
    deliver_callback(conversation, twin)
    assert WebhookEvent.objects.count() == 1


def test_an_unknown_event_type_is_kept():
    conversation = make_conversation()
    deliver_callback(conversation, event_for(conversation, event_type="application.tea_ready"))
    assert WebhookEvent.objects.get().event_type == "application.tea_ready"


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace("conversation.", "replica."),
        lambda token: "conversation." + "0" * 32,
        lambda token: "x",
        lambda token: token.split(".")[0],
    ],
)
def test_a_forged_token_is_404_and_stores_nothing(forge):
    conversation = make_conversation()
    token = forge(tokens.make_callback_token(conversation))
    assert Client().post(path(token), "{}", "application/json").status_code == 404
    assert not WebhookEvent.objects.exists()


def test_the_callback_of_an_erased_conversation_is_404():
    ghost = Conversation(pk=uuid.uuid4())
    assert deliver_callback(ghost, {"event_type": "system.shutdown"}).status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"not json", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"a": "\xff"}'),
        '{"a": 1}'.encode("utf-16"),
        b'{"a":' * 30,
        b'{"a":' * 22 + b"1" + b"}" * 22,
        b"[" * 100_000,
    ],
)
def test_a_malformed_body_is_400(content):
    assert deliver_callback(make_conversation(), content).status_code == 400
    assert not WebhookEvent.objects.exists()


def test_a_byte_order_mark_is_read_over():
    assert deliver_callback(make_conversation(), b'\xef\xbb\xbf{"a": 1}').status_code == 200


def test_twenty_levels_are_deep_enough():
    content = b'{"a":' * 19 + b"{}" + b"}" * 19
    assert deliver_callback(make_conversation(), content).status_code == 200


def test_a_body_over_the_limit_is_413(settings):
    settings.TAVUS = {**settings.TAVUS, "CALLBACK_MAX_BYTES": 100}
    conversation = make_conversation()
    assert deliver_callback(conversation, b'{"a": "%s"}' % (b"x" * 92)).status_code == 413
    assert deliver_callback(conversation, b'{"a": "x"}').status_code == 200


def test_djangos_own_upload_limit_does_not_apply(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    conversation = make_conversation()
    assert deliver_callback(conversation, event_for(conversation)).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        rb'{"event_type": "a\u0000b", "properties": {"\u0000": "\u0000"}}',
        rb'{"event_type": "x", "properties": {"s": "\ud800"}}',
        b'{"event_type": "x", "properties": {"n": NaN, "i": [Infinity, -Infinity]}}',
        b'{"event_type": "x", "timestamp": null, "properties": null}',
        b'{"event_type": 7, "timestamp": [], "properties": [1], "conversation_id": {}}',
        b'{"event_type": "x", "timestamp": 1e400}',
        '{"event_type": "עברית", "properties": {"t": "<script>alert(1)</script>"}}'.encode(),
        b'{"event_type": "%s"}' % (b"x" * 1_000_000),
    ],
)
def test_hostile_content_is_stored(content, worker):
    conversation = make_conversation()
    assert deliver_callback(conversation, content).status_code == 200
    worker.run()
    assert WebhookEvent.objects.get().status == "processed"


def test_no_token_is_stored():
    conversation = make_conversation()
    url = tokens.callback_url(conversation)
    deliver_callback(conversation, event_for(conversation, webhook_url=url))
    stored = json.dumps(WebhookEvent.objects.get().payload)
    assert url.rstrip("/").rpartition("/")[2] not in stored


def test_only_post_is_answered():
    token = tokens.make_callback_token(make_conversation())
    response = Client().get(path(token))
    assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.parametrize("token", ["conversation.bad.token", "x"])
def test_refusals_are_not_logged_with_their_path(token, caplog):
    with caplog.at_level(logging.DEBUG, "django.request"):
        Client().post(path(token), "{}", "application/json")
        Client().get(path(token))
    assert [record.name for record in caplog.records] == ["django_tavus.callbacks"]
    assert path(token) not in caplog.text


def test_documents_and_replicas_have_tokens_of_their_own():
    document, replica = make_document(), make_replica()
    deliver_callback(document, {"document_id": document.tavus_id, "status": "ready"})
    deliver_callback(replica, {"replica_id": replica.tavus_id, "status": "ready"})
    assert {(e.document, e.replica) for e in WebhookEvent.objects.all()} == {
        (document, None),
        (None, replica),
    }


def test_the_login_middleware_lets_callbacks_through(settings):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    conversation = make_conversation()
    assert deliver_callback(conversation, event_for(conversation)).status_code == 200


def test_atomic_requests_do_not_wrap_the_view(settings):
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        conversation = make_conversation()
        for _ in range(2):
            assert deliver_callback(conversation, event_for(conversation)).status_code == 200
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False


def test_the_database_being_away_is_503(monkeypatch):
    from django.db import OperationalError

    from django_tavus.services import events

    conversation = make_conversation()

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(events, "record", away)
    assert deliver_callback(conversation, event_for(conversation)).status_code == 503


def test_a_broker_that_is_away_does_not_matter(monkeypatch):
    from django_tavus.services import enqueue

    def refuse(*args: object) -> None:
        raise ConnectionRefusedError

    publisher = enqueue.Publisher()
    monkeypatch.setattr(enqueue, "_publisher", lambda: publisher)
    monkeypatch.setattr(enqueue, "_publish", refuse)
    conversation = make_conversation()
    assert deliver_callback(conversation, event_for(conversation)).status_code == 200
    assert WebhookEvent.objects.get().status == "received"


def test_a_body_that_is_cut_off_is_400_and_not_logged_with_its_path(caplog, monkeypatch):
    from django.core.handlers.wsgi import WSGIRequest
    from django.http import UnreadablePostError

    def cut(*args: object) -> bytes:
        raise UnreadablePostError

    monkeypatch.setattr(WSGIRequest, "read", cut)
    with caplog.at_level(logging.DEBUG):
        assert deliver_callback(make_conversation(), b"{}").status_code == 400
    assert not [record for record in caplog.records if "/callbacks/" in record.getMessage()]


def test_what_the_database_refuses_for_no_known_reason_is_503_and_not_logged_with_its_path(
    caplog, monkeypatch
):
    from django.db import IntegrityError

    from django_tavus.services import events

    def refuse(*args: object, **kwargs: object) -> None:
        raise IntegrityError(4025, "CONSTRAINT `payload` failed")

    monkeypatch.setattr(events, "record", refuse)
    with caplog.at_level(logging.DEBUG):
        assert deliver_callback(make_conversation(), b"{}").status_code == 503
    assert not [record for record in caplog.records if "/callbacks/" in record.getMessage()]
    assert "could not be stored" in caplog.text


def test_an_integer_that_python_does_not_read_is_null():
    content = b'{"n": %s, "m": -7, "i": [%s]}' % (b"9" * 5000, b"1" * 4000)
    assert deliver_callback(make_conversation(), content).status_code == 200
    stored = WebhookEvent.objects.get().payload
    assert (stored["n"], stored["m"]) == (None, -7)
    assert stored["i"] == [int("1" * 4000)]


@pytest.mark.parametrize(
    "content_type",
    [
        *(
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin-1",
        ),
        *("multipart/form-data", "multipart/form-data; boundary=x"),
    ],
)
def test_the_content_type_does_not_matter(content_type):
    conversation = make_conversation()
    url = path(tokens.make_callback_token(conversation))
    content = json.dumps(event_for(conversation)).encode()
    response = Client(enforce_csrf_checks=True).generic("POST", url, content, content_type)
    assert response.status_code == 200


def test_a_compressed_body_is_400():
    content = gzip.compress(b'{"event_type": "system.shutdown"}')
    assert deliver_callback(make_conversation(), content).status_code == 400


@pytest.mark.parametrize("length", ["", "-1", "x", "1e3"])
def test_a_length_that_is_none_is_an_empty_body(length):
    """Chunked: a WSGI server passes on no length, and Django reads nothing."""
    url = path(tokens.make_callback_token(make_conversation()))
    response = Client().generic("POST", url, b"{}", CONTENT_LENGTH=length)
    assert response.status_code == 400


def test_of_a_key_that_comes_twice_the_last_one_counts():
    content = b'{"event_type": "a", "event_type": "b"}'
    assert deliver_callback(make_conversation(), content).status_code == 200
    assert WebhookEvent.objects.get().event_type == "b"


@pytest.mark.parametrize(
    ("body", "why"),
    [("{}", "its token is not known here"), ("[", "not JSON"), ("x" * 99, "larger")],
)
def test_a_refusal_is_logged_with_its_reason_and_without_its_path(body, why, caplog, settings):
    settings.TAVUS = {**settings.TAVUS, "CALLBACK_MAX_BYTES": 50}
    good = tokens.make_callback_token(make_conversation())
    token = "forged-token" if body == "{}" else good
    Client().post(path(token), body, "application/json")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("django_tavus.callbacks", "WARNING")
    assert why in record.getMessage()
    assert token not in caplog.text
