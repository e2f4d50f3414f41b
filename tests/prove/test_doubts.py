"""Doubtful creates: nobody knows whether Tavus made the room, and nobody pays for two."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

import pytest

from django_tavus.models import Conversation
from django_tavus.services import launch_conversation
from tests.prove.scale import SCALE, sizes
from tests.prove.timeline import Timeline, timeline

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

CREATE = {"method": "POST", "path": "/v2/conversations"}
LIST = {"method": "GET", "path": "/v2/conversations"}
FAULTS = [
    "cut_before",
    "cut_after",
    "timeout_after",
    "status:502",
    "status_after:502",
    "status_after:503",
    "garbled",
    "empty",
    "html",
]
TOGETHER = 90  # launches of one timeline: more would only make the remote list long
NOTHING_MADE = {"cut_before", "status:502"}

# What the site is and what its callers ask for; whether a room can be told from others by a key.
SITES = {
    "callbacks": (True, {}, True),
    "callbacks, own name": (True, {"conversation_name": "Weekly"}, True),
    "no PUBLIC_URL": (False, {}, True),
    "no PUBLIC_URL, own name": (False, {"conversation_name": "Weekly"}, False),
    "own callback_url": (True, {"callback_url": "https://host.example/hook"}, True),
    "own callback_url and name": (
        True,
        {"callback_url": "https://host.example/hook", "conversation_name": "Weekly"},
        False,
    ),
}


@pytest.fixture(params=SITES)
def site(request, settings):
    public, fields, has_key = SITES[request.param]
    if not public:
        settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    return request.param, fields, has_key


@pytest.fixture
def line(tavus_sandbox, worker):
    with timeline(tavus_sandbox, worker) as line:
        yield line


@dataclass
class Plan:
    """What goes wrong with one launch."""

    fault: str
    bad_creates: int
    left: int
    search_fails: bool


class Bad:
    """Breaks the first creates of every launch as its plan says, and the search that follows."""

    def __init__(self, line: Timeline, plans: dict[str, Plan]) -> None:
        self.line, self.plans = line, plans

    def __call__(self, name, args):
        self.line.sandbox.faults.clear()
        if name != "django_tavus.launch_conversation" or not self.plans[args[0]].left:
            return
        plan = self.plans[args[0]]
        plan.left -= 1
        self.line.sandbox.faults.add(plan.fault, times=1, **CREATE)
        if plan.search_fails:
            self.line.sandbox.faults.add("status:501", times=1, **LIST)


def launch_all(line, persona, fields, faults, chance):
    """Launch one conversation for each fault; return rows and plans."""
    plans = {}
    for number, fault in enumerate(faults):
        own = {"conversation_name": f"Weekly {number}"} if "conversation_name" in fields else {}
        row = launch_conversation(
            persona=persona,
            conversational_context=f"launch {number}",
            # Rooms that nobody enters live for an hour: time must not tidy up what was left.
            properties={"participant_absent_timeout": 3600},
            **{**fields, **own},
        )
        bad = chance.choice([1, 1, 2, 3])
        plans[str(row.pk)] = Plan(fault, bad, bad, chance.random() < 0.5)
    return list(Conversation.objects.all()), plans


def some_arrive(line, chance):
    """Callbacks arrive, arrive twice, late, or never."""
    late = []
    for callback in line.mail:
        fate = chance.choice(["once", "twice", "late", "never"])
        for _ in range({"once": 1, "twice": 2}.get(fate, 0)):
            assert line.deliver(callback).status_code == 200
        if fate == "late":
            late.append(callback)
    line.mail[:] = late


def test_a_doubtful_create_ends_in_one_room_or_none(line, site, tavus_sandbox):
    name, fields, has_key = site
    chance = random.Random(name)
    faults = FAULTS * sizes("doubts")["launches"]
    chance.shuffle(faults)
    persona = line.make_persona()
    outcomes, creates = Counter(), 0
    for begin in range(0, len(faults), TOGETHER):
        rows, plans = launch_all(line, persona, fields, faults[begin : begin + TOGETHER], chance)
        outcomes += play(line, rows, plans, chance, has_key)
        creates += line.creates()
        Conversation.objects.update(status="ended", end_owed=False)
        Conversation.objects.all().delete()
        line.worker.messages.clear()
        tavus_sandbox.reset()
        line.mail.clear()
        line.add_stock()
    print(
        f"\nproof 2 {SCALE}, {name}: {len(faults)} doubtful launches ({len(FAULTS)} faults), "
        f"{creates} creates -> {dict(outcomes)}, 0 doubled, 0 left running unknown"
    )


def play(line, rows, plans, chance, has_key):
    line.before_task = Bad(line, plans)
    for _ in range(36):
        some_arrive(line, chance)
        line.beat()
        check_at_all_times(line, rows)
        line.pass_time(30)
    return Counter(check(line, row, plans[str(row.pk)], has_key) for row in rows)


def check_at_all_times(line, rows):
    running = Counter(
        room.request["conversational_context"] for room in line.rooms() if room.is_active
    )
    assert all(running[row.conversational_context] <= 1 for row in rows)


def check(line, row, plan, has_key):
    """The row says what is true at Tavus."""
    row.refresh_from_db()
    made = line.rooms_of(row)
    running = [room.id for room in made if room.is_active]
    assert not row.end_owed
    assert len(made) <= 1
    assert row.attempts <= (2 if has_key else 1)
    if plan.fault not in NOTHING_MADE or (has_key and plan.bad_creates == 1):
        assert (row.status, row.error_code) == ("active", ""), plan
        assert running == [row.tavus_id]
        assert row.is_joinable
        assert row.launched_at == line.sandbox.conversation(row.tavus_id).created_at
    else:
        assert (row.status, row.error_code) == ("failed", "outcome_unknown"), plan
        assert running == []
        assert row.tavus_id is None
    return row.status
