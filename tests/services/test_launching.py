from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from django_tavus.models import Conversation
from django_tavus.services import (
    end_conversation,
    launch_conversation,
    launching,
    request_fields,
    requesting,
)
from django_tavus.services.errors import IdempotencyConflictError, LaunchRefusedError
from django_tavus.testing import make_conversation, make_document, make_persona, make_replica

pytestmark = pytest.mark.django_db


@pytest.fixture
def persona(tavus_sandbox):
    """A persona with a default replica that Tavus knows too."""
    replica = make_replica(tavus_id="r90bbd427f71")
    tavus_sandbox.add_replica(replica_id="r90bbd427f71", replica_name="Anna")
    tavus_sandbox.add_persona(
        persona_id="pcb7a34da5fe",
        persona_name="Coach",
        system_prompt="Secret rutabaga.",
        default_replica_id="r90bbd427f71",
    )
    return make_persona(tavus_id="pcb7a34da5fe", persona_name="Coach", default_replica=replica)


@pytest.fixture
def user(django_user_model):
    return django_user_model.objects.create_user("ada")


def creates(sandbox):
    return [r for r in sandbox.requests if (r.method, r.path) == ("POST", "/v2/conversations")]


def test_a_launch_is_queued_and_talks_no_http(persona, user, tavus_sandbox):
    conversation = launch_conversation(persona=persona, owner=user, reference="lead:42")
    assert (conversation.status, conversation.owner, conversation.reference) == (
        "queued",
        user,
        "lead:42",
    )
    assert tavus_sandbox.requests == []


def test_the_task_makes_one_room(persona, user, worker, tavus_sandbox, signals_sent):
    conversation = launch_conversation(persona=persona, owner=user)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "active"
    assert conversation.tavus_id in tavus_sandbox.engine.conversations
    assert conversation.conversation_url.endswith(conversation.tavus_id)
    assert conversation.launched_at is not None
    assert [name for name, _ in signals_sent] == ["conversation_launched"]
    assert signals_sent[0][1]["conversation"] == conversation


def test_the_replica_in_use_is_remembered_whatever_the_persona_gets_later(persona, worker):
    conversation = launch_conversation(persona=persona)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.replica == persona.default_replica


def test_a_redelivered_task_makes_no_second_room(persona, worker, tavus_sandbox):
    conversation = launch_conversation(persona=persona)
    worker.run()
    launching.launch(conversation.pk)
    assert len(creates(tavus_sandbox)) == 1


def test_only_what_was_set_is_sent_plus_the_two_exceptions(persona, worker, tavus_sandbox):
    launch_conversation(persona=persona, audio_only=False)
    worker.run()
    (request,) = creates(tavus_sandbox)
    url = request.body.pop("callback_url")
    assert url.startswith("https://site.example/tavus/callbacks/conversation.")
    assert request.body == {
        "persona_id": "pcb7a34da5fe",
        "audio_only": False,
        "properties": {"participant_left_timeout": 30},
    }


def test_a_left_timeout_of_ones_own_is_kept(persona, worker, tavus_sandbox):
    launch_conversation(persona=persona, properties={"participant_left_timeout": 0})
    worker.run()
    assert creates(tavus_sandbox)[0].body["properties"] == {"participant_left_timeout": 0}


def test_documents_keep_their_order(persona, worker, tavus_sandbox):
    ids = ["d8-c", "d8-a", "d8-b"]
    for document_id in ids:
        make_document(tavus_id=document_id)
        tavus_sandbox.add_document(document_id=document_id, document_url="https://x.example/a")
    launch_conversation(persona=persona, documents=ids)
    worker.run()
    assert creates(tavus_sandbox)[0].body["document_ids"] == ids


def test_defaults_are_merged_under_every_launch(persona, worker, tavus_sandbox, settings):
    settings.TAVUS = {
        **settings.TAVUS,
        "CONVERSATION_DEFAULTS": {
            "require_auth": True,
            "callback_url": "https://hooks.example/t",
            "properties": {"language": "spanish", "max_call_duration": 60},
        },
    }
    launch_conversation(persona=persona, properties={"language": "german"})
    worker.run()
    body = creates(tavus_sandbox)[0].body
    assert body["callback_url"] == "https://hooks.example/t"
    assert body["require_auth"] is True
    assert body["properties"]["language"] == "german"
    assert body["properties"]["max_call_duration"] == 60


def test_a_private_room_keeps_its_token_out_of_remote(persona, worker):
    conversation = launch_conversation(persona=persona, require_auth=True)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.meeting_token
    assert conversation.meeting_token not in str(conversation.remote)
    assert conversation.room_url.endswith(f"?t={conversation.meeting_token}")


def test_test_mode_is_launched_and_over_at_once(persona, worker, signals_sent):
    conversation = launch_conversation(persona=persona, test_mode=True)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "ended"
    assert [n for n, _ in signals_sent] == ["conversation_launched", "conversation_ended"]


# --- the replica rule -------------------------------------------------------------------------


def test_a_persona_without_replica_needs_one():
    with pytest.raises(ValidationError) as caught:
        launch_conversation(persona=make_persona(default_replica=None))
    assert list(caught.value.message_dict) == ["replica_id"]
    assert caught.value.error_dict["replica_id"][0].code == "invalid_replica"


def test_a_replica_overrides_the_default(persona, worker, tavus_sandbox):
    tavus_sandbox.add_replica(replica_id="r79e1c033f", replica_name="Other")
    conversation = launch_conversation(persona=persona, replica=make_replica(tavus_id="r79e1c033f"))
    worker.run()
    assert creates(tavus_sandbox)[0].body["replica_id"] == "r79e1c033f"
    conversation.refresh_from_db()
    assert conversation.replica.tavus_id == "r79e1c033f"


def test_a_replica_alone_is_enough(persona, worker, tavus_sandbox):
    launch_conversation(replica="r90bbd427f71")
    worker.run()
    assert "persona_id" not in creates(tavus_sandbox)[0].body


def test_neither_persona_nor_replica_is_an_error():
    with pytest.raises(ValidationError) as caught:
        launch_conversation()
    assert list(caught.value.message_dict) == ["persona_id"]


@pytest.mark.parametrize(
    ("argument", "field", "code"),
    [
        ({"persona": "p-unknown"}, "persona_id", "invalid_persona"),
        ({"replica": "r-unknown"}, "replica_id", "invalid_replica"),
        ({"replica": "r1", "documents": ["d-unknown"]}, "document_ids", "invalid_document"),
    ],
)
def test_an_unknown_id_names_its_field(argument, field, code):
    make_replica(tavus_id="r1")
    with pytest.raises(ValidationError) as caught:
        launch_conversation(**argument)
    assert caught.value.error_dict[field][0].code == code


def test_what_is_gone_at_tavus_cannot_be_launched():
    with pytest.raises(ValidationError):
        launch_conversation(persona=make_persona(sync_state="gone"))


@pytest.mark.parametrize("name", [*request_fields.RELATIONS, "topic", "status", "tavus_id"])
def test_unknown_names_are_a_type_error(name):
    with pytest.raises(TypeError, match=name):
        launch_conversation(persona=make_persona(), **{name: "x"})


def test_a_wrong_value_is_refused_before_anything_is_stored():
    with pytest.raises(ValidationError):
        launch_conversation(persona=make_persona(), max_participants=1)
    assert not Conversation.objects.exists()


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("credits", "out_of_credits"),
        ("status:400", "tavus_rejected"),
        ("status:401", "tavus_unauthorized"),
    ],
)
def test_a_refusal_fails_with_a_code_and_a_sentence(
    persona, worker, tavus_sandbox, signals_sent, fault, code
):
    tavus_sandbox.faults.add(fault, method="POST", path="/v2/conversations", times=1)
    conversation = launch_conversation(persona=persona)
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.error_code) == ("failed", code)
    assert conversation.error_message
    assert [n for n, _ in signals_sent] == ["conversation_failed"]


def test_a_launch_that_was_clearly_refused_is_named_anew_under_new_settings(
    persona, worker, tavus_sandbox, settings
):
    url = settings.TAVUS["PUBLIC_URL"]
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    tavus_sandbox.faults.add("status:429", method="POST", path="/v2/conversations", times=2)
    conversation = launch_conversation(persona=persona)
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.attempts) == ("queued", 0)
    assert conversation.name_key.startswith("Coach · ")
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": url}
    Conversation.objects.filter(pk=conversation.pk).update(not_before=None)
    launching.launch(conversation.pk)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.name_key) == ("active", "")
    assert "conversation_name" not in creates(tavus_sandbox)[-1].body


@pytest.mark.parametrize("fault", ["concurrency", "status:429"])
def test_a_full_account_puts_it_back_in_line(persona, worker, tavus_sandbox, fault):
    # The client itself tries again after a 429 once.
    tavus_sandbox.faults.add(fault, method="POST", path="/v2/conversations", times=2)
    conversation = launch_conversation(persona=persona)
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.attempts) == ("queued", 0)
    assert conversation.not_before > timezone.now()
    tavus_sandbox.faults.clear()
    Conversation.objects.update(not_before=timezone.now())
    launching.start_queued()
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.error_code) == ("active", "")


def test_a_launch_that_waited_too_long_fails(persona, worker, settings):
    settings.TAVUS = {**settings.TAVUS, "QUEUE_TIMEOUT": 1}
    conversation = launch_conversation(persona=persona)
    Conversation.objects.update(created_at=timezone.now() - timedelta(seconds=5))
    launching.start_queued()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.error_code) == ("failed", "concurrency_limit")


def test_a_second_attempt_is_not_expired_by_the_time_its_first_was_looked_for(worker):
    long_ago = timezone.now() - timedelta(hours=1)
    conversation = make_conversation(status="queued", attempts=1, created_at=long_ago)
    launching.expire_queued(timezone.now())
    conversation.refresh_from_db()
    assert conversation.status == "queued"
    launching.expire_queued(timezone.now() + timedelta(minutes=11))
    conversation.refresh_from_db()
    assert conversation.status == "failed"


def test_without_a_key_the_launch_fails_with_the_remedy(persona, worker, settings):
    settings.TAVUS = {**settings.TAVUS, "API_KEY": ""}
    conversation = launch_conversation(persona=persona)
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.error_code) == ("failed", "tavus_unauthorized")
    assert "API_KEY" in conversation.error_message


# --- idempotency ------------------------------------------------------------------------------


def test_the_same_idempotency_key_is_the_same_conversation(persona, user):
    launch = {"persona": persona, "owner": user, "idempotency_key": "k"}
    first = launch_conversation(**launch)
    assert launch_conversation(**launch) == first
    assert requesting.store_conversation(**launch) == (first, False)
    with pytest.raises(IdempotencyConflictError):
        launch_conversation(**launch, reference="other")
    assert Conversation.objects.count() == 1


def test_a_row_and_its_tavus_id_are_the_same_wish(persona, user):
    document = make_document()
    key = {"owner": user, "idempotency_key": "k"}
    first = launch_conversation(persona=persona, documents=[document], **key)
    ids = (one for one in [document.tavus_id])
    assert launch_conversation(persona=persona.tavus_id, documents=ids, **key) == first


def test_a_repeated_request_is_answered_even_if_its_persona_is_gone(persona, user):
    launch = {"persona": persona.tavus_id, "owner": user, "idempotency_key": "k"}
    first = launch_conversation(**launch)
    persona.delete()
    assert launch_conversation(**launch) == first


def test_many_documents_cost_one_query(persona, django_assert_num_queries):
    documents = [make_document() for _ in range(20)]
    ids = [document.tavus_id for document in documents]
    with django_assert_num_queries(1):
        assert requesting._find_documents(ids) == documents


def test_idempotency_keys_belong_to_their_owner(persona, user, django_user_model):
    other = django_user_model.objects.create_user("bob")
    launch = {"persona": persona, "idempotency_key": "k"}
    rows = [launch_conversation(**launch, owner=owner) for owner in (user, other, None)]
    assert len(set(rows)) == 3
    assert launch_conversation(**launch) == rows[-1]  # a call of nobody's is not doubled either


def test_keys_that_differ_in_case_only_are_two_keys(persona, user):
    launch = {"persona": persona, "owner": user}
    first = launch_conversation(**launch, idempotency_key="Zm9v")
    assert launch_conversation(**launch, idempotency_key="zm9V") != first


# --- capacity and budgets ---------------------------------------------------------------------


def test_more_than_the_cap_wait_in_line(persona, worker, settings):
    settings.TAVUS = {**settings.TAVUS, "MAX_CONCURRENT": 2}
    rows = [launch_conversation(persona=persona) for _ in range(4)]
    worker.run()
    assert [Conversation.objects.get(pk=r.pk).status for r in rows] == [
        "active",
        "active",
        "queued",
        "queued",
    ]
    positions = Conversation.objects.with_queue_position().in_bulk([r.pk for r in rows])
    assert [positions[r.pk].queue_position for r in rows] == [None, None, 1, 2]


def test_a_freed_slot_starts_the_next(persona, worker, settings):
    settings.TAVUS = {**settings.TAVUS, "MAX_CONCURRENT": 1}
    first, second = (launch_conversation(persona=persona) for _ in range(2))
    worker.run()
    end_conversation(Conversation.objects.get(pk=first.pk))
    worker.run()
    second.refresh_from_db()
    assert second.status == "active"


def test_one_owners_cap_does_not_hold_up_the_others(persona, worker, settings, user):
    settings.TAVUS = {**settings.TAVUS, "MAX_CONCURRENT": 2, "MAX_CONCURRENT_PER_USER": 1}
    rows = [launch_conversation(persona=persona, owner=owner) for owner in (user, user, None)]
    worker.run()
    statuses = [Conversation.objects.get(pk=r.pk).status for r in rows]
    assert statuses == ["active", "queued", "active"]


def test_fifty_waiting_are_enough(persona, user):
    for _ in range(50):
        make_conversation(status="queued", persona=persona, owner=user)
    with pytest.raises(LaunchRefusedError) as caught:
        launch_conversation(persona=persona, owner=user)
    assert caught.value.code == "concurrency_limit"


def test_a_used_up_budget_refuses_at_launch(persona, user, settings):
    settings.TAVUS = {**settings.TAVUS, "DAILY_MINUTES_PER_USER": 10}
    now = timezone.now()
    make_conversation(
        status="ended",
        owner=user,
        launched_at=now - timedelta(minutes=30),
        ended_at=now - timedelta(minutes=20),
    )
    with pytest.raises(LaunchRefusedError) as caught:
        launch_conversation(persona=persona, owner=user)
    assert caught.value.code == "budget_exhausted"
    assert caught.value.retry_after > 0
    launch_conversation(persona=persona)  # another owner's budget is his own


def test_running_calls_count_with_what_they_may_still_use(persona, user, settings):
    settings.TAVUS = {**settings.TAVUS, "DAILY_MINUTES_PER_USER": 30}
    make_conversation(owner=user, properties={"max_call_duration": 1800})
    with pytest.raises(LaunchRefusedError):
        launch_conversation(persona=persona, owner=user)


def test_a_live_conversation_cannot_be_deleted():
    from django.db.models import ProtectedError

    conversation = make_conversation()
    with pytest.raises(ProtectedError):
        conversation.delete()
    with pytest.raises(ProtectedError):
        Conversation.objects.all().delete()
    Conversation.objects.update(status="ended")
    Conversation.objects.update(end_owed=True)
    with pytest.raises(ProtectedError):
        conversation.delete()  # only a callback said so, and Tavus has not confirmed it
    Conversation.objects.update(end_owed=False)
    conversation.delete()
    assert not Conversation.objects.filter(pk=conversation.pk).exists()


def test_nobody_knows_an_unknown_key():
    launching.launch(uuid.uuid4())
