"""Every page opens for everybody who may see it, at a constant number of queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model

from django_tavus.models import (
    CapacityLock,
    Conversation,
    ConversationDocument,
    Document,
    OutboxEntry,
    Persona,
    Recording,
    Replica,
    Utterance,
    WebhookEvent,
)
from django_tavus.testing import (
    make_conversation,
    make_document,
    make_persona,
    make_replica,
)
from tests.admin.conftest import Staff, changelist_url, counted

HOSTILE = "<script>alert(1)</script>"


def make_one(number: int = 0) -> dict[type, Any]:
    """One row of each model, all of them related."""
    replica = make_replica(replica_name=HOSTILE, voice_name=HOSTILE, error_message=HOSTILE)
    document = make_document(document_name=HOSTILE, tags=[HOSTILE], crawl={"depth": 1})
    persona = make_persona(
        persona_name=HOSTILE,
        greeting=HOSTILE,
        default_replica=replica,
        layers={"llm": {"model": HOSTILE, "api_key": "sk-very-secret-key"}},
        document_tags=[HOSTILE],
        remote={"x": HOSTILE},
    )
    persona.documents.add(document)
    owner = get_user_model().objects.create(username=f"owner{number}-{Persona.objects.count()}")
    conversation = make_conversation(
        persona=persona,
        replica=replica,
        owner=owner,
        conversation_name=HOSTILE,
        conversational_context=HOSTILE,
        status="ended",
        shutdown_reason=HOSTILE,
        document_tags=[HOSTILE],
        memory_stores=[HOSTILE],
        perception_analysis=HOSTILE,
        properties={"language": HOSTILE},
        remote={"x": HOSTILE},
        turns=1,
    )
    event = WebhookEvent.objects.create(
        dedupe_key=f"{conversation.pk}",
        event_type=HOSTILE,
        conversation=conversation,
        payload={"x": HOSTILE},
        error=HOSTILE,
        status="failed",
    )
    return {
        Replica: replica,
        Document: document,
        Persona: persona,
        Conversation: conversation,
        WebhookEvent: event,
        ConversationDocument: ConversationDocument.objects.create(
            conversation=conversation, document=document
        ),
        Utterance: Utterance.objects.create(
            conversation=conversation, position=0, role="user", content=HOSTILE
        ),
        Recording: Recording.objects.create(conversation=conversation, key=HOSTILE, uri=HOSTILE),
        OutboxEntry: OutboxEntry.objects.create(
            signal="conversation_ended", key=f"{conversation.pk}", conversation=conversation
        ),
    }


MODELS = list(apps.get_app_config("django_tavus").get_models())
SHOWN = [model for model in MODELS if model is not CapacityLock]
EDITED = (Conversation, Persona, Replica, Document)
READ_ONLY = [model for model in SHOWN if model not in EDITED]
VIEW_ALL = [f"view_{model._meta.model_name}" for model in SHOWN]


def name_of(model: Any) -> str:
    return str(model._meta.model_name)


def test_all_models_are_registered_but_the_lock() -> None:
    registered = {model for model in admin.site._registry if model in MODELS}
    assert registered == set(SHOWN)


@pytest.mark.parametrize("model", SHOWN, ids=name_of)
def test_viewers_can_open_list_and_page(model: Any, staff: Callable[..., Staff]) -> None:
    row = make_one()[model]
    client = staff(*VIEW_ALL, "view_transcript")
    for url in (changelist_url(model), client.page(row), client.page(row)[:-7] + "history/"):
        page = client.get(url)
        assert page.status_code == 200, url
        assert "<script>alert" not in page.content.decode()
        assert "sk-very-secret-key" not in page.content.decode()


@pytest.mark.parametrize("model", SHOWN, ids=name_of)
def test_superusers_can_open_list_and_page(model: Any, boss: Staff) -> None:
    row = make_one()[model]
    for url in (changelist_url(model), boss.page(row)):
        page = boss.get(url)
        assert page.status_code == 200, url
        assert "<script>alert" not in page.content.decode()


@pytest.mark.parametrize("model", SHOWN, ids=name_of)
def test_others_are_refused(model: Any, staff: Callable[..., Staff]) -> None:
    row = make_one()[model]
    client = staff()
    assert client.get(changelist_url(model)).status_code == 403
    assert client.get(client.page(row)).status_code == 403


@pytest.mark.parametrize("model", READ_ONLY, ids=name_of)
def test_other_rows_are_read_only(model: Any, boss: Staff) -> None:
    row = make_one()[model]
    assert boss.get(changelist_url(model) + "add/").status_code == 403
    assert boss.post(boss.page(row), {}).status_code == 403
    assert boss.post(boss.page(row)[:-7] + "delete/", {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", SHOWN, ids=name_of)
def test_lists_take_the_same_queries_at_two_sizes(model: Any, boss: Staff) -> None:
    make_one()
    url = changelist_url(model)
    boss.get(url)  # content types and the session are cached from here on
    with counted() as few:
        assert boss.get(url).status_code == 200
    for number in range(12):
        make_one(number + 1)
    with counted() as many:
        page = boss.get(url)
    assert page.context["cl"].result_count >= 13
    assert len(many) == len(few)


def test_lists_leave_heavy_columns_in_the_database(boss: Staff) -> None:
    make_one()
    with counted() as queries:
        boss.get(changelist_url(Conversation))
    listed = [q["sql"] for q in queries if "conversation_url" in q["sql"]]
    assert listed
    assert not any('"remote"' in sql or '"system_prompt"' in sql for sql in listed)


def test_search_and_filters_work(boss: Staff) -> None:
    row = make_one()
    make_conversation(conversation_name="Other", turns=0)
    conversation = row[Conversation]
    url = changelist_url(Conversation)
    for query in (
        {"q": conversation.tavus_id},
        {"q": conversation.owner.username},
        {"status__exact": "ended"},
        {"has_transcript": "yes"},
        {"has_recording": "yes"},
        {"persona__id__exact": conversation.persona.pk},
    ):
        assert list(boss.get(url, query).context["cl"].result_list) == [conversation], query
    for query in ({"has_transcript": "no"}, {"has_recording": "no"}):
        rest = boss.get(url, query).context["cl"].result_list
        assert [other.conversation_name for other in rest] == ["Other"], query


def test_utterances_are_for_those_who_may_read(staff: Callable[..., Staff]) -> None:
    row = make_one()[Utterance]
    client = staff("view_utterance")
    assert client.get(client.page(row)).status_code == 403
    assert client.get(changelist_url(Utterance)).status_code == 403


def test_there_is_no_inline_script_or_style(boss: Staff) -> None:
    rows = make_one()
    for model in (Conversation, Persona, WebhookEvent):
        for url in (changelist_url(model), boss.page(rows[model])):
            html = boss.get(url).content.decode()
            assert " style=" not in html, url
            assert " onclick=" not in html, url
            assert "<style>" not in html, url
