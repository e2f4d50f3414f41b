from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from django_tavus.sandbox import Sandbox
from tests.sandbox.conftest import Api

Make = Callable[..., Sandbox]
Connect = Callable[[Sandbox], Api]


def told(api: Api, calls: int = 40) -> list[str]:
    """What is posted about ``calls`` conversations that nobody joins."""
    names: list[str] = []
    for _ in range(calls):
        api.converse(callback_url="https://h/c")
        api.sandbox.advance(400)
        names += [callback.body["event_type"] for callback in api.sandbox.due_callbacks()]
    return names


def test_every_callback_arrives_once(api: Api) -> None:
    assert len(told(api, 10)) == 30


def test_dropped_callbacks_do_not_arrive(make: Make, connect: Connect) -> None:
    assert 40 < len(told(connect(make(drop=0.5)))) < 80
    assert told(connect(make(drop=1.0)), 5) == []


def test_duplicated_callbacks_arrive_twice(make: Make, connect: Connect) -> None:
    assert len(told(connect(make(duplicate=1.0)), 5)) == 30
    assert 140 < len(told(connect(make(duplicate=0.5)))) < 220


def test_shuffled_callbacks_overtake_each_other(make: Make, connect: Connect) -> None:
    names = told(connect(make(shuffle=True)), 20)
    ordered = ["system.replica_joined", "system.pal_joined", "system.shutdown"] * 20
    assert len(names) >= 58
    assert names != ordered


def test_shuffled_callbacks_are_all_there_in_the_end(make: Make, connect: Connect) -> None:
    api = connect(make(shuffle=True))
    names = told(api, 5)
    api.sandbox.advance(10)
    names += [callback.body["event_type"] for callback in api.sandbox.due_callbacks()]
    assert len(names) == 15


def test_mishaps_repeat_with_the_seed_and_do_not_touch_ids(make: Make, connect: Connect) -> None:
    first, second, calm = connect(make(drop=0.5)), connect(make(drop=0.5)), connect(make())
    assert told(first) == told(second)
    told(calm)
    assert list(first.sandbox.engine.conversations) == list(calm.sandbox.engine.conversations)


def test_without_a_seed_ids_are_new_each_time(make: Make, connect: Connect) -> None:
    first, second = (connect(make(seed=None)).converse() for _ in range(2))
    assert first["conversation_id"] != second["conversation_id"]


def test_callbacks_are_taken_once(api: Api) -> None:
    api.converse(callback_url="https://h/c")
    api.sandbox.advance(1)
    assert len(api.sandbox.due_callbacks()) == 2
    assert api.sandbox.due_callbacks() == []


def test_delivering_hands_url_and_content_over(api: Api) -> None:
    sent: list[tuple[str, bytes]] = []
    api.converse(callback_url="https://h/c")
    api.sandbox.advance(1)
    assert api.sandbox.deliver(lambda url, content: sent.append((url, content))) == 2
    assert sent[0][0] == "https://h/c"
    assert b'"event_type": "system.replica_joined"' in sent[0][1]


def test_clock_is_the_one_that_was_given(connect: Connect) -> None:
    moments = [datetime(2030, 1, 1, tzinfo=UTC)]
    api = connect(Sandbox(clock=lambda: moments[0]))
    conversation_id = api.converse()["conversation_id"]
    moments[0] = datetime(2030, 1, 2, tzinfo=UTC)
    api.sandbox.tick()
    over = api.sandbox.conversation(conversation_id)
    assert over.ended_at == datetime(2030, 1, 1, 0, 5, tzinfo=UTC)


def test_realistic_pace_lets_perception_wait_for_minutes(make: Make, connect: Connect) -> None:
    api = connect(make(pace="realistic"))
    conversation_id = api.converse(callback_url="https://h/c")["conversation_id"]
    api.sandbox.advance(5)
    api.sandbox.join(conversation_id)
    api.sandbox.leave(conversation_id)
    api.sandbox.advance(170)
    names = [callback.body["event_type"] for callback in api.sandbox.due_callbacks()]
    assert names[-1] == "application.transcription_ready"
    api.sandbox.advance(20)
    (last,) = api.sandbox.due_callbacks()
    assert last.body["event_type"] == "application.perception_analysis"


@pytest.mark.parametrize("kind", ["persona", "replica", "document"])
def test_objects_are_added_with_their_ids(sandbox: Sandbox, kind: str) -> None:
    add = getattr(sandbox, f"add_{kind}")
    add(**{f"{kind}_id": "x1", f"{kind}_name": "First"})
    again = add(**{f"{kind}_id": "x1", f"{kind}_name": "Second"})
    held = getattr(sandbox.engine, f"{kind}s")
    assert held["x1"] is again
    assert again.name == "Second"
    assert again.owner == "user"


def test_memory_of_requests_is_limited(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_tavus.sandbox.records.KEPT", 3)
    for page in range(5):
        api("GET", "/conversations", page=page)
    assert [request.query["page"] for request in api.sandbox.requests] == ["2", "3", "4"]
