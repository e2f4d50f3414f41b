from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from django_tavus.models import Conversation, OutboxEntry
from django_tavus.services import (
    adopting,
    capacity,
    doubting,
    end_conversation,
    launch_conversation,
    launching,
    recognizing,
    reconciling,
    sweeping,
)
from django_tavus.services.clients import get_client
from django_tavus.testing import deliver_due, make_persona, make_replica

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = {"method": "POST", "path": "/v2/conversations"}
AMBIGUOUS = ["cut_after", "timeout_after", "status_after:502", "status_after:503", "garbled"]


@pytest.fixture
def persona(tavus_sandbox):
    replica = make_replica(tavus_id="r90bbd427f71")
    tavus_sandbox.add_replica(replica_id="r90bbd427f71", replica_name="Anna")
    tavus_sandbox.add_persona(
        persona_id="pcb7a34da5fe",
        persona_name="Coach",
        system_prompt="Secret.",
        default_replica_id="r90bbd427f71",
    )
    return make_persona(tavus_id="pcb7a34da5fe", persona_name="Coach", default_replica=replica)


@pytest.fixture(params=["callbacks", "no PUBLIC_URL"])
def public(request, settings):
    if request.param != "callbacks":
        settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    return request.param


def remote(sandbox, status=None):
    rooms = sandbox.engine.conversations.values()
    return [room for room in rooms if status is None or room.status == status]


def later(seconds):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


def look_for(conversation, worker):
    """Reconcile late enough for a list to prove something, and carry out what comes of it."""
    with later(200):
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()


@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_a_room_whose_answer_was_lost_is_found_and_adopted(
    persona, public, worker, tavus_sandbox, fault, signals_sent
):
    tavus_sandbox.faults.add(fault, times=1, **CREATE)
    conversation = launch_conversation(persona=persona)
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.error_code) == ("active", "")
    assert [room.id for room in remote(tavus_sandbox)] == [conversation.tavus_id]
    assert [n for n, _ in signals_sent] == ["conversation_launched"]


def test_while_in_doubt_the_row_says_so(persona, worker, tavus_sandbox):
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.is_in_doubt
    assert (conversation.status, conversation.error_code) == ("launching", "outcome_unknown")


def test_what_was_not_made_is_attempted_once_more(persona, public, worker, tavus_sandbox):
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona)
    worker.run()
    look_for(conversation, worker)
    assert (conversation.status, conversation.attempts) == ("active", 2)
    assert len(remote(tavus_sandbox)) == 1


def test_there_is_one_second_attempt_and_no_third(persona, worker, tavus_sandbox, signals_sent):
    tavus_sandbox.faults.add("cut_before", times=9, **CREATE)
    conversation = launch_conversation(persona=persona)
    worker.run()
    for round_ in range(1, 5):
        with later(200 * round_):
            reconciling.reconcile()
            worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.error_code) == ("failed", "outcome_unknown")
    assert conversation.attempts == 2
    assert [n for n, _ in signals_sent] == ["conversation_failed"]


def test_too_early_a_list_proves_nothing(persona, worker, tavus_sandbox):
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona)
    worker.run()
    with later(100):
        doubting.settle(conversation.pk)
    conversation.refresh_from_db()
    assert conversation.is_in_doubt


def test_a_name_of_ones_own_is_no_key_and_gets_no_second_attempt(
    persona, worker, tavus_sandbox, settings
):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    look_for(conversation, worker)
    assert (conversation.status, conversation.attempts) == ("failed", 1)
    assert remote(tavus_sandbox) == []


def set_public_url(settings, url):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": url}


def test_a_key_that_the_site_got_since_is_not_the_attempts(
    persona, worker, tavus_sandbox, settings
):
    set_public_url(settings, "")
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    set_public_url(settings, "https://site.example")
    look_for(conversation, worker)
    assert (conversation.status, conversation.attempts) == ("failed", 1)
    assert remote(tavus_sandbox) == []


def test_a_room_without_key_is_adopted_though_the_site_sends_callbacks_by_now(
    persona, worker, tavus_sandbox, settings
):
    set_public_url(settings, "")
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    tavus_sandbox.faults.add("status:500", method="GET", path="/v2/conversations", times=9)
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    tavus_sandbox.faults.clear()
    set_public_url(settings, "https://site.example")
    look_for(conversation, worker)
    assert (conversation.status, conversation.attempts) == ("active", 1)
    assert [room.id for room in remote(tavus_sandbox)] == [conversation.tavus_id]


def test_a_room_without_key_that_was_answered_too_late_is_ended_whatever_is_set_by_now(
    persona, worker, tavus_sandbox, settings
):
    set_public_url(settings, "")
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    (room,) = remote(tavus_sandbox, "active")
    OutboxEntry.objects.all().delete()
    Conversation.objects.update(status="failed", tavus_id=None)
    set_public_url(settings, "https://site.example")
    answer = {"conversation_id": room.id, "status": "active", "conversation_name": "Weekly"}
    adopting.adopt_answer(conversation.pk, answer)
    worker.run()
    assert remote(tavus_sandbox, "active") == []


def test_a_key_that_was_sent_counts_when_callbacks_are_switched_off(
    persona, worker, tavus_sandbox, settings
):
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona)
    worker.run()
    set_public_url(settings, "")
    look_for(conversation, worker)
    assert (conversation.status, conversation.attempts) == ("active", 2)
    assert len(remote(tavus_sandbox)) == 1


def test_there_is_no_second_attempt_that_would_have_no_key(
    persona, worker, tavus_sandbox, settings
):
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    set_public_url(settings, "")
    look_for(conversation, worker)
    assert (conversation.status, conversation.attempts) == ("failed", 1)


@pytest.mark.parametrize("first", ["", "https://site.example"])
def test_the_rooms_of_both_attempts_are_told_whatever_key_each_had(
    persona, worker, tavus_sandbox, settings, first
):
    """Both creates made a room; the first was late in the list."""
    set_public_url(settings, first)
    conversation = launch_conversation(persona=persona)
    worker.run()
    (lost,) = remote(tavus_sandbox)
    OutboxEntry.objects.all().delete()
    Conversation.objects.update(
        status="queued",
        tavus_id=None,
        conversation_name="",
        conversation_url="",
        next_check_at=None,
    )
    set_public_url(settings, "https://site.example" if not first else "")
    worker.messages.clear()
    launching.launch(conversation.pk)
    conversation.refresh_from_db()
    assert conversation.tavus_id != lost.id
    reconciling.disown_orphans(timezone.now())
    worker.run()
    assert [room.id for room in remote(tavus_sandbox, "active")] == [conversation.tavus_id]


@pytest.mark.parametrize("public_url", ["", "https://site.example"])
def test_a_name_of_ones_own_never_makes_a_strangers_room_ours(
    persona, worker, tavus_sandbox, settings, public_url
):
    set_public_url(settings, public_url)
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    conversation.refresh_from_db()
    assert not recognizing.is_ours(conversation, {"conversation_name": "Weekly"})


def test_without_a_key_only_a_single_match_is_adopted(persona, worker, tavus_sandbox, settings):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "active"


def test_without_a_key_two_matches_are_nobodys(persona, worker, tavus_sandbox, settings):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    tavus_sandbox.faults.add("cut_after", times=2, **CREATE)
    rows = [launch_conversation(persona=persona, conversation_name="Weekly") for _ in range(2)]
    launching.launch(rows[0].pk)  # finds the only one there is
    launching.launch(rows[1].pk)
    worker.messages.clear()
    assert {Conversation.objects.get(pk=row.pk).status for row in rows} == {"active"}
    OutboxEntry.objects.all().delete()
    Conversation.objects.update(tavus_id=None, status="launching", error_code="outcome_unknown")
    doubting.settle(rows[0].pk)
    assert Conversation.objects.get(pk=rows[0].pk).is_in_doubt


def test_an_attempt_whose_worker_died_is_looked_for(persona, public, worker, tavus_sandbox):
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    conversation = launch_conversation(persona=persona)
    worker.run()
    # As if the worker had been killed between the POST and the storing of its answer.
    OutboxEntry.objects.all().delete()
    Conversation.objects.update(
        status="launching", tavus_id=None, error_code="", next_check_at=None, conversation_url=""
    )
    sweeping.sweep()
    reconciling.reconcile()
    conversation.refresh_from_db()
    assert conversation.status == "launching"  # too young to be touched
    with later(60):
        sweeping.sweep()
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "active"
    assert len(remote(tavus_sandbox)) == 1


def test_an_end_that_came_while_in_doubt_is_carried_out(persona, worker, tavus_sandbox):
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    tavus_sandbox.faults.add("status:500", method="GET", path="/v2/conversations", times=9)
    conversation = launch_conversation(persona=persona)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.is_in_doubt
    end_conversation(conversation)
    tavus_sandbox.faults.clear()
    with later(130):
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "ended"
    assert [room.status for room in remote(tavus_sandbox)] == ["ended"]


def test_an_orphan_that_turns_up_later_is_ended(persona, worker, tavus_sandbox, signals_sent):
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    tavus_sandbox.faults.add("status:500", method="GET", path="/v2/conversations", times=99)
    conversation = launch_conversation(persona=persona)
    worker.run()
    Conversation.objects.update(status="failed", next_check_at=None)
    tavus_sandbox.faults.clear()
    tavus_sandbox.advance(2)
    deliver_due(tavus_sandbox)
    worker.run()
    assert [room.status for room in remote(tavus_sandbox)] == ["ended"]
    conversation.refresh_from_db()
    assert conversation.status == "failed"


def test_a_second_room_of_one_launch_is_ended(persona, worker, tavus_sandbox):
    """The first attempt's room was late in the list, the second attempt made another."""
    conversation = launch_conversation(persona=persona)
    worker.run()
    (first,) = remote(tavus_sandbox)
    OutboxEntry.objects.all().delete()
    Conversation.objects.update(
        status="queued", tavus_id=None, attempts=1, next_check_at=None, conversation_url=""
    )
    launching.launch(conversation.pk)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.tavus_id != first.id
    tavus_sandbox.advance(2)
    deliver_due(tavus_sandbox)
    worker.run()
    active = [room.id for room in remote(tavus_sandbox, "active")]
    assert active == [conversation.tavus_id]


def test_a_leaked_url_cannot_end_somebody_elses_room(persona, worker, tavus_sandbox):
    from django_tavus.testing import deliver_callback

    victim, leaked = (launch_conversation(persona=persona) for _ in range(2))
    worker.run()
    victim.refresh_from_db()
    leaked.refresh_from_db()
    Conversation.objects.filter(pk=leaked.pk).update(attempts=2)
    forged = {
        "conversation_id": victim.tavus_id,
        "event_type": "system.shutdown",
        "timestamp": "2026-01-01T00:00:00Z",
    }
    deliver_callback(leaked, forged)
    worker.run()
    assert len(remote(tavus_sandbox, "active")) == 2
    victim.refresh_from_db()
    assert victim.status == "active"


# --- private rooms whose token was lost with the answer -----------------------------------------


def test_a_private_room_that_nobody_can_enter_is_ended_at_once(
    persona, public, worker, tavus_sandbox, signals_sent
):
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, require_auth=True)
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.error_code) == ("failed", "outcome_unknown")
    assert "token" in conversation.error_message
    assert [room.status for room in remote(tavus_sandbox)] == ["ended"]
    assert not conversation.end_owed
    assert [n for n, _ in signals_sent] == ["conversation_failed"]
    with later(200):
        reconciling.reconcile()
        sweeping.sweep()
        worker.run()
    assert len(remote(tavus_sandbox)) == 1  # nothing is made in its place


def test_a_room_that_is_private_by_its_properties_alone_is_left_to_tavus(
    persona, worker, tavus_sandbox
):
    """No word of the provider's says that such a room gets a token."""
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, properties={"require_auth": True})
    worker.run()
    with later(100):
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.is_joinable) == ("active", True)


def test_the_room_of_a_second_attempt_is_not_refused_by_a_search_for_the_first(
    persona, worker, tavus_sandbox, monkeypatch
):
    """The answer with the token is on its way."""
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, require_auth=True)
    worker.run()
    find_rooms = recognizing.find_rooms
    answers = []

    def begin_second_attempt(stale, listed):
        Conversation.objects.filter(pk=stale.pk).update(status="queued")
        now = timezone.now()
        assert capacity.claim(stale.pk, now, name_key=stale.name_key)
        answers.append(get_client().conversations.create(**launching.request_body(stale)))
        return find_rooms(stale, get_client().conversations.iterate())

    monkeypatch.setattr(recognizing, "find_rooms", begin_second_attempt)
    doubting.settle(conversation.pk)
    adopting.adopt_answer(conversation.pk, answers[0])
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.is_joinable) == ("active", True)
    assert len(remote(tavus_sandbox, "active")) == 1


def test_a_private_room_without_key_is_ended_too(persona, worker, tavus_sandbox, settings):
    set_public_url(settings, "")
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    conversation = launch_conversation(
        persona=persona, conversation_name="Weekly", require_auth=True
    )
    worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "failed"
    assert [room.status for room in remote(tavus_sandbox)] == ["ended"]


def test_a_private_room_that_was_answered_is_kept(persona, worker, tavus_sandbox):
    conversation = launch_conversation(persona=persona, require_auth=True)
    worker.run()
    with later(100):
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.is_joinable) == ("active", True)


def test_a_private_room_known_by_a_callback_waits_for_its_answer_and_is_ended_without(
    persona, worker, tavus_sandbox, signals_sent
):
    conversation = launch_conversation(persona=persona, require_auth=True)
    worker.run()
    # As if the callback had been first and the answer had never come.
    OutboxEntry.objects.all().delete()
    Conversation.objects.update(meeting_token="", next_check_at=timezone.now())
    with later(20):
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.is_joinable) == ("active", False)
    with later(60):
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.error_code) == ("ended", "outcome_unknown")
    assert "token" in conversation.error_message
    assert [room.status for room in remote(tavus_sandbox)] == ["ended"]
    assert signals_sent[-1][0] == "conversation_ended"


def test_a_private_room_made_elsewhere_is_not_ended(persona, worker, tavus_sandbox):
    conversation = launch_conversation(persona=persona, require_auth=True)
    worker.run()
    Conversation.objects.update(meeting_token="", attempts=0)
    with later(100):
        reconciling.end_leaks(timezone.now())
        worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "active"


def test_an_end_that_was_wished_for_is_no_failure_of_a_private_room(persona, worker, tavus_sandbox):
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    tavus_sandbox.faults.add("status:500", method="GET", path="/v2/conversations", times=9)
    conversation = launch_conversation(persona=persona, require_auth=True)
    worker.run()
    conversation.refresh_from_db()
    end_conversation(conversation)
    tavus_sandbox.faults.clear()
    with later(130):
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.error_code) == ("ended", "")
    assert [room.status for room in remote(tavus_sandbox)] == ["ended"]


def test_a_private_room_that_was_taken_by_a_callback_meanwhile_is_not_refused_twice(
    persona, worker, tavus_sandbox
):
    conversation = launch_conversation(persona=persona, require_auth=True)
    worker.run()
    (room,) = remote(tavus_sandbox)
    stale = Conversation.objects.get(pk=conversation.pk)
    doubting.refuse_closed(stale, {"conversation_id": room.id})
    worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.end_owed) == ("active", False)
    assert room.status == "active"


def test_a_crash_amid_the_refusal_of_a_private_room_does_not_leave_it_running(
    persona, public, worker, tavus_sandbox, monkeypatch
):
    def crash(*args):
        raise KeyboardInterrupt

    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, require_auth=True)
    with monkeypatch.context() as patch:
        patch.setattr(doubting, "_give_up", crash)
        with pytest.raises(KeyboardInterrupt):
            worker.run()
    worker.messages.clear()
    for seconds in (60, 200):
        with later(seconds):
            sweeping.sweep()
            reconciling.reconcile()
            worker.run()
    conversation.refresh_from_db()
    assert conversation.is_over
    assert not conversation.end_owed
    assert [room.status for room in remote(tavus_sandbox)] == ["ended"]
