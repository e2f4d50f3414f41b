from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from django_tavus.models import WebhookEvent
from django_tavus.sandbox import Sandbox
from tests.prove.harness import Answer, Site
from tests.prove.scale import SCALE, sizes
from tests.prove.servers import ALIAS

pytestmark = pytest.mark.services

PROMPT = 1.0  # seconds; the promise while the broker is away
FIRST = 4  # rooms that are open before the outage, to which callbacks are sent


class Load:
    """Launches and callbacks without a pause, each answer remembered."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.launches: list[Answer] = []
        self.callbacks: list[Answer] = []
        self.lost_connections = 0
        self._stop = threading.Event()
        self._rooms = [room for room in site.rooms() if room.is_active]
        self._threads = [
            threading.Thread(target=self._repeat, args=work)
            for work in ((self._launch, 0.25), (self._call_back, 0.1))
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _repeat(self, work: Callable[[int], None], pause: float) -> None:
        number = 0
        while not self._stop.wait(pause):
            number += 1
            try:
                work(number)
            except requests.RequestException:
                self.lost_connections += 1

    def _launch(self, number: int) -> None:
        self.launches.append(self.site.launch(FIRST + number))

    def _call_back(self, number: int) -> None:
        room = self._rooms[number % len(self._rooms)]
        answer = self.site.post(room.callback_url, event(room, number))
        answer.body = number
        self.callbacks.append(answer)

    @property
    def slowest(self) -> float:
        """Seconds of the slowest answer."""
        return max(answer.seconds for answer in (*self.launches, *self.callbacks))


def event(room: Any, number: int) -> dict[str, Any]:
    """A callback unlike every other."""
    return {
        "message_type": "conversation",
        "event_type": "conversation.prove",
        "conversation_id": room.id,
        "timestamp": datetime.now(UTC).isoformat(),
        "properties": {"number": number},
    }


def open_site(make_site: Callable[..., Site], **options: Any) -> Site:
    """A deployment at work, with a few rooms open."""
    site = make_site(sandbox=Sandbox(seed=None), **options)
    site.start_web()
    site.start_beat()
    site.start_worker("threads").wait_for_line(" ready.")
    assert {answer.status for answer in site.launch_all(FIRST)} == {202}
    site.wait_until_settled(60)
    return site


def stored_numbers() -> Counter[int]:
    """The numbers of the callbacks that are stored."""
    stored = WebhookEvent.objects.using(ALIAS).filter(event_type="conversation.prove")
    return Counter(stored.values_list("payload__properties__number", flat=True))


# Frozen: over AMQP it is written to and not listened to, so nobody notices for long.
@pytest.mark.parametrize(
    ("broker", "manner"),
    [
        ("redis", "refuse"),
        ("redis", "mute"),
        ("redis", "freeze"),
        ("rabbitmq", "refuse"),
        ("rabbitmq", "mute"),
        ("rabbitmq", "freeze"),
    ],
)
def test_a_broker_that_is_away_delays_and_loses_nothing(
    broker: str, manner: str, make_site: Callable[..., Site]
) -> None:
    seconds = sizes("broker_outage")["seconds"]
    site = open_site(make_site, broker=broker, through=("broker",))
    proxy = site.proxies["broker"]
    with Load(site) as load:
        time.sleep(1)
        getattr(proxy, manner)()
        time.sleep(seconds)
        proxy.restore()
        time.sleep(1)

    assert load.lost_connections == 0
    assert {answer.status for answer in load.launches} == {202}
    assert {answer.status for answer in load.callbacks} == {200}
    assert load.slowest < PROMPT
    felt = {
        "refuse": "The broker did not take" in site.web.log.read_text(),
        "mute": proxy.held,
        "freeze": proxy.swallowed,
    }
    assert felt[manner], "the outage was not felt"
    begun = time.monotonic()
    site.wait_until_settled(120)
    healed = time.monotonic() - begun
    count = FIRST + len(load.launches)
    site.assert_launched_exactly_once(count)
    assert stored_numbers() == Counter(answer.body for answer in load.callbacks)
    print(
        f"\nproof 6 {broker} {manner} for {seconds} s ({SCALE}): {len(load.launches)} launches "
        f"202, {len(load.callbacks)} callbacks 200, slowest {load.slowest:.2f} s -> {count} "
        f"active, 0 lost, settled {healed:.0f} s later"
    )


def test_a_database_that_is_away_is_told_to_tavus_and_loses_nothing(
    make_site: Callable[..., Site],
) -> None:
    seconds = sizes("database_outage")["seconds"]
    site = open_site(make_site, broker="redis", through=("database",))
    proxy = site.proxies["database"]
    with Load(site) as load:
        time.sleep(1)
        proxy.refuse()
        away = time.monotonic()
        time.sleep(seconds)
        coming = time.monotonic()
        proxy.restore()
        back = time.monotonic()
        time.sleep(1)

    assert load.lost_connections == 0
    assert {answer.status for answer in load.callbacks} == {200, 503}
    during = [a for a in load.callbacks if away < a.at and a.at + a.seconds < coming]
    assert {answer.status for answer in during} == {503}
    outside = [a for a in load.callbacks if a.at + a.seconds < away or back < a.at]
    assert {answer.status for answer in outside} == {200}
    site.wait_until_settled(120)
    taken = [answer for answer in load.launches if answer.status == 202]
    launched = set(site.rows.values_list("pk", flat=True))
    # A launch that was answered with an error may have been stored all the same; none that was
    # answered with 202 may be missing, and what is stored is launched once.
    assert {answer.body["id"] for answer in taken} <= {str(pk) for pk in launched}
    site.assert_launched_exactly_once(len(launched))
    accepted = Counter(answer.body for answer in load.callbacks if answer.status == 200)
    assert not accepted - stored_numbers()
    print(
        f"\nproof 6 database away for {seconds} s ({SCALE}): {len(during)} callbacks 503 "
        f"meanwhile, {len(outside)} 200 before and after, {len(taken)} launches 202 of "
        f"{len(load.launches)} -> {len(launched)} active, 0 lost"
    )
