"""Doubtful creates: nobody knows whether Tavus made the room, and nobody pays for two."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from django.db import connection

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

OUR_URL = "https://site.example"


class Site(NamedTuple):
    """What the site is and what its callers ask for."""

    public_url: str
    fields: dict[str, str]
    has_key: bool
    """Whether the rooms of an attempt can be told from others by a key."""
    becomes: str | None = None
    """Its ``PUBLIC_URL`` once the first attempts were made."""


HOOK = "https://host.example/hook"
WEEKLY = {"conversation_name": "Weekly"}
SITES = {
    "callbacks": Site(OUR_URL, {}, True),
    "callbacks, own name": Site(OUR_URL, WEEKLY, True),
    "no PUBLIC_URL": Site("", {}, True),
    "no PUBLIC_URL, own name": Site("", WEEKLY, False),
    "own callback_url": Site(OUR_URL, {"callback_url": HOOK}, True),
    "own callback_url and name": Site(OUR_URL, {"callback_url": HOOK, **WEEKLY}, False),
    "PUBLIC_URL comes": Site("", {}, True, becomes=OUR_URL),
    "PUBLIC_URL comes, own name": Site("", WEEKLY, False, becomes=OUR_URL),
    "PUBLIC_URL goes": Site(OUR_URL, {}, True, becomes=""),
}


@pytest.fixture(params=SITES)
def name(request):
    return request.param


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


def launch_all(line, persona, site, faults, chance):
    """Launch one conversation for each fault; return rows and plans."""
    plans = {}
    for number, fault in enumerate(faults):
        named = "conversation_name" in site.fields
        own = {"conversation_name": f"Weekly {number}"} if named else {}
        row = launch_conversation(
            persona=persona,
            conversational_context=f"launch {number}",
            # Rooms that nobody enters live for an hour: time must not tidy up what was left.
            properties={"participant_absent_timeout": 3600},
            **{**site.fields, **own},
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


def test_a_doubtful_create_ends_in_one_room_or_none(line, name, tavus_sandbox, settings):
    site = SITES[name]
    chance = random.Random(name)
    faults = FAULTS * sizes("doubts")["launches"]
    chance.shuffle(faults)
    persona = line.make_persona()
    outcomes, creates = Counter(), 0
    for begin in range(0, len(faults), TOGETHER):
        some = faults[begin : begin + TOGETHER]
        launched = launch_all(line, persona, site, some, chance)
        outcomes += play(line, site, launched, chance, settings)
        creates += line.creates()
        Conversation.objects.update(status="ended", end_owed=False)
        Conversation.objects.all().delete()
        line.worker.messages.clear()
        tavus_sandbox.reset()
        line.mail.clear()
        line.add_stock()
    print(
        f"\nproof 2 {connection.vendor}, {name} ({SCALE}): {len(faults)} doubtful launches "
        f"({len(FAULTS)} faults), {creates} creates -> {dict(outcomes)}, 0 doubled, 0 left "
        "running unknown"
    )


def play(line, site, launched, chance, settings):
    rows, plans = launched
    line.before_task = Bad(line, plans)
    set_public_url(settings, site.public_url)
    for _ in range(36):
        some_arrive(line, chance)
        line.beat()
        check_at_all_times(line, rows)
        line.pass_time(30)
        if site.becomes is not None:
            set_public_url(settings, site.becomes)
    return Counter(check(line, row, plans[str(row.pk)], site.has_key) for row in rows)


def set_public_url(settings, url):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": url}


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
