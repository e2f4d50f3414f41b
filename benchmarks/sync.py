"""How fast a sync is, how many statements it costs and how much memory it takes.

    TEST_DATABASE=postgresql SCALE=full python benchmarks/sync.py

Two measurements, both in one run on an empty test database:

- the whole sync of every kind over HTTP from a sandbox in a process of its own, twice (the second
  without changes), with statements and peak memory;
- for each kind, from decoded pages to committed rows: ours beside the floor, a bare
  ``bulk_create(update_conflicts=True)`` of the same rows, interleaved.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

django.setup()  # before any model is imported

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from django_tavus.models import Conversation, Document, Persona, Replica  # noqa: E402
from django_tavus.sandbox import Sandbox  # noqa: E402
from django_tavus.sandbox.server import SandboxServer  # noqa: E402
from django_tavus.services import importing, mirroring, syncing, upserting  # noqa: E402
from django_tavus.services.editable import DOCUMENT, PERSONA, REPLICA, Editable  # noqa: E402
from django_tavus.services.reports import SyncReport  # noqa: E402

SIZES = {
    "small": {"replicas": 500, "documents": 200, "personas": 500, "conversations": 500},
    "full": {"replicas": 5000, "documents": 2000, "personas": 5000, "conversations": 5000},
}
PAGE = 100
REPETITIONS = int(os.environ.get("REPETITIONS", "9"))
PROMPT = "You are a patient interview coach who asks one question at a time. " * 20

Bodies = list[dict[str, Any]]


# --- what is synced -----------------------------------------------------------------------------


def seed(sandbox: Sandbox, sizes: dict[str, int]) -> None:
    """Fill an account."""
    for n in range(sizes["replicas"]):
        sandbox.add_replica(replica_id=f"r{n:06}", replica_name=f"Replica {n}")
    for n in range(sizes["documents"]):
        sandbox.add_document(
            document_id=f"d{n:06}",
            document_name=f"Document {n}",
            document_url=f"https://docs.example.com/{n}.pdf",
            tags=["manual"],
        )
    for n in range(sizes["personas"]):
        sandbox.add_persona(**persona(n, sizes))
    for n in range(sizes["conversations"]):
        body = {
            "persona_id": f"p{n % sizes['personas']:06}",
            "replica_id": f"r{n % sizes['replicas']:06}",
            "test_mode": True,
            "conversation_name": f"Conversation {n}",
        }
        sandbox.engine.conversations.create(body, rooms="https://tavus.daily.co")


def persona(n: int, sizes: dict[str, int]) -> dict[str, Any]:
    """Return a persona as accounts have them: a prompt of a page, some layers, a document."""
    return {
        "persona_id": f"p{n:06}",
        "persona_name": f"Persona {n}",
        "system_prompt": f"{PROMPT}{n}",
        "default_replica_id": f"r{n % sizes['replicas']:06}",
        "document_ids": [f"d{n % sizes['documents']:06}"],
        "layers": {
            "llm": {"model": "tavus-gpt-oss", "speculative_inference": True, "tools": []},
            "tts": {"tts_engine": "cartesia", "tts_emotion_control": True},
            "stt": {"stt_engine": "tavus-auto", "hotwords": "Tavus, Django"},
            "perception": {"perception_model": "raven-1"},
        },
    }


def serve(ready: Any, sizes: dict[str, int]) -> None:
    """Be the sandbox, in a process of its own."""
    sandbox = Sandbox(seed=0)
    seed(sandbox, sizes)
    with SandboxServer(sandbox, port=0) as server:
        ready.send(server.url)
        ready.recv()


@contextlib.contextmanager
def account(sizes: dict[str, int]) -> Iterator[str]:
    """Run the sandbox and yield its base URL."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=serve, args=(theirs, sizes), daemon=True)
    process.start()
    yield ours.recv()
    ours.send("done")
    process.join(10)


# --- whole sync ---------------------------------------------------------------------------------


class Count:
    """Counts statements, but for those that begin and end transactions."""

    number = 0

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        self.number += not sql.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
        return execute(sql, *rest)


def resident() -> float:
    """Return this process's resident memory in MB."""
    with Path("/proc/self/status").open() as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def whole_sync(title: str, sizes: dict[str, int]) -> None:
    """Sync everything over HTTP once and print it."""
    gc.collect()
    idle = peak = resident()

    def watch(_seen: int, _total: int | None) -> None:
        nonlocal peak
        peak = max(peak, resident())

    for kind in sizes:
        count, begun = Count(), time.perf_counter()
        with connection.execute_wrapper(count):
            report = syncing.sync_objects(kind, progress=watch)
        seconds = time.perf_counter() - begun
        assert report.is_complete, report
        pages = -(-report.stored // PAGE)
        print(
            f"  {title:9} {kind:13} {report.stored:5} objects, {report.written:5} written, "
            f"{seconds:6.2f} s, {report.stored / seconds:7.0f}/s, "
            f"{count.number / pages:.2f} statements a page"
        )
    peak = max(peak, resident())
    print(f"  {title:9} memory: idle {idle:.0f} MB, peak +{peak - idle:.1f} MB")


# --- ours and the floor -------------------------------------------------------------------------


def bodies(kind: str, sizes: dict[str, int]) -> Bodies:
    """Return the decoded rows of a list, as the client gives them."""
    sandbox = Sandbox(seed=0)
    sandbox.engine.replicas.clear()
    seed(sandbox, sizes)
    engine = sandbox.engine
    if kind == "personas":
        return [engine.personas.detail(row) for row in engine.personas.owned_by("user")]
    if kind == "replicas":
        return [engine.replicas.row(row) for row in engine.replicas.owned_by(None)]
    if kind == "documents":
        return [engine.documents.detail(row) for row in engine.documents.owned_by(None)]
    return [engine.conversations.row(row) for row in engine.conversations.values()]


MODELS: dict[str, tuple[type[Any], Editable | None]] = {
    "replicas": (Replica, REPLICA),
    "documents": (Document, DOCUMENT),
    "personas": (Persona, PERSONA),
    "conversations": (Conversation, None),
}


def pages(rows: list[Any]) -> list[list[Any]]:
    """Cut rows into pages."""
    return [rows[start : start + PAGE] for start in range(0, len(rows), PAGE)]


def ours(kind: str, decoded: Bodies) -> Callable[[], None]:
    """Return our way from decoded pages to rows."""
    mirrored = MODELS[kind][1]

    def run() -> None:
        report = SyncReport()
        for page in pages(decoded):
            if mirrored:
                mirroring.store_page(mirrored, page, report)
            else:
                importing.store_page(page, report)
        assert report.stored == len(decoded), report

    return run


def floor(model: type[Any], rows: list[Any]) -> Callable[[], None]:
    """Return the bare upsert of the same rows, made beforehand."""
    keep = {"id", "tavus_id", "created_at"}
    columns = [f.name for f in model._meta.concrete_fields if f.name not in keep]

    def run() -> None:
        for page in pages(rows):
            model.objects.bulk_create(
                page,
                update_conflicts=True,
                update_fields=columns,
                unique_fields=upserting.conflict_target(model),
            )

    return run


def copies(model: type[Any]) -> list[Any]:
    """Return the rows that a sync made, as new ones."""
    rows = list(model.objects.order_by("tavus_id"))
    for row in rows:
        if model is not Conversation:
            row.pk = None
        row._state.adding = True  # noqa: SLF001
    return rows


def empty(model: type[Model]) -> None:
    """Remove the rows of a kind, outside the measurement."""
    if model is Persona:
        Persona.documents.through.objects.all().delete()
    model._default_manager.all()._raw_delete(connection.alias)  # type: ignore[attr-defined]  # noqa: SLF001
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'VACUUM ANALYZE "{model._meta.db_table}"')


def timed(run: Callable[[], None]) -> float:
    """Return the seconds that one run takes, the garbage of others swept away before."""
    gc.collect()
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def compare(kind: str, sizes: dict[str, int]) -> None:
    """Measure ours and the floor in turns and print both."""
    model = MODELS[kind][0]
    decoded = bodies(kind, sizes)
    empty(model)
    ours(kind, decoded)()  # also makes what relations point to, and warms everything up
    rows = copies(model)
    times: dict[str, list[float]] = {"ours": [], "floor": [], "unchanged": []}
    for _ in range(REPETITIONS):
        empty(model)
        for row in rows:
            row.pk = row.pk if model is Conversation else None
        times["floor"].append(timed(floor(model, rows)))
        empty(model)
        times["ours"].append(timed(ours(kind, decoded)))
        times["unchanged"].append(timed(ours(kind, decoded)))
    ratios = [f / o for f, o in zip(times["floor"], times["ours"], strict=True)]
    print(f"  {kind} ({len(decoded)} rows, {REPETITIONS} repetitions)")
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        print(
            f"    {name:9} median {middle:7.3f} s ({min(seconds):.3f} to {max(seconds):.3f}), "
            f"{len(decoded) / middle:8.0f} rows/s"
        )
    print(
        f"    ours / floor in speed: median {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


def main() -> None:
    """Run both measurements."""
    scale = os.environ.get("SCALE", "small")
    sizes = SIZES[scale]
    config = setup_databases(verbosity=0, interactive=False)
    try:
        print(f"SCALE={scale}, {connection.vendor}, page {PAGE}")
        print("Whole sync over HTTP")
        with account(sizes) as url:
            settings.TAVUS = {**settings.TAVUS, "API_KEY": "sandbox", "BASE_URL": f"{url}/v2"}
            whole_sync("first", sizes)
            whole_sync("unchanged", sizes)
        for model in (Conversation, Persona, Document, Replica):
            empty(model)
        print("From decoded page to committed rows")
        for kind in sizes:
            compare(kind, sizes)
    finally:
        teardown_databases(config, verbosity=0)


if __name__ == "__main__":
    main()
