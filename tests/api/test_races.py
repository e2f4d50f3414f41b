"""Requests at the same moment, on servers that let many write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from rest_framework.test import APIClient

from django_tavus.models import Conversation, Persona
from django_tavus.testing.factories import make_persona
from tests.api.conftest import CONVERSATIONS, ROOT

ONE_WRITER = "NOT PROVEN HERE: SQLite in memory has one writer; `make test-services` proves it"
pytestmark = pytest.mark.skipif(connection.vendor == "sqlite", reason=ONE_WRITER)

AT_ONCE = 6
ROUNDS = 5


def at_once(user: User, call: Callable[[APIClient, int], Any]) -> list[Any]:
    """Return what ``call`` returns in each of some threads that begin together."""
    gate = threading.Barrier(AT_ONCE)
    answers: list[Any] = [None] * AT_ONCE

    def run(number: int) -> None:
        client = APIClient()
        client.force_authenticate(user)
        try:
            gate.wait()
            answers[number] = call(client, number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_same", [True, False])
def test_one_key_at_once_is_one_conversation(is_same):
    user, persona = User.objects.create_user("owner"), make_persona()
    for turn in range(ROUNDS):

        def launch(client: APIClient, number: int, key: str = f"key-{turn}") -> tuple[int, str]:
            body = {"persona_id": persona.tavus_id, "reference": "" if is_same else str(number)}
            headers = {"Idempotency-Key": key}
            answer = client.post(CONVERSATIONS, body, format="json", headers=headers)
            return answer.status_code, answer.json().get("id") or answer.json()["code"]

        answers = at_once(user, launch)
        newest = str(Conversation.objects.latest("created_at").pk)
        other = (200, newest) if is_same else (409, "idempotency_conflict")
        assert sorted(answers) == sorted([(202, newest), *[other] * (AT_ONCE - 1)])
        assert Conversation.objects.count() == turn + 1


@pytest.mark.django_db(transaction=True)
def test_of_edits_of_one_version_at_once_one_wins():
    user, path = User.objects.create_superuser("chief"), f"{ROOT}/personas/{make_persona().pk}/"
    for _ in range(ROUNDS):
        reader = APIClient()
        reader.force_authenticate(user)
        headers = {"If-Match": reader.get(path)["ETag"]}

        def edit(client: APIClient, number: int, headers: Any = headers) -> tuple[int, str]:
            body = {"greeting": f"Hello from {number}."}
            answer = client.patch(path, body, format="json", headers=headers)
            return answer.status_code, body["greeting"]

        answers = at_once(user, edit)
        assert sorted(status for status, _ in answers) == [202, *[412] * (AT_ONCE - 1)]
        assert (202, Persona.objects.get().greeting) in answers
