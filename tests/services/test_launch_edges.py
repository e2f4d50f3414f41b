"""The edges of launching: clocks that lie, settings that change, messages that are late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from django_tavus.models import Conversation
from django_tavus.services import (
    adopting,
    capacity,
    end_conversation,
    ending,
    launch_conversation,
    launching,
    reconciling,
    sweeping,
)
from django_tavus.services.clients import get_client
from django_tavus.services.errors import LaunchRefusedError
from django_tavus.testing import make_conversation, make_persona, make_replica

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = {"method": "POST", "path": "/v2/conversations"}
DAY = timedelta(days=1)


@pytest.fixture
def persona(tavus_sandbox):
    replica = make_replica(tavus_id="r90bbd427f71")
    tavus_sandbox.add_replica(replica_id="r90bbd427f71", replica_name="Anna")
    tavus_sandbox.add_persona(
        persona_id="pcb7a34da5fe", persona_name="Coach", default_replica_id="r90bbd427f71"
    )
    return make_persona(tavus_id="pcb7a34da5fe", persona_name="Coach", default_replica=replica)


@pytest.fixture
def users(django_user_model):
    return [django_user_model.objects.create_user(name) for name in ("alice", "bob")]


def fresh(conversation):
    return Conversation.objects.select_related("persona__default_replica", "replica").get(
        pk=conversation.pk
    )


def later(seconds):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


def running(sandbox):
    return [room.id for room in sandbox.engine.conversations.active()]


def configure(settings, **keys: Any):
    settings.TAVUS = {**settings.TAVUS, **keys}


def begin_attempt(conversation, key=""):
    assert capacity.claim(conversation.pk, timezone.now(), name_key=key)
    return fresh(conversation)


# --- keys to the account ----------------------------------------------------------------------


@pytest.mark.parametrize("key", ["key\n", " key", "clé", b"key", lambda: 7])
def test_a_key_that_no_header_can_hold_fails_the_launch_at_once(persona, worker, settings, key):
    configure(settings, API_KEY=key)
    conversation = launch_conversation(persona=persona)
    worker.run()
    row = fresh(conversation)
    assert (row.status, row.error_code) == ("failed", "tavus_unauthorized")
    assert "key\n" not in row.error_message


def test_a_key_that_cannot_be_read_for_a_while_only_delays(persona, worker, settings):
    def key() -> str:
        raise ConnectionError("the vault is away; token s3cret")

    configure(settings, API_KEY=key)
    conversation = launch_conversation(persona=persona)
    worker.run()
    row = fresh(conversation)
    assert (row.status, row.error_code) == ("queued", "tavus_unauthorized")
    assert "ConnectionError" in row.error_message
    assert "s3cret" not in row.error_message
    configure(settings, API_KEY="test-key")
    with later(10):
        launching.start_queued()
        worker.run()
    assert fresh(conversation).status == "active"


def test_a_key_that_is_never_read_is_named_as_the_reason(persona, worker, settings):
    configure(settings, API_KEY=lambda: {}["TAVUS_KEY"])
    conversation = launch_conversation(persona=persona)
    worker.run()
    with later(610):
        launching.start_queued()
    row = fresh(conversation)
    assert (row.status, row.error_code) == ("failed", "tavus_unauthorized")


# --- queue and budget -------------------------------------------------------------------------


def test_a_message_that_comes_hours_late_makes_no_room(persona, worker, tavus_sandbox):
    """No worker ran, nobody waits any more: a room would be paid for in vain."""
    conversation = launch_conversation(persona=persona)
    with later(7200):
        worker.run()
    row = fresh(conversation)
    assert (row.status, row.error_code) == ("failed", "concurrency_limit")
    assert tavus_sandbox.requests == []


def test_what_was_to_end_is_cancelled_however_late(persona, worker, tavus_sandbox):
    conversation = launch_conversation(persona=persona)
    Conversation.objects.update(end_requested_at=timezone.now())  # and the process died
    with later(7200):
        worker.run()
        launching.start_queued()
        sweeping.sweep()
    row = fresh(conversation)
    assert (row.status, row.shutdown_reason) == ("ended", "cancelled")
    assert tavus_sandbox.requests == []


def test_many_whom_their_cap_holds_back_do_not_hide_the_others(
    persona, users, worker, settings, monkeypatch
):
    configure(settings, MAX_CONCURRENT_PER_USER=1)
    monkeypatch.setattr(capacity, "QUEUE_SCAN", 4)
    make_conversation(owner=users[0], status="active")
    for _ in range(5):
        launch_conversation(persona=persona, owner=users[0])
    conversation = launch_conversation(persona=persona, owner=users[1])
    nobodys = launch_conversation(persona=persona)
    worker.run()
    assert fresh(conversation).status == "active"
    assert fresh(nobodys).status == "active"


def test_a_call_that_runs_over_time_uses_the_budget_and_gives_none_back(settings):
    configure(settings, DAILY_MINUTES=60)
    began = timezone.now() - 2 * DAY
    make_conversation(status="active", launched_at=began, attempted_at=began)
    with pytest.raises(LaunchRefusedError):
        capacity.check_admission(None)


def test_a_test_call_that_waits_uses_no_budget(settings):
    configure(settings, DAILY_MINUTES=60)
    make_conversation(status="queued", test_mode=True)
    capacity.check_admission(None)


def test_two_requests_at_once_do_not_share_the_last_minute(persona, users, settings):
    configure(settings, DAILY_MINUTES_PER_USER=60)
    launch = {"persona": persona, "owner": users[0]}
    others: list[Conversation] = []

    def intercept(execute, sql, params, many, context):
        if "django_tavus_capacitylock" in sql and not others:
            others.append(make_conversation(owner=users[0], status="queued"))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(intercept), pytest.raises(LaunchRefusedError):
        launch_conversation(**launch)
    assert len(others) == 1  # what another request stored after the first look


# --- settings that change ---------------------------------------------------------------------


def test_a_second_attempt_has_a_key_though_callbacks_were_switched_off(
    persona, worker, tavus_sandbox, settings
):
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona)
    worker.run()
    configure(settings, PUBLIC_URL="")
    tavus_sandbox.faults.add("cut_after", times=1, **CREATE)
    with later(200):
        reconciling.reconcile()
        worker.run()
    row = fresh(conversation)
    assert (row.status, row.attempts) == ("active", 2)
    assert running(tavus_sandbox) == [row.tavus_id]


def test_a_second_attempt_that_lost_its_key_while_it_waited_is_not_made(
    persona, worker, tavus_sandbox, settings
):
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    conversation = launch_conversation(persona=persona, conversation_name="Weekly")
    worker.run()
    with later(200):
        reconciling.reconcile()
        assert fresh(conversation).status == "queued"
        configure(settings, PUBLIC_URL="")
        worker.run()
    row = fresh(conversation)
    assert (row.status, row.error_code) == ("failed", "outcome_unknown")
    assert running(tavus_sandbox) == []


# --- whose room -------------------------------------------------------------------------------


@pytest.fixture
def copied(persona, worker, settings):
    """A call, and another one that was given the name which is the key of the first."""
    configure(settings, PUBLIC_URL="")
    first = launch_conversation(persona=persona)
    worker.run()
    name = fresh(first).conversation_name
    return first, launch_conversation(persona=persona, conversation_name=name)


def test_a_room_whose_name_was_copied_is_not_ended_as_an_orphan(copied, worker, tavus_sandbox):
    first, second = copied
    worker.run()
    Conversation.objects.filter(pk=first.pk).update(attempts=2)
    reconciling.reconcile()
    worker.run()
    rooms = {fresh(first).tavus_id, fresh(second).tavus_id}
    assert set(running(tavus_sandbox)) == rooms


def test_nor_while_the_answer_of_its_own_launch_is_on_its_way(copied, worker, tavus_sandbox):
    first, second = copied
    worker.messages.clear()
    Conversation.objects.filter(pk=first.pk).update(attempts=2)
    in_flight = begin_attempt(second, key=second.conversation_name)
    answer = get_client().conversations.create(**launching.request_body(in_flight))
    reconciling.reconcile()
    worker.run()
    adopting.adopt_answer(second.pk, answer)
    assert set(running(tavus_sandbox)) == {fresh(first).tavus_id, answer["conversation_id"]}


def test_an_orphan_that_was_answered_is_ended_though_its_name_is_common(
    persona, worker, tavus_sandbox, settings
):
    configure(settings, PUBLIC_URL="")
    rows = [launch_conversation(persona=persona, conversation_name="Weekly") for _ in range(2)]
    worker.messages.clear()
    late, in_flight = (begin_attempt(row, key="Weekly") for row in rows)
    answer = get_client().conversations.create(**launching.request_body(late))
    launching.fail(late.pk, "outcome_unknown", "given up")
    adopting.adopt_answer(late.pk, answer)
    worker.run()
    assert running(tavus_sandbox) == []
    assert fresh(in_flight).status == "launching"


def test_a_room_of_another_launch_does_not_keep_a_doubt_open(
    persona, worker, tavus_sandbox, settings
):
    configure(settings, PUBLIC_URL="")
    tavus_sandbox.faults.add("cut_before", times=1, **CREATE)
    doubtful = launch_conversation(persona=persona)
    worker.run()
    name = fresh(doubtful).name_key
    other = launch_conversation(persona=persona, conversation_name=name)
    worker.run()
    with later(200):
        reconciling.reconcile()
        worker.run()
    assert (fresh(doubtful).status, fresh(doubtful).attempts) == ("active", 2)
    assert fresh(doubtful).tavus_id != fresh(other).tavus_id
    assert len(running(tavus_sandbox)) == 2


# --- late workers and clocks ------------------------------------------------------------------


def test_a_late_doubt_leaves_the_second_attempt_alone(persona, worker, tavus_sandbox):
    stale = begin_attempt(launch_conversation(persona=persona))
    Conversation.objects.update(status="queued")
    second = begin_attempt(stale)
    tavus_sandbox.faults.add("cut_before", times=9, **CREATE)
    launching.attempt(stale, get_client())
    row = fresh(second)
    assert (row.status, row.error_code, row.next_check_at) == ("launching", "", None)


@pytest.mark.parametrize(
    "created_at", ["1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z", 0, "9999-12-31T23:59:59Z"]
)
def test_a_date_that_cannot_be_is_not_the_beginning(persona, worker, created_at):
    conversation = begin_attempt(launch_conversation(persona=persona))
    body = {"conversation_id": "c1", "conversation_url": "https://x/c1", "status": "active"}
    adopting.adopt_answer(conversation.pk, {**body, "created_at": created_at})
    row = fresh(conversation)
    assert row.launched_at == conversation.attempted_at
    adopting.complete(row, {**body, "created_at": created_at})
    assert fresh(conversation).launched_at == conversation.attempted_at
    reconciling.end_leaks(timezone.now())
    assert fresh(conversation).end_requested_at is None


def test_a_test_call_of_a_wrong_clock_has_no_length(persona, worker):
    conversation = begin_attempt(launch_conversation(persona=persona, test_mode=True))
    body = {"conversation_id": "c1", "status": "ended", "created_at": "2200-01-01T00:00:00Z"}
    adopting.adopt_answer(conversation.pk, body)
    assert fresh(conversation).duration == 0


def test_a_room_found_too_late_did_not_end_in_the_future(persona, worker):
    conversation = begin_attempt(launch_conversation(persona=persona))
    dates = {"created_at": timezone.now().isoformat(), "updated_at": "2200-01-01T00:00:00Z"}
    adopting.adopt_answer(conversation.pk, {"conversation_id": "c1", "status": "ended", **dates})
    assert fresh(conversation).duration == 0


# --- ending -----------------------------------------------------------------------------------


def test_a_conflict_over_what_is_over_is_no_failure(persona, worker, tavus_sandbox):
    conversation = launch_conversation(persona=persona)
    worker.run()
    row = fresh(conversation)
    get_client().conversations.end(row.tavus_id)
    end = f"/v2/conversations/{row.tavus_id}/end"
    tavus_sandbox.faults.add("status:409", method="POST", path=end, times=9)
    end_conversation(row)
    ending.carry_out(row.pk)
    assert fresh(conversation).status == "ended"


def test_a_value_above_the_highest_is_told_so(persona):
    with pytest.raises(ValidationError) as caught:
        launch_conversation(persona=persona, max_participants=40_000)
    assert caught.value.message_dict == {"max_participants": ["Must be at most 32767."]}
