"""Callbacks a second through the real view, beside a bare view with one raw INSERT.

Gunicorn with two sync workers, PostgreSQL, unique events of 1.5 kB. Two sites run the same code:
one whose broker refuses connections (the seam rests, the sweep would find the events), and one
with Redis. The contenders take turns within one run.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from statistics import median

from django.db import connection
from django.urls import reverse

from benchmarks import brokers, floor, scale
from benchmarks.bodies import callbacks
from benchmarks.figures import percentile, table, told, verdict
from benchmarks.load import Volley, fire, gun, post
from benchmarks.rows import active_conversations
from benchmarks.servers import free_port, site
from django_tavus.models import WebhookEvent
from django_tavus.services import tokens
from django_tavus.services.enqueue import REST

WARM_UPS = 2  # the first message of a process may take too long, and then the seam rests
# contender: what its rate has to be, as a part of the floor's
WANTED = {"floor": 1.0, "no broker": 0.70, "Redis": 0.50}


def run() -> None:
    """Measure and print."""
    with connection.cursor() as cursor:
        cursor.execute(floor.TABLE)
    with site(f"redis://127.0.0.1:{free_port()}/0") as lonely, site(brokers.REDIS) as queued:
        ports = {"floor": lonely, "no broker": lonely, "Redis": queued}
        with gun() as executor:
            volleys, enqueued = _measure(executor, ports)
    _tell(volleys, enqueued)


def _measure(
    executor: ProcessPoolExecutor, ports: dict[str, int]
) -> tuple[dict[str, list[Volley]], float]:
    """Return the volleys of each contender, and the share of callbacks that came to Redis."""
    contents = _requests()
    volleys: dict[str, list[Volley]] = {name: [] for name in ports}
    sent = enqueued = 0
    for repetition in range(-WARM_UPS, scale.CURRENT.repetitions):
        for name, port in ports.items():
            requests = [next(contents[name]) for _ in range(scale.CURRENT.callbacks)]
            volley = executor.submit(fire, port, requests).result(120)
            sent += 0 if name == "floor" else len(requests)
            messages = brokers.drain()
            if repetition >= 0:
                volleys[name].append(volley)
                enqueued += messages
        if repetition < 0:
            time.sleep(REST)
    if WebhookEvent.objects.count() != sent:
        raise RuntimeError(f"{sent} were sent, {WebhookEvent.objects.count()} are stored")
    return volleys, enqueued / (scale.CURRENT.repetitions * scale.CURRENT.callbacks)


def _requests() -> dict[str, Iterator[bytes]]:
    conversation = active_conversations(1)[0]
    token = tokens.make_callback_token(conversation)
    ours = reverse("django_tavus:callback", kwargs={"token": token})
    paths = {"floor": f"/floor/{conversation.pk}/", "no broker": ours, "Redis": ours}
    bodies = callbacks(conversation)
    return {name: map(post, itertools.repeat(path), bodies) for name, path in paths.items()}


def _tell(volleys: dict[str, list[Volley]], enqueued: float) -> None:
    shares = {"floor": "", "no broker": "0%", "Redis": f"{enqueued:.0%}"}
    rows = []
    for name, own in volleys.items():
        ratios = [a.rate / b.rate for a, b in zip(own, volleys["floor"], strict=True)]
        latencies = [1000 * seconds for volley in own for seconds in volley.latencies]
        rows.append(
            (
                name,
                told([volley.rate for volley in own]),
                told(ratios, ".2f"),
                verdict(median(ratios), WANTED[name]) if name != "floor" else "",
                f"{percentile(latencies, 50):.1f} / {percentile(latencies, 99):.1f}",
                shares[name],
            )
        )
    size = f"{scale.CURRENT.repetitions} x {scale.CURRENT.callbacks}"
    columns = ("contender", "callbacks/s", "of the floor", "wanted", "p50 / p99 ms", "enqueued")
    table(f"Callbacks, 1.5 kB, {size}: median (least-greatest)", columns, rows)
