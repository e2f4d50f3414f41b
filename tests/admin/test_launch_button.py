from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from django_tavus.models import Conversation, Persona
from django_tavus.models.choices import ConversationStatus
from django_tavus.services.capacity import MAX_QUEUED_PER_USER
from django_tavus.testing import make_conversation, make_persona
from tests.admin.conftest import Staff, changelist_url, messages_of, tool_url


def token_on(page: Any) -> str:
    """The token that stands in the form, as a browser would send it."""
    found = re.search(r'name="launch_token" value="([0-9a-f]{32})"', page.content.decode())
    assert found is not None
    return found[1]


def test_launches_for_the_one_who_presses(boss: Staff, worker: Any) -> None:
    persona = make_persona()
    token = token_on(boss.get(boss.page(persona)))
    page = boss.post(tool_url(persona, "launch"), {"launch_token": token}, follow=True)
    worker.commit()
    conversation = Conversation.objects.get()
    assert page.redirect_chain == [(boss.page(conversation), 302)]
    assert (conversation.owner, conversation.persona) == (boss.user, persona)
    assert conversation.status == ConversationStatus.QUEUED
    assert worker.messages == [("django_tavus.launch_conversation", (str(conversation.pk),))]
    assert str(conversation.pk) in LogEntry.objects.get().get_change_message()


def test_two_clicks_are_one_conversation(boss: Staff) -> None:
    persona = make_persona()
    token = token_on(boss.get(boss.page(persona)))
    first = boss.tool(persona, "launch", launch_token=token)
    second = boss.tool(persona, "launch", launch_token=token)
    assert Conversation.objects.count() == 1
    assert first["Location"] == second["Location"] == boss.page(Conversation.objects.get())


def test_two_pages_are_two_conversations(boss: Staff) -> None:
    persona = make_persona()
    for _ in range(2):
        token = token_on(boss.get(boss.page(persona)))
        boss.tool(persona, "launch", launch_token=token)
    assert Conversation.objects.count() == 2


@pytest.mark.parametrize("token", ["", "abc", "../../x"])
def test_without_a_token_nothing_is_launched(boss: Staff, token: str) -> None:
    persona = make_persona()
    page = boss.post(tool_url(persona, "launch"), {"launch_token": token}, follow=True)
    assert messages_of(page) == ["This form is out of date. Reload the page."]
    assert not Conversation.objects.exists()


def test_a_refusal_is_told(boss: Staff) -> None:
    persona = make_persona()
    for _ in range(MAX_QUEUED_PER_USER):
        make_conversation(status=ConversationStatus.QUEUED, persona=persona, owner=boss.user)
    page = boss.post(tool_url(persona, "launch"), {"launch_token": uuid.uuid4().hex}, follow=True)
    assert page.redirect_chain == [(boss.page(persona), 302)]
    assert "conversations waiting already" in messages_of(page)[0]
    assert Conversation.objects.count() == MAX_QUEUED_PER_USER
    assert not LogEntry.objects.exists()


def test_who_may_not_see_conversations_stays_on_the_persona(staff: Callable[..., Staff]) -> None:
    client = staff("view_persona", "launch_conversation")
    persona = make_persona()
    answer = client.tool(persona, "launch", launch_token=uuid.uuid4().hex)
    assert answer["Location"] == client.page(persona)
    assert Conversation.objects.count() == 1


def act(client: Staff, *personas: Persona, token: str | None = None) -> Any:
    data = {
        "action": "launch_selected",
        "_selected_action": [persona.pk for persona in personas],
        "launch_token": token or token_on(client.get(changelist_url(Persona))),
    }
    return client.post(changelist_url(Persona), data, follow=True)


def test_the_action_leads_to_the_conversation(boss: Staff) -> None:
    page = act(boss, make_persona())
    assert page.redirect_chain == [(boss.page(Conversation.objects.get()), 302)]


def test_the_action_launches_one_for_each(boss: Staff) -> None:
    personas = [make_persona(), make_persona(), make_persona(default_replica=None)]
    page = act(boss, *personas)
    assert {c.persona for c in Conversation.objects.all()} == set(personas[:2])
    assert sorted(messages_of(page)) == [
        "2 conversations are being launched.",
        (
            "“Interview coach”: This persona has no default replica: "
            "add a conversation and choose a replica."
        ),
    ]
    assert LogEntry.objects.count() == 2


def test_the_action_twice_launches_once(boss: Staff) -> None:
    personas = [make_persona(), make_persona()]
    token = token_on(boss.get(changelist_url(Persona)))
    act(boss, *personas, token=token)
    act(boss, *personas, token=token)
    assert Conversation.objects.count() == 2


def test_the_action_is_not_for_everybody(viewer: Staff) -> None:
    persona = make_persona()
    page = viewer.get(changelist_url(Persona))
    assert "launch_selected" not in page.content.decode()
    act(viewer, persona, token=uuid.uuid4().hex)
    assert not Conversation.objects.exists()
