from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_tavus.models import CapacityLock, WebhookEvent
from django_tavus.services import diagnosing, examining
from django_tavus.services.diagnosing import findings
from django_tavus.testing import make_conversation, make_document

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(minutes=6)


@pytest.fixture(autouse=True)
def tavus(settings: Any) -> dict[str, Any]:
    settings.TAVUS = {"API_KEY": "k", "PUBLIC_URL": "https://a.example"}
    return settings.TAVUS


def codes() -> list[str]:
    return [finding.code for finding in findings()]


@pytest.fixture
def swept() -> None:
    CapacityLock.note_sweep(timezone.now())


def test_a_new_site_has_nothing_to_complain_of() -> None:
    assert CapacityLock.last_sweep() is None
    assert codes() == []


@pytest.mark.parametrize(
    ("ago", "expected"), [(timedelta(minutes=4, seconds=55), []), (LONG_AGO, ["no_sweep"])]
)
def test_a_sweep_is_missed_after_five_minutes(ago: timedelta, expected: list[str]) -> None:
    CapacityLock.note_sweep(timezone.now() - ago)
    assert codes() == expected


@pytest.mark.parametrize(
    ("ago", "told"),
    [(timedelta(minutes=7), "for 7 minutes"), (timedelta(hours=50), "for 50 hours")],
)
def test_it_is_told_how_long_none_has_run(ago: timedelta, told: str) -> None:
    CapacityLock.note_sweep(timezone.now() - ago)
    assert told in findings()[0].message
    assert "worker with beat" in findings()[0].remedy


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"status": "queued"}, ["no_sweep"]),
        ({"status": "active"}, ["no_sweep"]),
        ({"status": "ended"}, []),
        ({"status": "failed"}, []),
    ],
)
def test_no_sweep_ever_matters_once_a_conversation_waits(
    values: dict[str, str], expected: list[str]
) -> None:
    make_conversation(created_at=timezone.now() - LONG_AGO, **values)
    assert codes() == expected


def test_what_is_fresh_does_not_wait_yet() -> None:
    make_conversation(status="queued", created_at=timezone.now() - timedelta(minutes=4))
    assert codes() == []


@pytest.mark.parametrize(
    ("status", "expected"), [("received", ["no_sweep"]), ("processed", []), ("failed", [])]
)
def test_no_sweep_ever_matters_once_an_event_waits(status: str, expected: list[str]) -> None:
    WebhookEvent.objects.create(
        dedupe_key="k",
        conversation=make_conversation(status="ended"),
        status=status,
        received_at=timezone.now() - LONG_AGO,
    )
    assert codes() == expected


def refuse(minutes_ago: float, **values: Any) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    defaults = {"status": "failed", "error_code": "out_of_credits", "attempted_at": at}
    make_conversation(**{**defaults, "created_at": at, **values})


def launch(minutes_ago: float) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    make_conversation(status="ended", attempted_at=at, launched_at=at, created_at=at)


def test_a_refusal_for_want_of_credits_is_told(swept: None) -> None:
    launch(30)
    refuse(10)
    assert codes() == ["out_of_credits"]


def test_it_is_over_with_the_next_launch(swept: None) -> None:
    refuse(10)
    launch(5)
    assert codes() == []


def test_it_is_over_after_an_hour(swept: None) -> None:
    refuse(61)
    assert codes() == []


def test_one_that_was_queued_before_its_refusal_counts(swept: None) -> None:
    refuse(50, created_at=timezone.now() - timedelta(minutes=59))
    assert codes() == ["out_of_credits"]


def test_other_failures_are_not_about_credits(swept: None) -> None:
    refuse(10)
    refuse(5, error_code="tavus_rejected")
    assert codes() == ["out_of_credits"]
    refuse(1, status="queued", error_code="")
    assert codes() == ["out_of_credits"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://tavusapi.com/v2", []),
        ("https://eu.tavusapi.com/v2", []),
        ("https://eviltavusapi.com/v2", ["sandbox"]),
        ("http://127.0.0.1:8085/v2", ["sandbox"]),
        ("http://[broken", ["sandbox"]),
    ],
)
def test_only_tavus_is_tavus(swept: None, settings: Any, url: str, expected: list[str]) -> None:
    settings.TAVUS = {**settings.TAVUS, "BASE_URL": url}
    assert codes() == expected


def test_the_address_of_the_sandbox_is_shown_without_its_password(
    swept: None, settings: Any
) -> None:
    settings.TAVUS = {**settings.TAVUS, "BASE_URL": "http://me:hush@127.0.0.1:1/v2?token=hush"}
    assert "http://127.0.0.1:1/v2" in findings()[0].message
    assert "hush" not in findings()[0].message


def test_callbacks_that_cannot_come_are_told(swept: None, settings: Any) -> None:
    settings.TAVUS = {"API_KEY": "k"}
    assert codes() == ["no_public_url"]


def hear(source: str, hours_ago: float = 1, **values: Any) -> None:
    """Store an event about a conversation that was launched then."""
    at = timezone.now() - timedelta(hours=hours_ago)
    defaults = {"status": "ended", "attempts": 1, "attempted_at": at, "launched_at": at}
    row = make_conversation(**{**defaults, "created_at": at, **values})
    WebhookEvent.objects.create(
        dedupe_key=str(row.pk), conversation=row, source=source, status="processed", received_at=at
    )


def test_callbacks_that_never_come_are_told(swept: None) -> None:
    hear("reconcile", 23)
    hear("reconcile", 1)
    (finding,) = findings()
    assert (finding.code, finding.level) == ("callbacks_missing", diagnosing.Level.WARN)
    for word in ("PUBLIC_URL", "SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        assert word in finding.remedy


def test_the_doctor_tells_it_too(swept: None) -> None:
    hear("reconcile")
    assert [f.code for f in examining.callbacks_coming(timezone.now())] == ["callbacks_missing"]
    assert examining.callbacks_coming in examining.EXAMINATIONS


def test_one_that_came_is_enough(swept: None) -> None:
    hear("reconcile")
    hear("callback", 23)
    assert codes() == []


def test_one_that_came_the_day_before_is_not(swept: None) -> None:
    hear("callback", 25)
    hear("reconcile")
    assert codes() == ["callbacks_missing"]


def test_one_about_a_document_shows_that_they_come(swept: None) -> None:
    hear("reconcile")
    WebhookEvent.objects.create(dedupe_key="d", document=make_document(), source="callback")
    assert codes() == []


@pytest.mark.parametrize(
    "values",
    [
        {"attempts": 0},  # made by somebody else, and imported
        {"callback_url": "https://elsewhere.example/"},
        {"name_key": "Guide · 0123456789ab"},  # launched before PUBLIC_URL was set
        {"created_at": timezone.now() - timedelta(days=3)},  # its callbacks came long ago
    ],
)
def test_conversations_that_call_nobody_here_tell_nothing(
    swept: None, values: dict[str, Any]
) -> None:
    hear("reconcile", **values)
    assert codes() == []


def test_a_day_without_conversations_tells_nothing(swept: None) -> None:
    hear("reconcile", 25)
    assert codes() == []


def test_without_a_public_url_none_is_missed(swept: None, settings: Any) -> None:
    settings.TAVUS = {"API_KEY": "k"}
    hear("reconcile")
    assert codes() == ["no_public_url"]


@pytest.mark.parametrize("rows", [0, 20])
@pytest.mark.parametrize(("is_swept", "queries"), [(True, 3), (False, 4)])
def test_the_queries_are_few_whatever_there_is(
    django_assert_num_queries: Any, rows: int, is_swept: bool, queries: int
) -> None:
    for _ in range(rows):
        refuse(1)
        hear("reconcile")
    make_conversation(status="queued", created_at=timezone.now() - LONG_AGO)
    if is_swept:
        CapacityLock.note_sweep(timezone.now() - LONG_AGO)
    with django_assert_num_queries(queries):
        assert codes()[0] == "no_sweep"


def test_credentials_are_cut_from_addresses() -> None:
    assert diagnosing.without_credentials("https://a:b@c.example/d?e#f") == "https://c.example/d"
