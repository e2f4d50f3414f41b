from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from django_tavus.admin import launch_form
from django_tavus.models import Conversation
from django_tavus.services.errors import LaunchRefusedError
from django_tavus.services.launching import request_body
from django_tavus.services.request_fields import PROPERTIES, RELATIONS, REQUEST_FIELDS
from django_tavus.testing import make_document, make_persona, make_replica
from tests.admin.conftest import Staff, messages_of

ADD = "/admin/django_tavus/conversation/add/"


def filled(client: Staff, **values: Any) -> dict[str, Any]:
    return {
        "launch_token": str(uuid.uuid4()),
        "owner": client.user.pk,
        "audio_only": "unknown",
        "test_mode": "unknown",
        "require_auth": "unknown",
        "enable_recording": "unknown",
        "metadata": "{}",
        "_launch": "Launch",
        **values,
    }


def errors_of(page: Any) -> dict[str, list[str]]:
    return dict(page.context["adminform"].form.errors)


def test_opens_with_the_user_as_owner(boss: Staff) -> None:
    page = boss.get(ADD)
    assert page.status_code == 200
    assert page.context["adminform"].form["owner"].value() == boss.user.pk
    assert 'name="_launch"' in page.content.decode()
    assert 'name="_save"' not in page.content.decode()


def test_launches_with_the_persona_alone(boss: Staff, worker: Any) -> None:
    persona = make_persona()
    page = boss.post(ADD, filled(boss, persona=persona.pk), follow=True)
    worker.commit()
    conversation = Conversation.objects.get()
    assert page.redirect_chain == [(boss.page(conversation), 302)]
    assert messages_of(page) == ["The conversation is being launched."]
    assert (conversation.owner, conversation.persona) == (boss.user, persona)
    assert worker.messages == [("django_tavus.launch_conversation", (str(conversation.pk),))]


def test_every_request_field_reaches_the_request(boss: Staff) -> None:
    persona, replica = make_persona(), make_replica()
    one, two = make_document(), make_document()
    storage = {"provider": "s3", "bucket_name": "calls"}
    boss.post(
        ADD,
        filled(
            boss,
            persona=persona.pk,
            replica=replica.pk,
            conversation_name="Call",
            conversational_context="About plans",
            custom_greeting="Hello",
            audio_only="true",
            test_mode="false",
            require_auth="true",
            max_participants="3",
            memory_stores="ada\n\nbob ",
            document_ids=[two.pk, one.pk],
            document_tags="prices",
            document_retrieval_strategy="speed",
            callback_url="https://elsewhere.example/hook",
            language="spanish",
            max_call_duration="600",
            participant_left_timeout="0",
            participant_absent_timeout="60",
            enable_recording="true",
            enable_closed_captions="false",
            apply_greenscreen="true",
            properties=json.dumps({"recording_storage": storage}),
            reference="lead:42",
            metadata='{"a": 1}',
        ),
    )
    conversation = Conversation.objects.get()
    assert request_body(conversation) == {
        "persona_id": persona.tavus_id,
        "replica_id": replica.tavus_id,
        "document_ids": [two.tavus_id, one.tavus_id],
        "conversation_name": "Call",
        "conversational_context": "About plans",
        "custom_greeting": "Hello",
        "audio_only": True,
        "test_mode": False,
        "require_auth": True,
        "max_participants": 3,
        "memory_stores": ["ada", "bob"],
        "document_tags": ["prices"],
        "document_retrieval_strategy": "speed",
        "callback_url": "https://elsewhere.example/hook",
        "properties": {
            "language": "spanish",
            "max_call_duration": 600,
            "participant_left_timeout": 0,
            "participant_absent_timeout": 60,
            "enable_recording": True,
            "enable_closed_captions": False,
            "apply_greenscreen": True,
            "recording_storage": storage,
        },
    }
    assert (conversation.reference, conversation.metadata) == ("lead:42", {"a": 1})


def test_what_is_left_blank_is_not_set(boss: Staff) -> None:
    boss.post(ADD, filled(boss, persona=make_persona().pk))
    conversation = Conversation.objects.get()
    assert conversation.properties == {}
    assert conversation.audio_only is None
    assert conversation.test_mode is None


def test_the_form_has_every_request_field(boss: Staff) -> None:
    fields = set(boss.get(ADD).context["adminform"].form.fields)
    assert REQUEST_FIELDS.keys() <= fields
    assert {RELATIONS[name] for name in ("persona_id", "replica_id")} | {"document_ids"} <= fields
    assert set(launch_form.NAMED_PROPERTIES) <= PROPERTIES.keys() & fields


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"language": "en"}, "language", "language code"),
        ({"max_participants": "1"}, "max_participants", "2"),
        ({"max_call_duration": "0"}, "max_call_duration", "at least 1"),
        ({"max_call_duration": "soon"}, "max_call_duration", "whole number"),
        ({"document_retrieval_strategy": "luck"}, "document_retrieval_strategy", "valid choice"),
        ({"properties": '{"colour": 1}'}, "properties", "colour: unknown key"),
        ({"properties": "[1]"}, "properties", "Must be an object"),
        ({"properties": "{"}, "properties", "valid JSON"),
        ({"metadata": "[1]"}, "metadata", "Must be an object"),
        ({"callback_url": "javascript:alert(1)"}, "callback_url", "https://"),
        ({"persona": "", "replica": ""}, "persona", "Give a persona"),
        ({"owner": ""}, "owner", "required"),
        ({"launch_token": ""}, "launch_token", "out of date"),
        ({"launch_token": "x"}, "launch_token", "valid UUID"),
    ],
)
def test_bad_input_is_named(boss: Staff, values: dict[str, Any], field: str, text: str) -> None:
    page = boss.post(ADD, filled(boss, **{"persona": make_persona().pk, **values}))
    assert page.status_code == 200
    assert text in " ".join(errors_of(page)[field])
    assert not Conversation.objects.exists()


def test_a_persona_without_a_face_wants_a_replica(boss: Staff) -> None:
    persona = make_persona(default_replica=None)
    page = boss.post(ADD, filled(boss, persona=persona.pk))
    assert "no default replica" in errors_of(page)["replica"][0]
    boss.post(ADD, filled(boss, persona=persona.pk, replica=make_replica().pk))
    assert Conversation.objects.count() == 1


def test_a_wrong_default_of_the_site_is_told_above_the_form(boss: Staff, settings: Any) -> None:
    settings.TAVUS = {**settings.TAVUS, "CONVERSATION_DEFAULTS": {"nonsense": 1}}
    page = boss.post(ADD, filled(boss, persona=make_persona().pk))
    assert errors_of(page)["__all__"] == ["nonsense: Unknown field."]


def test_validating_stores_nothing(boss: Staff, worker: Any) -> None:
    form_class = boss.get(ADD).context["adminform"].form.__class__
    data = filled(boss, persona=make_persona().pk)
    for _ in range(2):
        assert form_class(data).is_valid()
    worker.commit()
    assert not Conversation.objects.exists()
    assert worker.messages == []


def test_the_same_form_twice_is_one_conversation(boss: Staff) -> None:
    data = filled(boss, persona=make_persona().pk)
    first, second = boss.post(ADD, data), boss.post(ADD, data)
    assert Conversation.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_the_same_form_with_other_values_is_refused(boss: Staff) -> None:
    data = filled(boss, persona=make_persona().pk)
    boss.post(ADD, data)
    page = boss.post(ADD, {**data, "conversation_name": "Another"})
    assert "has launched a conversation already" in errors_of(page)["__all__"][0]
    assert Conversation.objects.count() == 1


def test_no_budget_is_an_error_of_the_form(boss: Staff, settings: Any) -> None:
    settings.TAVUS = {**settings.TAVUS, "DAILY_MINUTES": 0}
    page = boss.post(ADD, filled(boss, persona=make_persona().pk))
    assert "budget" in errors_of(page)["__all__"][0]


def test_a_refusal_after_the_check_is_told(boss: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(owner: Any, now: Any = None) -> None:
        if checks.pop():
            raise LaunchRefusedError("budget_exhausted", "Nothing left.", retry_after=60)

    checks = [True, False]  # the form's check passes, the launch's does not
    monkeypatch.setattr("django_tavus.services.capacity.check_admission", full)
    page = boss.post(ADD, filled(boss, persona=make_persona().pk), follow=True)
    assert messages_of(page) == ["Nothing left."]
    assert not Conversation.objects.exists()


def test_adding_is_for_those_who_may_launch(viewer: Staff, staff: Callable[..., Staff]) -> None:
    assert viewer.get(ADD).status_code == 403
    assert staff("view_conversation", "add_conversation").get(ADD).status_code == 403
    assert staff("view_conversation", "launch_conversation").get(ADD).status_code == 200


def test_after_the_launch_only_reference_and_metadata_change(boss: Staff) -> None:
    persona = make_persona()
    boss.post(ADD, filled(boss, persona=persona.pk, conversation_name="Call"))
    conversation = Conversation.objects.get()
    other = make_persona()
    boss.post(
        boss.page(conversation),
        {
            "reference": "lead:7",
            "metadata": '{"b": 2}',
            "conversation_name": "Changed",
            "persona": other.pk,
            "status": "ended",
        },
    )
    conversation.refresh_from_db()
    assert (conversation.reference, conversation.metadata) == ("lead:7", {"b": 2})
    assert (conversation.conversation_name, conversation.persona) == ("Call", persona)
    assert conversation.status == "queued"


def test_saving_does_not_undo_what_happened_meanwhile(boss: Staff) -> None:
    """The page's copy of the row is old by the time that it is saved."""
    boss.post(ADD, filled(boss, persona=make_persona().pk))
    conversation = Conversation.objects.get()

    original = type(Conversation.objects.all()).store

    def end_first(rows: Any, **values: Any) -> int:
        original(Conversation.objects.all(), status="ended")
        return original(rows, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django_tavus.models.conversation.ConversationQuerySet.store", end_first)
        boss.post(boss.page(conversation), {"reference": "lead:7", "metadata": "{}"})
    conversation.refresh_from_db()
    assert (conversation.reference, conversation.status) == ("lead:7", "ended")


def test_metadata_stays_an_object(boss: Staff) -> None:
    boss.post(ADD, filled(boss, persona=make_persona().pk))
    conversation = Conversation.objects.get()
    page = boss.post(boss.page(conversation), {"reference": "", "metadata": "[1]"})
    assert errors_of(page)["metadata"] == ["Must be an object."]


def test_autocomplete_offers_only_what_tavus_has(boss: Staff) -> None:
    # In the case of the names: a binary collation, as in our MariaDB tests, tells cases apart.
    known = make_persona(persona_name="Coach known")
    make_persona(persona_name="Coach gone", sync_state="gone")
    make_persona(persona_name="Coach draft", tavus_id=None)
    query = {
        "term": "Coach",
        "app_label": "django_tavus",
        "model_name": "conversation",
        "field_name": "persona",
    }
    answer = boss.get(reverse("admin:autocomplete"), query).json()
    assert [row["id"] for row in answer["results"]] == [str(known.pk)]


def test_documents_can_be_searched(boss: Staff) -> None:
    document = make_document(document_name="Prices")
    query = {
        "term": "Pri",
        "app_label": "django_tavus",
        "model_name": "conversation",
        "field_name": "documents",
    }
    answer = boss.get(reverse("admin:autocomplete"), query).json()
    assert [row["id"] for row in answer["results"]] == [str(document.pk)]


def test_the_owner_is_a_raw_id_where_users_cannot_be_searched(boss: Staff) -> None:
    from django.contrib import admin

    user_admin = admin.site._registry.pop(get_user_model())
    try:
        page = boss.get(ADD)
        assert f'<input type="text" name="owner" value="{boss.user.pk}"' in page.content.decode()
    finally:
        admin.site._registry[get_user_model()] = user_admin


def test_only_what_was_asked_for_is_shown_afterwards(boss: Staff) -> None:
    boss.post(ADD, filled(boss, persona=make_persona().pk, custom_greeting="Hello you"))
    html = boss.get(boss.page(Conversation.objects.get())).content.decode()
    assert "Hello you" in html
    assert "Conversational context:" not in html
    assert 'name="custom_greeting"' not in html
