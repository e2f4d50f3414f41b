"""Events processed a second by one process, beside transactions written by hand.

Both process the recorded events of whole calls, in turns, one event after the other. What the
hand-written one does in SQL is what the service does: the claim, the effect, the outbox rows in
the same transaction, the marks after it. That both leave the same rows is compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.dispatch import Signal

from benchmarks import by_hand, scale
from benchmarks.bodies import whole_call
from benchmarks.figures import table, told, verdict
from benchmarks.rows import active_conversations
from django_tavus import signals
from django_tavus.models import Conversation
from django_tavus.services import events
from django_tavus.services.tokens import Subject

WANTED = 0.6
CONTENDERS: dict[str, Callable[[int], None]] = {
    "by hand": by_hand.process,
    "django_tavus": events.process,
}


def run() -> None:
    """Measure without receivers of signals and with one on each, and print."""
    rows = _rows("no receivers")
    heard: list[object] = []

    def receiver(sender: object, **arguments: Any) -> None:
        heard.append(arguments["conversation"].pk)

    own = [signal for signal in vars(signals).values() if isinstance(signal, Signal)]
    for signal in own:
        signal.connect(receiver)
    rows += _rows("one receiver for each")
    if len(heard) % 2 or not heard:
        raise RuntimeError("The contenders did not announce the same.")
    size = f"{scale.CURRENT.repetitions} x {scale.CURRENT.conversations} calls of 7 events"
    columns = ("contender", "signals", "events/s", "of by hand", "wanted")
    table(f"Processing, {size}: median (least-greatest)", columns, rows)


def _rows(signals_heard: str) -> list[tuple[str, ...]]:
    rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for repetition in range(scale.CURRENT.repetitions + 1):
        outcomes = []
        for name, process in CONTENDERS.items():
            rate, conversation = _measure(process)
            outcomes.append(_outcome(conversation))
            if repetition:  # the first one only warms up
                rates[name].append(rate)
        if outcomes[0] != outcomes[1]:
            raise RuntimeError(f"The contenders did not do the same: {outcomes}")
    ratios = [a / b for a, b in zip(rates["django_tavus"], rates["by hand"], strict=True)]
    return [
        ("by hand", signals_heard, told(rates["by hand"]), "", ""),
        (
            "django_tavus",
            signals_heard,
            told(rates["django_tavus"]),
            told(ratios, ".2f"),
            verdict(median(ratios), WANTED),
        ),
    ]


def _measure(process: Callable[[int], None]) -> tuple[float, Conversation]:
    conversations = active_conversations(scale.CURRENT.conversations)
    pks = [
        events.record(Subject("conversation", conversation.pk), body).pk
        for conversation in conversations
        for body in whole_call(conversation)
    ]
    begun = time.perf_counter()
    for pk in pks:
        process(pk)
    return len(pks) / (time.perf_counter() - begun), conversations[-1]


def _outcome(conversation: Conversation) -> dict[str, Any]:
    """What is the same for every call, however it was processed."""
    row = Conversation.objects.get(pk=conversation.pk)
    return {
        "status": row.status,
        "shutdown_reason": row.shutdown_reason,
        "shutdown_seen": row.shutdown_seen,
        "end_owed": row.end_owed,
        "turns": row.turns,
        "dated": [bool(row.joined_at), bool(row.ended_at), bool(row.next_check_at)],
        "heard": bool(row.heard_at),
        "analysis": len(row.perception_analysis.split()),
        "utterances": list(row.utterances.order_by("position").values_list("role", flat=True)),
        "recordings": row.recordings.count(),
        "events": list(row.events.order_by("pk").values_list("status", "attempts", "error")),
        "processed": row.events.filter(processed_at__isnull=False).count(),
        "outbox": sorted(row.outbox_entries.values_list("signal", "event__event_type", "error")),
        "sent": row.outbox_entries.filter(sent_at__isnull=False).count(),
    }
