"""Launches a second by one worker with 20 threads, Tavus answering after 300 ms.

The stub of Tavus runs in a process of its own. The clock runs from the first message until the
last conversation is active, so that the beginning and the end of each batch, where not all
threads are busy, count as well.
"""

from __future__ import annotations

import time
import uuid
from statistics import median

from benchmarks import brokers, scale
from benchmarks.figures import table, told, verdict
from benchmarks.rows import queued_conversations
from benchmarks.servers import cpu_seconds, free_port, running, wait_for
from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus
from django_tavus.services.enqueue import enqueue

LATENCY = 0.3
THREADS = 20
IDEAL = THREADS / LATENCY
WANTED = 0.7
WORKER = (
    "celery",
    "--quiet",
    "--app=benchmarks.celeryapp",
    "worker",
    "--pool=threads",
    f"--concurrency={THREADS}",
    "--loglevel=CRITICAL",
    "--without-gossip",
    "--without-mingle",
)


def run() -> None:
    """Measure and print."""
    port = free_port()
    with running("benchmarks.stub", str(port), str(LATENCY)) as stub:
        wait_for(port, stub)
        address = f"http://127.0.0.1:{port}/v2"
        with running(*WORKER, BENCHMARK_BROKER=brokers.REDIS, BENCHMARK_TAVUS=address) as worker:
            _launch(THREADS * 2)  # every thread has its connections
            batches = [_measure(worker.pid) for _ in range(scale.CURRENT.batches)]
    rates, costs = zip(*batches, strict=True)
    ratios = [rate / IDEAL for rate in rates]
    size = f"{scale.CURRENT.batches} x {scale.CURRENT.launches}"
    columns = ("launches/s", "ideal", "of the ideal", "wanted", "CPU ms per launch")
    row = (
        told(rates, ".1f"),
        f"{IDEAL:.1f}",
        told(ratios, ".2f"),
        verdict(median(ratios), WANTED),
        told(costs, ".1f"),
    )
    table(f"Launches, {size}: median (least-greatest)", columns, [row])


def _measure(worker: int) -> tuple[float, float]:
    """Return launches a second, and the worker's processor time for each in milliseconds."""
    used = cpu_seconds(worker)
    seconds = _launch(scale.CURRENT.launches)
    spent = cpu_seconds(worker) - used
    return scale.CURRENT.launches / seconds, 1000 * spent / scale.CURRENT.launches


def _launch(number: int) -> float:
    """Launch so many and return the seconds until all are active."""
    pks = [conversation.pk for conversation in queued_conversations(number)]
    begun = time.monotonic()
    for pk in pks:
        enqueue("launch_conversation", str(pk))
    _wait(pks, begun + 60 + number / 10)
    return time.monotonic() - begun


def _wait(pks: list[uuid.UUID], limit: float) -> None:
    own = Conversation.objects.filter(pk__in=pks)
    waiting = own.exclude(status=ConversationStatus.ACTIVE)
    while waiting.exists():
        if time.monotonic() > limit:
            raise RuntimeError(f"{waiting.count()} of {len(pks)} launches came to nothing")
        time.sleep(0.02)
