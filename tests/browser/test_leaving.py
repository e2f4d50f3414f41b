"""Closing and reloading, with a real Celery worker and beat: nothing is called by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from django_tavus.models import Conversation
from django_tavus.services import enqueue
from django_tavus.testing import make_conversation
from tests.browser.steps import SPOKEN, converse, join, launch, now, room_url, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parent.parent.parent
GONE_WITHIN = 30  # seconds from closing the tab to the end of what is paid for
DATABASE_KEYS = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


class NoBroker:
    """The site's messages are lost: whatever happens, beat and the sweep have seen to it."""

    def publish(self, message: object) -> None:
        pass


@pytest.fixture
def beat(
    admin_page: Page, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[subprocess.Popen[bytes]]:
    """``celery worker --beat`` in a process of its own, on the database of the site."""
    monkeypatch.setattr(enqueue, "_publisher", NoBroker)
    database = {key: connection.settings_dict[key] for key in DATABASE_KEYS}
    site = {"database": database, "tavus": settings.TAVUS, "broker": str(tmp_path)}
    environment = {
        **os.environ,
        "BROWSER_SITE": json.dumps(site, default=str),
        "DJANGO_SETTINGS_MODULE": "tests.browser.worker_settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "example_project")]),
    }
    command = ["-m", "celery", "-A", "example", "worker", "--beat", "-P", "solo", "-l", "WARNING"]
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, *command], env=environment, cwd=tmp_path, stdout=log, stderr=log
        )
        try:
            yield worker
        finally:
            assert worker.poll() is None, (tmp_path / "worker.log").read_text()
            worker.terminate()
            worker.wait(20)


@pytest.fixture
def call(beat: object, admin_page: Page) -> Conversation:
    """A running call of whoever is signed in, launched by that worker."""
    conversation = launch()
    wait_for(admin_page, lambda: now(conversation).is_joinable, seconds=45)
    return conversation


def is_over(conversation: Conversation) -> bool:
    return now(conversation).status == "ended"


def test_closing_the_tab_ends_the_call_within_half_a_minute(
    admin_page: Page, site: str, call: Conversation
) -> None:
    tab = admin_page.context.new_page()
    tab.goto(room_url(site, call))
    converse(join(tab))
    closed = time.monotonic()
    tab.close()
    wait_for(admin_page, lambda: is_over(call), seconds=GONE_WITHIN)
    print(f"ended {time.monotonic() - closed:.1f} s after its tab was closed")
    assert now(call).left_at is not None


def test_closing_the_tab_in_the_queue_gives_up_the_place_unpaid(
    admin_page: Page, site: str, beat: object, django_user_model: Any
) -> None:
    later = timezone.now() + timedelta(hours=1)
    owner = django_user_model.objects.get()
    waiting = make_conversation(status="queued", tavus_id=None, owner=owner, not_before=later)
    tab = admin_page.context.new_page()
    tab.goto(room_url(site, waiting))
    expect(tab.get_by_role("heading", name="You are in the queue")).to_be_visible()
    tab.close()
    wait_for(admin_page, lambda: is_over(waiting), seconds=GONE_WITHIN)
    assert now(waiting).tavus_id is None


def test_reloading_the_page_keeps_the_call(admin_page: Page, site: str, call: Conversation) -> None:
    admin_page.goto(room_url(site, call))
    converse(join(admin_page))
    admin_page.reload()
    frame = join(admin_page)
    wait_for(admin_page, lambda: now(call).left_at)
    admin_page.wait_for_timeout(GONE_WITHIN * 1000)  # the sweep has looked several times
    assert now(call).status == "active"
    assert now(call).end_requested_at is None
    expect(frame.get_by_role("log")).to_contain_text(SPOKEN)
