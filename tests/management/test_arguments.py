from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_tavus.management.commands import tavus_sandbox
from django_tavus.models import Utterance, WebhookEvent
from django_tavus.models.choices import EventStatus
from django_tavus.sandbox.engine.pacing import PACES
from django_tavus.services import retention
from django_tavus.testing import make_conversation

# As from a terminal, but in a process in which one package cannot be found.
WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if f"{{name}}.".startswith("{package}."):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *{argv!r}])
"""


def said_long_ago(days: int) -> None:
    at = timezone.now() - timedelta(days=days)
    row = make_conversation(status="ended", launched_at=at, ended_at=at)
    Utterance.objects.create(conversation=row, position=0, role="user", content="secret")


@pytest.mark.django_db
@pytest.mark.parametrize("days", ["0", "-1", "-400", "1.5", "soon"])
def test_an_age_below_a_day_prunes_nothing(settings: Any, days: str) -> None:
    settings.TAVUS = {**settings.TAVUS, "RETENTION_DAYS": 30}
    said_long_ago(40)
    with pytest.raises(CommandError, match="--older-than"):
        call_command("tavus_prune", f"--older-than={days}", stdout=io.StringIO())
    assert Utterance.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("days", [0, -1])
def test_nor_does_one_that_passed_by_the_command_line(settings: Any, days: int) -> None:
    """A worker starts with settings that no check would let through."""
    said_long_ago(40)
    with pytest.raises(ValueError, match="1 or more"):
        call_command("tavus_prune", days=days, stdout=io.StringIO())
    settings.TAVUS = {**settings.TAVUS, "RETENTION_DAYS": days}
    with pytest.raises(ValueError, match="1 or more"):
        retention.prune()
    assert Utterance.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_age_of_the_command_line_comes_before_the_setting(settings: Any) -> None:
    settings.TAVUS = {**settings.TAVUS, "RETENTION_DAYS": 30}
    said_long_ago(20)
    call_command("tavus_prune", stdout=io.StringIO())
    assert Utterance.objects.count() == 1
    call_command("tavus_prune", "--older-than", "1", stdout=io.StringIO())
    assert Utterance.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf"])
def test_a_senseless_number_of_hours_replays_nothing(hours: str) -> None:
    row = make_conversation(status="ended")
    WebhookEvent.objects.create(dedupe_key="k", conversation=row, status=EventStatus.FAILED)
    with pytest.raises(CommandError, match="--hours"):
        call_command("tavus_replay_events", f"--hours={hours}", stdout=io.StringIO())
    assert WebhookEvent.objects.get().status == EventStatus.FAILED


def without(package: str, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(package=package, argv=argv)],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("options", [(), ("--pace", "realistic")])
def test_the_sandbox_without_its_extra_is_one_line(options: tuple[str, ...]) -> None:
    done = without("werkzeug", "tavus_sandbox", "--port", "0", *options)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert 'pip install "django-tavus[sandbox]"' in line


def test_the_paces_are_those_of_the_sandbox() -> None:
    assert set(tavus_sandbox.PACES) == set(PACES)


def test_what_else_is_missing_is_not_blamed_on_the_extra() -> None:
    done = without("django_tavus.sandbox.courier", "tavus_sandbox", "--port", "0")
    assert done.returncode == 1
    assert "pip install" not in done.stderr
    assert "django_tavus.sandbox.courier" in done.stderr
