from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from django_tavus.models import Conversation, OutboxEntry
from django_tavus.services import (
    adopting,
    end_conversation,
    launch_conversation,
    launching,
    reconciling,
    sweeping,
)
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
    with later(200):
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()
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
        adopting.settle(conversation.pk)
    conversation.refresh_from_db()
    assert conversation.is_in_doubt


def test_a_name_of_ones_own_is_no_key_and_gets_no_second_attempt(
    persona, worker, tavus_sandbox, settings
):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    with later(200):
        reconciling.reconcile()
        worker.run()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.attempts) == ("failed", 1)
    assert remote(tavus_sandbox) == []


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
    adopting.settle(rows[0].pk)
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
