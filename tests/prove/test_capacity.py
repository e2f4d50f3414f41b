from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_tavus.sandbox import Sandbox
from django_tavus.services import tokens
from tests.prove.harness import Site, chance
from tests.prove.processes import READY
from tests.prove.scale import SCALE, sizes

pytestmark = pytest.mark.services

MAX_CONCURRENT = 3


def most_at_once(spans: Iterable[tuple[datetime, datetime]]) -> int:
    """The largest number of ``spans`` that share a moment."""
    edges = sorted(edge for begin, end in spans for edge in ((begin, 1), (end, -1)))
    running = most = 0
    for _, step in edges:
        running += step
        most = max(most, running)
    return most


def most_overtaken(starts: Sequence[Any]) -> int:
    """For moments of starting in the order of arrival: how many later ones at most went first."""
    overtaken = (
        sum(1 for later in starts[place + 1 :] if later < start)
        for place, start in enumerate(starts)
    )
    return max(overtaken)


def end_somehow(site: Site, room: Any, manner: str) -> None:
    """End a call as people do: somebody comes and goes, or its owner presses the button."""
    if manner == "visit":
        person = site.sandbox.join(room.id)
        site.sandbox.leave(room.id, person.id)
    else:
        subject = tokens.subject_of_url(room.callback_url)
        assert subject is not None
        row = site.rows.get(pk=str(subject.pk))
        owner = site.user_number(row.owner_id)
        path = f"/tavus/api/conversations/{row.pk}/end/"
        assert site.post(f"{site.url}{path}", {}, user=owner).status in (200, 202)


def play_calls(site: Site, count: int, random: random.Random, seconds: float) -> None:
    """Let every call last a moment and end it, until ``count`` were served."""
    deadline = time.monotonic() + seconds
    lasting: dict[str, timedelta] = {}
    ended: set[str] = set()
    while len(ended) < count:
        assert time.monotonic() < deadline, f"{len(ended)} of {count} served: {site.describe()}"
        for room in site.rooms():
            age = datetime.now(UTC) - room.created_at
            wanted = lasting.setdefault(room.id, timedelta(seconds=random.uniform(0.3, 0.8)))
            if room.is_active and room.id not in ended and age > wanted:
                end_somehow(site, room, random.choice(["visit", "button"]))
                ended.add(room.id)
        # Without these only those that may start are asked for, and nobody races for a slot.
        site.crowd(2 * MAX_CONCURRENT, random.shuffle)
        time.sleep(0.02)


def test_a_span_that_ends_when_another_begins_does_not_overlap_it() -> None:
    day = [datetime(2030, 1, number, tzinfo=UTC) for number in range(1, 6)]
    assert most_at_once([(day[0], day[1]), (day[1], day[2])]) == 1
    assert most_at_once([(day[0], day[3]), (day[1], day[4]), (day[2], day[3])]) == 3


def test_overtaking_is_counted() -> None:
    assert most_overtaken([1, 2, 3]) == 0
    assert most_overtaken([3, 1, 2, 4]) == 2


@pytest.mark.parametrize("database", ["postgresql", "mariadb"])
def test_never_more_rooms_than_allowed_and_all_are_served_in_order(
    database: str, make_site: Callable[..., Site]
) -> None:
    count = sizes("capacity")["launches"]
    sandbox = Sandbox(seed=None, drop=0.1)
    site = make_site(
        broker="redis",
        database=database,
        sandbox=sandbox,
        tavus={
            "MAX_CONCURRENT": MAX_CONCURRENT,
            "CONVERSATION_DEFAULTS": {"properties": {"participant_left_timeout": 0}},
        },
    )
    site.start_web()
    # All are stored before the first is claimed: only then is their order no matter of opinion.
    answers = site.launch_all(count, threads=count)
    assert {answer.status for answer in answers} == {202}
    site.start_beat()
    workers = [site.start_worker(concurrency=2) for _ in range(2)]
    for worker in workers:
        worker.wait_for_line(" ready.")

    play_calls(site, count, chance("capacity", database), seconds=60 + 3 * count)
    site.wait_until_settled(60)

    rows = list(site.rows.order_by("created_at", "pk"))
    assert {row.status for row in rows} == {"ended"}
    assert {row.attempts for row in rows} == {1}
    rooms = site.rooms()
    assert {row.tavus_id for row in rows} == {room.id for room in rooms}
    assert len(rooms) == count
    most = most_at_once((room.created_at, room.ended_at) for room in rooms)
    assert most <= MAX_CONCURRENT
    # Those that share a free slot's moment race; nobody is overtaken by more than them.
    overtaken = most_overtaken([row.attempted_at for row in rows])
    assert overtaken < MAX_CONCURRENT
    print(
        f"\nproof 5 {database} ({SCALE}): {count} launches at once, 4 worker processes -> "
        f"{most} rooms at once at most (allowed {MAX_CONCURRENT}), {count} served, "
        f"overtaken by {overtaken} at most"
    )


@pytest.mark.parametrize("cap", ["MAX_CONCURRENT", "MAX_CONCURRENT_PER_USER"])
@pytest.mark.parametrize("database", ["postgresql", "mariadb"])
def test_processes_that_claim_at_once_never_hold_more_slots_than_allowed(
    database: str, cap: str, make_site: Callable[..., Site]
) -> None:
    """The claim alone, with nothing around it that would keep the claimers apart."""
    size = sizes("claims")
    site = make_site(
        broker="redis", database=database, sandbox=Sandbox(seed=None), tavus={cap: MAX_CONCURRENT}
    )
    claimers = [
        site.start("claimer", "tests.prove.claimer", str(size["launches"]), f"{cap} {number}")
        for number in range(size["claimers"])
    ]
    for claimer in claimers:
        claimer.wait_for_line(READY)
    site.queue_launches(size["launches"], owner=0)

    told = [json.loads(claimer.last_line(seconds=30 + size["launches"])) for claimer in claimers]

    assert Counter(site.rows.values_list("status", "attempts")) == {("ended", 1): size["launches"]}
    assert sum(report["claimed"] for report in told) == size["launches"]
    assert min(report["claimed"] for report in told) > 0  # all of them took part
    most = max(report["most"] for report in told)
    assert most == MAX_CONCURRENT
    print(
        f"\nproof 5 {database}, {cap} ({SCALE}): {size['launches']} launches claimed by "
        f"{len(claimers)} processes that do nothing else -> {most} slots held at most (allowed "
        f"{MAX_CONCURRENT}), each claimed once"
    )
