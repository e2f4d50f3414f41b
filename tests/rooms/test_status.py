from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from django_tavus.models import Conversation
from django_tavus.testing import make_conversation

pytestmark = pytest.mark.django_db


def status_path(conversation: Conversation) -> str:
    return reverse("django_tavus:room-status", kwargs={"pk": conversation.pk})


@pytest.fixture
def owner(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("owner")


@pytest.fixture
def owner_client(owner: Any) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def test_status_tells_the_phase_and_the_next_look(owner_client: Client, owner: Any) -> None:
    response = owner_client.get(status_path(make_conversation(owner=owner)))
    assert response.json() == {
        "status": "active",
        "phase": "joining",
        "queue_position": None,
        "turns": None,
        "poll_seconds": 3,
    }


def test_status_tells_nothing_secret(owner_client: Client, owner: Any) -> None:
    conversation = make_conversation(owner=owner, meeting_token="secret-token")
    content = str(owner_client.get(status_path(conversation)).content, "utf-8")
    assert conversation.conversation_url not in content
    assert "secret-token" not in content


def test_unchanged_status_is_304_until_something_changes(owner_client: Client, owner: Any) -> None:
    conversation = make_conversation(status="queued", owner=owner)
    path = status_path(conversation)
    first = owner_client.get(path)
    again = owner_client.get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Conversation.objects.filter(pk=conversation.pk).update(status="launching")
    changed = owner_client.get(path, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed.json()["phase"] == "launching"


def test_queue_position_is_told(owner_client: Client, owner: Any) -> None:
    make_conversation(status="queued")
    mine = make_conversation(status="queued", owner=owner)
    assert owner_client.get(status_path(mine)).json()["queue_position"] == 2


def test_status_is_for_those_who_may_join(owner_client: Client, client: Client) -> None:
    path = status_path(make_conversation())
    assert owner_client.get(path).status_code == 404
    assert client.get(path).status_code == 404


def test_poll_is_one_query_while_nobody_has_left(
    owner_client: Client, owner: Any, django_assert_num_queries: Any
) -> None:
    path = status_path(make_conversation(owner=owner))
    with django_assert_num_queries(3):  # session, user, conversation
        owner_client.get(path)


def test_every_answer_is_kept_in_no_cache(owner_client: Client, owner: Any) -> None:
    path = status_path(make_conversation(owner=owner))
    first = owner_client.get(path)
    again = owner_client.get(path, headers={"If-None-Match": first["ETag"]})
    for response in (first, again):
        assert set(response["Cache-Control"].split(", ")) == {"private", "no-store"}
