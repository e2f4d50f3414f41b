from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from celery import current_app
from django.core.management import CommandError, call_command
from django.utils import timezone
from requests.adapters import BaseAdapter

from django_tavus.models import CapacityLock
from django_tavus.services import clients, examining
from django_tavus.services.diagnosing import Finding, Level

pytestmark = pytest.mark.django_db

KEY = "tvs-very-secret-key"


class Line:
    def __init__(self, text: str, remedy: str) -> None:
        self.level, _, rest = text.partition(" ")
        self.code, _, self.message = rest.strip().partition(": ")
        self.remedy = remedy


def doctor() -> tuple[int, dict[str, Line], str]:
    """Run the command: exit code, the last line of each code, and all that was printed."""
    out = io.StringIO()
    code = 0
    try:
        call_command("tavus_doctor", stdout=out, no_color=True)
    except CommandError as error:
        code = error.returncode
        out.write(str(error))
    told: dict[str, Line] = {}
    lines = out.getvalue().splitlines()
    for text, after in zip(lines, [*lines[1:], ""], strict=True):
        if text.startswith(("OK", "WARN", "FAIL ")):
            line = Line(text, after.strip() if after.startswith("   ") else "")
            told[line.code] = line
    return code, told, out.getvalue()


@pytest.fixture(autouse=True)
def healthy(tavus_sandbox: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site on which all is well: a sandbox, a broker in memory, and a worker that answers."""
    settings.TIME_ZONE = "UTC"  # which MariaDB knows without its time zone tables
    settings.TAVUS = {
        **settings.TAVUS,
        "API_KEY": KEY,
        "PUBLIC_URL": "https://site.example",
        "MAX_CONCURRENT": 3,
    }
    CapacityLock.note_sweep(timezone.now())
    monkeypatch.setitem(current_app.conf, "broker_write_url", "memory://")
    monkeypatch.setattr(current_app.control, "ping", lambda **_: [{"w@h": {"ok": "pong"}}])


def configure(settings: Any, **values: Any) -> None:
    settings.TAVUS = {**settings.TAVUS, **values}


def test_all_is_well() -> None:
    code, told, output = doctor()
    assert code == 0, output
    levels = {name: line.level for name, line in told.items()}
    assert levels.pop("database") in ("OK", "WARN")
    assert {name for name, level in levels.items() if level != "OK"} == {"sandbox"}
    assert {"key", "api", "public_url", "callback_route", "broker", "worker", "sweep"} <= set(told)


def test_every_complaint_has_a_remedy(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(settings, API_KEY="", PUBLIC_URL="")
    monkeypatch.setattr(current_app.control, "ping", lambda **_: [])
    _code, told, _output = doctor()
    complaints = [line for line in told.values() if line.level != "OK"]
    assert {line.code for line in complaints} >= {"key", "no_public_url", "worker"}
    assert all(line.remedy for line in complaints)


def test_a_missing_key_fails(settings: Any) -> None:
    configure(settings, API_KEY="")
    code, told, _output = doctor()
    assert code == 1
    assert told["key"].level == "FAIL"
    assert "API_KEY" in told["key"].remedy


def test_a_callable_that_raises_tells_its_type_only(settings: Any) -> None:
    def vault() -> str:
        raise LookupError(KEY)

    configure(settings, API_KEY=vault)
    code, told, output = doctor()
    assert code == 1
    assert "LookupError" in told["key"].message
    assert KEY not in output


class Answering(BaseAdapter):
    """Answers everything in the same way."""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        super().__init__()
        self.status, self.body, self.headers = status, body, headers

    def send(self, request: Any, **_: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = self.status
        response.headers.update(self.headers)
        response.raw = io.BytesIO(json.dumps(self.body).encode())
        response.url, response.request = request.url, request
        return response

    def close(self) -> None:
        pass


@pytest.fixture
def tavus_answers() -> Iterator[Callable[..., None]]:
    """Let Tavus answer everything with this status, body and headers."""
    # The fixture monkeypatch may be older than the sandbox's session, and would bring that back
    # after the sandbox is gone.
    with pytest.MonkeyPatch.context() as patch:
        yield answering(patch)


def answering(patch: pytest.MonkeyPatch) -> Callable[..., None]:
    def mount(status: int, body: Any, **headers: str) -> None:
        def make_session() -> requests.Session:
            session = requests.Session()
            session.mount("http://", Answering(status, body, **headers))
            return session

        patch.setattr(clients, "make_session", make_session)

    return mount


NO_PERSONAS = {"data": [], "total_count": 0}


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "API_KEY"), (403, "API_KEY"), (404, "/v2"), (501, "Wait")]
)
def test_what_tavus_answers_is_told(
    tavus_answers: Callable[..., None], status: int, hint: str
) -> None:
    tavus_answers(status, {"message": f"Invalid key {KEY}"})
    code, told, output = doctor()
    assert code == 1
    assert told["api"].level == "FAIL"
    assert hint in told["api"].remedy
    assert KEY not in output


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, "OK"), (-3, "OK"), (30, "WARN"), (-30, "WARN"), (-90, "FAIL")]
)
def test_the_clock_is_compared_with_that_of_the_api(
    tavus_answers: Callable[..., None], seconds: int, level: str
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    tavus_answers(200, NO_PERSONAS, Date=date)
    code, told, _output = doctor()
    assert told["clock"].level == level
    assert code == (level == "FAIL")


def test_without_a_date_nothing_is_said_of_the_clock(tavus_answers: Callable[..., None]) -> None:
    tavus_answers(200, NO_PERSONAS)
    assert "clock" not in doctor()[1]


@pytest.mark.parametrize(
    ("url", "base_url", "level"),
    [
        ("", "https://tavusapi.com/v2", "WARN"),
        ("https://site.example", "https://tavusapi.com/v2", "OK"),
        ("https://site.example/app", "https://tavusapi.com/v2", "OK"),
        ("http://site.example", "https://tavusapi.com/v2", "WARN"),
        ("site.example", "https://tavusapi.com/v2", "FAIL"),
        ("ftp://site.example", "https://tavusapi.com/v2", "FAIL"),
        ("https://me:x@site.example", "https://tavusapi.com/v2", "FAIL"),
        ("https://site.example/?a=b", "https://tavusapi.com/v2", "FAIL"),
        ("https://localhost:8000", "https://tavusapi.com/v2", "FAIL"),
        ("https://127.0.0.1", "https://tavusapi.com/v2", "FAIL"),
        ("https://10.1.2.3", "https://tavusapi.com/v2", "FAIL"),
        ("https://[::1]", "https://tavusapi.com/v2", "FAIL"),
        ("https://web.internal", "https://tavusapi.com/v2", "FAIL"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8085/v2", "OK"),
    ],
)
def test_public_urls(settings: Any, url: str, base_url: str, level: str) -> None:
    configure(settings, PUBLIC_URL=url, BASE_URL=base_url)
    (finding,) = examining.public_url(timezone.now())
    assert finding.level.upper() == level
    assert "me:x" not in finding.message


def test_urls_that_are_not_mounted_fail(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.empty_urls"
    code, told, _output = doctor()
    assert code == 1
    assert "include" in told["callback_route"].remedy


def test_a_broker_that_is_away_fails_and_no_worker_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        url = f"amqp://guest:{KEY}@127.0.0.1:{taken.getsockname()[1]}//"
        monkeypatch.setitem(current_app.conf, "broker_write_url", url)
        code, told, output = doctor()
    assert code == 1
    assert told["broker"].level == "FAIL"
    assert "worker" not in told
    assert KEY not in output


def test_a_mute_broker_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "BROKER_PATIENCE", 0.3)
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        port = mute.getsockname()[1]
        monkeypatch.setitem(current_app.conf, "broker_write_url", f"amqp://127.0.0.1:{port}//")
        (finding,) = examining.broker(timezone.now())
    assert finding.level is Level.FAIL
    assert "TimeoutError" in finding.message


@pytest.mark.parametrize("answer", [[], None])
def test_no_worker_is_a_warning(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    monkeypatch.setattr(current_app.control, "ping", lambda **_: answer)
    code, told, _output = doctor()
    assert told["worker"].level == "WARN"
    assert code == 0


def test_eager_tasks_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    # Celery's settings make up attributes, which cannot be taken away again.
    monkeypatch.setitem(current_app.conf, "task_always_eager", True)
    assert doctor()[1]["broker"].level == "WARN"


def test_an_old_sweep_fails() -> None:
    CapacityLock.note_sweep(timezone.now() - timedelta(minutes=10))
    code, told, _output = doctor()
    assert code == 1
    assert told["no_sweep"].level == "FAIL"


def test_no_sweep_yet_is_a_warning() -> None:
    CapacityLock.objects.update(swept_at=None)
    code, told, _output = doctor()
    assert told["sweep"].level == "WARN"
    assert code == 0


def test_a_wrong_setting_does_not_stop_the_examination(settings: Any) -> None:
    configure(settings, MAX_CONCURENT=3, TIMEOUT="soon")
    code, told, output = doctor()
    assert code == 1
    assert "MAX_CONCURENT" in output
    assert "MAX_CONCURRENT" in output
    assert told["broker"].level == "OK"


def test_an_examination_that_breaks_tells_its_type_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(now: datetime) -> Iterator[Finding]:
        raise RuntimeError(KEY)
        yield

    monkeypatch.setattr(examining, "EXAMINATIONS", (breaks, *examining.EXAMINATIONS))
    code, told, output = doctor()
    assert code == 1
    assert "RuntimeError" in told["breaks"].message
    assert KEY not in output
    assert told["api"].level == "OK"


def test_the_key_is_never_printed(settings: Any) -> None:
    configure(settings, BASE_URL=f"http://me:{KEY}@127.0.0.1:1/v2")
    assert KEY not in doctor()[2]


def test_days_that_the_database_cannot_tell_fail(settings: Any) -> None:
    """Elsewhere than on MariaDB the time zones are the database's or Django's own."""
    settings.TIME_ZONE = "Asia/Tokyo"
    timezone.deactivate()
    code, told, output = doctor()
    assert (code == 0) == examining._knows_days()
    assert ("time zone tables" in output) != examining._knows_days()
    assert "database" in told
