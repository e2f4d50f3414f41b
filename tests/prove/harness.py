"""A whole deployment for a proof: a database, a broker, Tavus, a site, beat and workers.

Everything but Tavus runs in processes of its own, as a host would start them, each in a process
group that can be killed. The sandbox runs in a thread of the test, so that a proof can look at
what Tavus really has.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import redis
import requests
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db.models import Q

from django_tavus.models import Conversation, OutboxEntry, Persona, Replica, WebhookEvent
from django_tavus.models.choices import ConversationStatus, EventStatus, SyncState
from django_tavus.models.conversation import ConversationQuerySet
from django_tavus.sandbox import Sandbox
from django_tavus.sandbox.server import SandboxServer
from django_tavus.services import tokens
from tests.prove.processes import ROOT, Child, wait_for
from tests.prove.proxy import Proxy, free_port
from tests.prove.scale import sizes
from tests.prove.servers import (
    ALIAS,
    BROKER_URLS,
    Broker,
    address,
    database_alias,
    fresh_database,
    make_broker,
    messenger,
)

PERSONA = "pcb7a34da5fe"  # of the sandbox's stock, with a default replica
REPLICA = "r90bbd427f71"
USERS = 8  # each may have 50 launches waiting
PASSWORD = "only-for-tests"
TAVUS = {
    "API_KEY": "prove",
    "API_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
    "TIMEOUT": [1, 2],
    "RECONCILE_AFTER": 2,
    # Nobody joins most of these rooms; they must not end before the proof has counted them.
    "CONVERSATION_DEFAULTS": {"properties": {"participant_absent_timeout": 3600}},
}


@dataclass
class Answer:
    """What the site said to one request, and after how many seconds."""

    status: int
    seconds: float
    at: float
    body: Any = None


class Site:
    """The deployment; a context manager that takes everything down in the end.

    ``broker`` and ``database`` are kinds; ``through`` names those of the two that are reached
    through a `Proxy` (``broker_proxy``, ``database_proxy``).
    """

    def __init__(
        self,
        folder: Path,
        *,
        broker: str,
        database: str = "postgresql",
        sandbox: Sandbox,
        tavus: Mapping[str, Any] | None = None,
        through: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.port = free_port()
        self.children: list[Child] = []
        self.proxies: dict[str, Proxy] = {}
        self._kinds = {"broker": broker, "database": database}
        self._through = through
        self._tavus = {**TAVUS, **(tavus or {})}
        self._environment: dict[str, str] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(SandboxServer(self.sandbox))
            for name in self._through:
                proxy = Proxy(*address(self._kinds[name]))
                self.proxies[name] = stack.enter_context(proxy)
            database = stack.enter_context(fresh_database(self._kinds["database"]))
            stack.enter_context(database_alias(database))
            ports = {name: proxy.port for name, proxy in self.proxies.items()}
            broker = make_broker(self._kinds["broker"], self.folder, ports.get("broker"))
            stack.callback(broker.clean_up)
            self.messenger = stack.enter_context(messenger(broker))
            stack.callback(self._kill_all)
            self._environment = self._describe(database, broker)
            self.run("django", "migrate", "--verbosity", "0", "--skip-checks")
            if "database" in ports:
                through = {**database, "HOST": "127.0.0.1", "PORT": ports["database"]}
                self._environment = self._describe(through, broker)
            self._populate()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _describe(self, database: dict[str, Any], broker: Broker) -> dict[str, str]:
        given = {
            "database": database,
            "broker_url": broker.url,
            "broker_options": broker.options,
            "queue": broker.queue,
            "beat_seconds": sizes("beat")["seconds"],
            "tavus": {
                **self._tavus,
                "BASE_URL": self.sandbox.base_url,
                "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            },
        }
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.prove.settings",
            "PYTHONPATH": str(ROOT / "example_project"),
            "PYTHONUNBUFFERED": "1",
            "PROVE": json.dumps(given),
        }

    def _populate(self) -> None:
        synced = {"sync_state": SyncState.IN_SYNC}
        replica = Replica.objects.using(ALIAS).create(
            tavus_id=REPLICA, replica_name="Anna", status="ready", **synced
        )
        Persona.objects.using(ALIAS).create(
            tavus_id=PERSONA, persona_name="Sales Coach", default_replica=replica, **synced
        )
        password = make_password(PASSWORD)
        users = get_user_model()._default_manager.using(ALIAS)
        for number in range(USERS):
            users.create(username=f"user{number}", password=password)

    # --- processes

    def run(self, *arguments: str) -> None:
        """Run a command of this deployment to its end."""
        subprocess.run(
            [sys.executable, "-m", *arguments], cwd=ROOT, env=self._environment, check=True
        )

    def start(self, name: str, *arguments: str) -> Child:
        """Start a process of this deployment."""
        log = self.folder / f"{len(self.children):02d}-{name}.log"
        child = Child(name, list(arguments), self._environment, log)
        self.children.append(child)
        return child

    def start_web(self) -> None:
        """Start the site (`web`) and wait until it answers."""
        web = self.web = self.start(
            "web",
            *("gunicorn", "tests.prove.wsgi:application", "--bind", f"127.0.0.1:{self.port}"),
            *("--workers", "2", "--threads", "4", "--no-control-socket"),
        )
        with requests.Session() as session:
            session.trust_env = False

            def answers() -> bool:
                assert web.process.poll() is None, web.tail()
                with contextlib.suppress(requests.ConnectionError):
                    return session.get(f"{self.url}/tavus/callbacks/x/").status_code == 405
                return False

            wait_for("the site up", answers, 60)

    def start_beat(self) -> Child:
        """Start beat."""
        schedule = str(self.folder / "schedule")
        return self.start(
            "beat",
            *("celery", "-A", "tests.prove.app", "beat", "-s", schedule, "--loglevel", "INFO"),
        )

    def start_worker(self, pool: str = "prefork", concurrency: int = 4) -> Child:
        """Start a worker; it is not ready yet."""
        number = len(self.children)
        return self.start(
            "worker",
            *("celery", "-A", "tests.prove.app", "worker", "--loglevel", "INFO"),
            *("--pool", pool, "--concurrency", str(concurrency), "--hostname", f"w{number}@prove"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        )

    def _kill_all(self) -> None:
        for child in self.children:
            child.kill()

    # --- what a client does

    @property
    def url(self) -> str:
        """Origin of the site."""
        return f"http://127.0.0.1:{self.port}"

    def post(self, url: str, body: Any, user: int | None = None) -> Answer:
        """POST JSON to the site, as a user or as Tavus; never raises for an answer."""
        auth = None if user is None else (f"user{user % USERS}", PASSWORD)
        with requests.Session() as session:
            session.trust_env = False
            begun = time.monotonic()
            response = session.post(url, json=body, auth=auth, timeout=30)
            seconds = time.monotonic() - begun
        body = response.json() if response.ok and response.content else None
        return Answer(response.status_code, seconds, begun, body)

    def launch(self, number: int) -> Answer:
        """Launch a conversation over REST."""
        body = {"persona_id": PERSONA, "reference": f"launch:{number}"}
        return self.post(f"{self.url}/tavus/api/conversations/", body, user=number)

    def launch_all(self, count: int, threads: int = 8) -> list[Answer]:
        """Launch ``count`` conversations at once, as far as there are ``threads``."""
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(self.launch, range(count)))

    def queue_launches(self, count: int, owner: int) -> None:
        """Store launches of one user all at once, and send no messages for them."""
        user = get_user_model()._default_manager.using(ALIAS).get(username=f"user{owner}")
        persona = Persona.objects.using(ALIAS).get(tavus_id=PERSONA)
        self.rows.bulk_create(Conversation(owner=user, persona=persona) for _ in range(count))

    def crowd(self, first: int, shuffle: Callable[[list[Any]], None]) -> None:
        """Send the messages of the ``first`` waiting launches again, as brokers may.

        Only while few messages wait (Redis): workers stay busy with these, and not behind them.
        """
        with redis.Redis.from_url(BROKER_URLS["redis"]) as server:
            if server.llen(self.messenger.conf.task_default_queue) > 2 * first:
                return
        waiting = list(self.rows.queue().values_list("pk", flat=True)[:first])
        shuffle(waiting)
        for pk in waiting:
            self.messenger.send_task(
                "django_tavus.launch_conversation", args=(str(pk),), ignore_result=True
            )

    # --- what there is

    @property
    def rows(self) -> ConversationQuerySet:
        """The conversations in the site's database."""
        return Conversation.objects.using(ALIAS)

    def user_number(self, pk: Any) -> int:
        """Which user of the deployment has the primary key ``pk``."""
        users = get_user_model()._default_manager.using(ALIAS)
        return int(users.get(pk=pk).get_username().removeprefix("user"))

    def unsettled(self) -> int:
        """How many intents are not carried out: launches, ends, events."""
        states = (ConversationStatus.QUEUED, ConversationStatus.LAUNCHING)
        wished = Q(end_requested_at__isnull=False, status=ConversationStatus.ACTIVE)
        rows = self.rows.filter(Q(status__in=states) | Q(end_owed=True) | wished)
        return rows.count() + self.events_waiting()

    def events_waiting(self) -> int:
        """How many stored events have had no effect yet."""
        waiting = (EventStatus.RECEIVED, EventStatus.FAILED)
        return WebhookEvent.objects.using(ALIAS).filter(status__in=waiting).count()

    def wait_until_settled(self, seconds: float) -> None:
        """Wait until every stored intent is carried out, and nothing runs that should not."""

        def settled() -> bool:
            return not self.unsettled() and self.remote_active() == self.local_active()

        deadline = time.monotonic() + seconds
        while not settled():
            assert time.monotonic() < deadline, f"after {seconds} s: {self.describe()}"
            time.sleep(0.2)

    def local_active(self) -> set[str | None]:
        """Tavus ids of the rooms that the site believes to be open."""
        return set(self.rows.active().values_list("tavus_id", flat=True))

    def rooms(self) -> list[Any]:
        """Every room that was ever made at Tavus."""
        with self.sandbox.lock:
            self.sandbox.tick()
            return list(self.sandbox.engine.conversations.values())

    def remote_active(self) -> set[str]:
        """Ids of the rooms that cost money at this moment."""
        return {room.id for room in self.rooms() if room.is_active}

    def describe(self) -> str:
        """The state of both sides in one line, for a failure."""
        states = Counter(self.rows.order_by().values_list("status", "error_code", "attempts"))
        orphans = len(self.remote_active() - self.local_active())
        return (
            f"local {dict(states)}, {self.events_waiting()} events waiting, remote "
            f"{len(self.remote_active())} active of {len(self.rooms())}, {orphans} unknown here"
        )

    def assert_launched_exactly_once(self, count: int) -> int:
        """Check the promise for ``count`` launches; returns how many orphans were ended.

        Every row is active, with a room of its own that is active too; no other room is; and
        every other room that was ever made was ended again.
        """
        found = list(self.rows.values_list("pk", "status", "tavus_id"))
        assert Counter(status for _, status, _ in found) == {"active": count}, self.describe()
        by_room = {tavus_id: pk for pk, _, tavus_id in found}
        assert len(by_room) == count, "two rows share a room"
        rooms = self.rooms()
        assert {room.id for room in rooms if room.is_active} == set(by_room)
        for room in rooms:
            subject = tokens.subject_of_url(room.callback_url)
            assert subject is not None
            if room.is_active:
                assert subject == ("conversation", by_room[room.id])
        orphans = [room for room in rooms if room.id not in by_room]
        assert len(rooms) - len(orphans) == count
        announced = OutboxEntry.objects.using(ALIAS).filter(signal="conversation_launched")
        assert Counter(announced.values_list("conversation_id", flat=True)) == Counter(
            by_room.values()
        ), "a launch was announced twice, or never"
        return len(orphans)


def chance(*what: object) -> random.Random:
    """Random numbers that are the same in every run of the same proof."""
    return random.Random(repr((os.environ.get("PROVE_SEED", "0"), *what)))
