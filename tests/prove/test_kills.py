from __future__ import annotations

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from django_tavus.models.choices import ConversationStatus
from django_tavus.sandbox import Sandbox
from tests.prove.harness import Site, chance
from tests.prove.processes import Child
from tests.prove.scale import SCALE, sizes

pytestmark = pytest.mark.services


def kill_at_work(site: Site, worker: Child) -> bool:
    """``kill -9`` the worker, unless it is at the second attempt of a launch.

    A launch has two attempts. A second crash of the same one leaves no third, and the row is
    ``failed`` / ``outcome_unknown`` by contract: that is another proof. Only a stopped process
    can be looked at without it going on meanwhile.
    """
    worker.signal(signal.SIGSTOP)
    last = site.rows.filter(status=ConversationStatus.LAUNCHING, attempts__gt=1)
    if last.exists():
        worker.signal(signal.SIGCONT)
        return False
    worker.kill()
    return True


@pytest.mark.parametrize("broker", ["redis", "rabbitmq", "filesystem"])
def test_a_killed_worker_neither_loses_nor_doubles_a_launch(
    broker: str, make_site: Callable[..., Site]
) -> None:
    size = sizes("kills")
    random = chance("kills", broker)
    # Half of the callbacks are lost, so that rooms are adopted in every way there is.
    sandbox = Sandbox(seed=None, drop=0.5)
    sandbox.faults.add("slow:0.3", "POST", "/conversations", times=None)
    site = make_site(
        broker=broker,
        sandbox=sandbox,
        tavus={"RECONCILE_AFTER": size["reconcile_after"]},
    )
    site.start_web()
    site.start_beat()
    kills = in_flight = 0
    with ThreadPoolExecutor(1) as background:
        launched = background.submit(site.launch_all, size["launches"])
        while kills < size["kills"]:
            worker = site.start_worker(random.choice(["prefork", "threads"]))
            worker.wait_for_line(" ready.")
            time.sleep(random.uniform(0, 1))
            while not kill_at_work(site, worker):
                time.sleep(random.uniform(0, 0.2))
            kills += 1
            in_flight += site.rows.filter(attempts=1, error_code="", tavus_id=None).exists()
            if launched.done() and not site.rows.filter(attempts=0).exists():
                break
        site.start_worker()
        answers = launched.result()
    assert {answer.status for answer in answers} == {202}
    site.wait_until_settled(size["patience"])
    orphans = site.assert_launched_exactly_once(size["launches"])
    assert orphans == 0, "a room was made twice for one launch, though ended again"
    again = site.rows.filter(attempts__gt=1).count()
    assert in_flight, "no kill met a launch at work"
    site.wait_until_settled(size["patience"])  # one more callback may have come meanwhile
    print(
        f"\nproof 1 {broker} ({SCALE}): {size['launches']} launches, {kills} kills "
        f"({in_flight} with launches in flight, {again} attempted again) -> "
        f"{len(site.remote_active())} remote, {len(site.local_active())} active, "
        f"{orphans} doubled, {site.unsettled()} stuck"
    )
