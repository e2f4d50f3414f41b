from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_tavus.models import Conversation
from django_tavus.services import leaving, tokens
from django_tavus.testing import make_conversation

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("owner")


@pytest.fixture
def conversation(owner: Any) -> Conversation:
    return make_conversation(owner=owner)


def beacon_path(conversation: Conversation, token: str | None = None) -> str:
    token = tokens.make_leave_token(conversation) if token is None else token
    return reverse("django_tavus:room-leave", kwargs={"pk": conversation.pk, "token": token})


def send_beacon(path: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    return client.post(path, data="left", content_type="text/plain;charset=UTF-8")


def poll(owner: Any, conversation: Conversation, name: str = "room-status") -> None:
    client = Client()
    client.force_login(owner)
    path = reverse(f"django_tavus:{name}", kwargs={"pk": conversation.pk})
    assert client.get(path).status_code == 200


def is_ending(conversation: Conversation) -> bool:
    conversation.refresh_from_db()
    return conversation.end_requested_at is not None


def after(seconds: float) -> Any:
    return timezone.now() + timedelta(seconds=seconds)


def test_beacon_is_noted_without_session_and_csrf_token(conversation: Conversation) -> None:
    response = send_beacon(beacon_path(conversation))
    assert (response.status_code, response.content) == (204, b"")
    conversation.refresh_from_db()
    assert conversation.left_at is not None
    assert conversation.end_requested_at is None


def test_beacon_is_one_write(conversation: Conversation, django_assert_num_queries: Any) -> None:
    path = beacon_path(conversation)
    with django_assert_num_queries(1):
        send_beacon(path)


@pytest.mark.parametrize("token", ["x", "a.b.c", "0" * 32])
def test_forged_beacon_is_unknown_and_its_path_not_logged(
    conversation: Conversation, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert send_beacon(beacon_path(conversation, token)).status_code == 404
    assert not [record for record in caplog.records if record.name.startswith("django.request")]
    conversation.refresh_from_db()
    assert conversation.left_at is None


def test_token_of_another_room_opens_nothing(conversation: Conversation) -> None:
    other = make_conversation()
    path = beacon_path(conversation, tokens.make_leave_token(other))
    assert send_beacon(path).status_code == 404
    assert not Conversation.objects.filter(left_at__isnull=False).exists()


def test_callback_token_is_no_leave_token(conversation: Conversation) -> None:
    token = tokens.make_callback_token(conversation).partition(".")[2]
    assert send_beacon(beacon_path(conversation, token)).status_code == 404


def test_leave_token_expires(conversation: Conversation) -> None:
    path = beacon_path(conversation)
    with time_machine.travel(after(49 * 3600)):
        assert send_beacon(path).status_code == 404


def test_beacon_of_an_erased_room_is_unknown() -> None:
    erased = Conversation(pk=uuid.uuid4())
    assert send_beacon(beacon_path(erased)).status_code == 404


def test_beacon_of_a_room_that_is_over_changes_nothing(owner: Any) -> None:
    over = make_conversation(owner=owner, status="ended")
    assert send_beacon(beacon_path(over)).status_code == 204
    over.refresh_from_db()
    assert over.left_at is None


def test_wrong_method_is_refused_without_a_log_line(
    conversation: Conversation, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get(beacon_path(conversation))
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert not caplog.records


def test_beacon_without_database_is_503_and_keeps_the_token_out_of_the_log(
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(leaving, "record_leave", fail)
    path = beacon_path(conversation)
    assert send_beacon(path).status_code == 503
    assert path.split("/")[-2] not in caplog.text


def test_call_ends_eight_seconds_after_its_page_went(conversation: Conversation) -> None:
    send_beacon(beacon_path(conversation))
    assert leaving.end_left(after(7)) == 0
    assert not is_ending(conversation)
    assert leaving.end_left(after(9)) == 1
    assert is_ending(conversation)
    assert leaving.end_left(after(10)) == 0


@pytest.mark.parametrize("view", ["room", "room-status"])
def test_call_survives_a_reload(conversation: Conversation, owner: Any, view: str) -> None:
    send_beacon(beacon_path(conversation))
    with time_machine.travel(after(3)):
        poll(owner, conversation, view)
    assert leaving.end_left(after(60)) == 0


def test_second_departure_counts_after_a_reload(conversation: Conversation, owner: Any) -> None:
    send_beacon(beacon_path(conversation))
    with time_machine.travel(after(3)):
        poll(owner, conversation)
    with time_machine.travel(after(10)):
        send_beacon(beacon_path(conversation))
    assert leaving.end_left(after(17)) == 0
    assert leaving.end_left(after(19)) == 1


def test_poll_that_was_under_way_when_the_page_went_keeps_nothing_alive(
    conversation: Conversation, owner: Any
) -> None:
    send_beacon(beacon_path(conversation))
    poll(owner, conversation)
    assert leaving.end_left(after(9)) == 1


def test_queued_launch_is_canceled_when_its_page_goes(owner: Any) -> None:
    waiting = make_conversation(owner=owner, status="queued")
    send_beacon(beacon_path(waiting))
    assert leaving.end_left(after(9)) == 1
    waiting.refresh_from_db()
    assert (waiting.status, waiting.shutdown_reason) == ("ended", "cancelled")
