"""docs/openapi.yml against the running example, by all checks of schemathesis.

Everything is real: gunicorn, a database server, a worker with beat, the sandbox. A superuser, an
ordinary user and nobody send what the schema allows and what it forbids.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.test_openapi import GOLDEN, operations
from tests.prove.processes import ROOT
from tests.prove.scale import SCALE, sizes

pytestmark = pytest.mark.services

PHASES = "examples,coverage,fuzzing,stateful"
# user -> the database at small size; at full size everybody meets both.
USERS = {"demo": "postgresql", "visitor": "mariadb", "": "mariadb"}
SERVED = {"postgresql", "mariadb"}
PAIRS = [
    (user, database)
    for user, own in USERS.items()
    for database in sorted(SERVED if SCALE == "full" else {own})
]
# Schemathesis's own, and 412: an invented ETag is another version than the one there is.
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "412", "429"]
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "412", "415", "429"]
KEYS = {
    "conversations": "path.id",
    "personas": "path.key",
    "replicas": "path.key",
    "documents": "path.key",
}


def configuration(seeds: dict[str, Any]) -> str:
    """Keys that exist, most of the time; and what counts as accepted and as refused."""
    lines = [
        "[generation]",
        "deterministic = true",
        "[checks.positive_data_acceptance]",
        f"expected-statuses = {json.dumps(ACCEPTED)}",
        "[checks.negative_data_rejection]",
        f"expected-statuses = {json.dumps(REFUSED)}",
        # What may be changed depends on the row: a published document keeps its address, a
        # persona its prompt. No schema can say that, so that here a 400 is an answer too.
        "[[operations]]",
        'include-method = "PATCH"',
        "[operations.checks.positive_data_acceptance]",
        f"expected-statuses = {json.dumps([*ACCEPTED, '400'])}",
    ]
    for kind, key in KEYS.items():
        lines += [
            f"[dictionaries.{kind}]",
            f"values = {json.dumps(seeds[kind])}",
            "[[operations]]",
            f'include-path-regex = "/{kind}/.+"',
            f'parameters = {{ "{key}" = {{ dictionary = "{kind}", probability = 0.7 }} }}',
        ]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def site_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The example on one database at a time, started when it is first wanted."""
    from tests.api.fuzz.site import example_site  # needs the drivers of the databases

    running: dict[str, Any] = {}

    def find(database: str) -> Any:
        if database not in running:
            stop()
            context = example_site(tmp_path_factory.mktemp(database), database)
            running[database] = (context, context.__enter__())
        return running[database][1]

    def stop() -> None:
        for context, _site in running.values():
            context.__exit__(None, None, None)
        running.clear()

    yield find
    stop()


@pytest.mark.parametrize(("user", "database"), sorted(PAIRS, key=lambda pair: pair[1]))
def test_no_request_breaks_a_promise_of_the_schema(site_on, tmp_path, user, database):
    site = site_on(database)
    config, report = tmp_path / "schemathesis.toml", tmp_path / "report.json"
    config.write_text(configuration(site.seeds))
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.api.fuzz.hooks",
        "FUZZ_SEEDS": json.dumps(site.seeds),
        "FUZZ_USER": user,
    }
    examples = sizes("fuzzing")["examples"]
    options = ["--url", site.url, "--checks", "all", "--phases", PHASES, "--mode", "all"]
    options += ["--max-examples", str(examples), "--continue-on-failure", "--no-color"]
    options += ["--report", "json", "--report-json-path", str(report)]
    options += ["--request-timeout", "40"]
    done = subprocess.run(
        [*schemathesis(config), "run", str(GOLDEN), *options],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout[-1200:])
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    assert "Traceback" not in site.log.read_text(errors="replace")
    check_that_it_ran(json.loads(report.read_text()), user)


def schemathesis(config: Path) -> list[str]:
    return [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]


def check_that_it_ran(report: dict[str, Any], user: str) -> None:
    """A run that skipped an operation, or was never signed in, would have found nothing either."""
    told = report["operations"]
    assert told["tested"] == told["total"] == len(operations(yaml.safe_load(GOLDEN.read_text())))
    assert {name: phase["status"] for name, phase in report["phases"].items()} == dict.fromkeys(
        PHASES.split(","), "success"
    )
    accepted = {
        operation: sum(phase["accepted"] for phase in phases.values())
        for operation, phases in report["valid_rates"].items()
    }
    launched = accepted.get("POST /tavus/api/conversations/", 0)
    assert (launched > 0) is bool(user)
    assert (accepted.get("POST /tavus/api/personas/", 0) > 0) is (user == "demo")
