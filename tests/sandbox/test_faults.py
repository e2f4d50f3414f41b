from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from django_tavus.sandbox import Sandbox
from tests.sandbox.conftest import PERSONA, Api


def create(api: Api) -> requests.Response:
    return api("POST", "/conversations", {"persona_id": PERSONA})


def made(api: Api) -> int:
    return len(api.sandbox.engine.conversations)


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("status:429", 429, {"error": "Too many requests"}),
        ("status:402", 402, {"message": "The user is out of conversational credits"}),
        ("status:500", 500, {"message": "Internal Server Error"}),
        ("concurrency", 400, {"message": "User has reached maximum concurrent conversations"}),
        ("credits", 402, {"message": "The user is out of conversational credits"}),
    ],
)
def test_refusal_has_no_effect(face: Api, kind: str, status: int, body: Any) -> None:
    face.sandbox.faults.add(kind)
    response = create(face)
    assert (response.status_code, response.json()) == (status, body)
    assert made(face) == 0


@pytest.mark.parametrize("status", [429, 503])
def test_busy_server_says_when_to_come_back(face: Api, status: int) -> None:
    face.sandbox.faults.add(f"status:{status}")
    assert create(face).headers["Retry-After"] == "2"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_gateway_answers_in_html(face: Api, status: int) -> None:
    face.sandbox.faults.add(f"status:{status}")
    response = create(face)
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert made(face) == 0


def test_cut_before_has_no_effect(face: Api) -> None:
    face.sandbox.faults.add("cut_before")
    with pytest.raises(requests.ConnectionError):
        create(face)
    assert made(face) == 0
    assert create(face).ok


def test_cut_after_has_an_effect(face: Api) -> None:
    face.sandbox.faults.add("cut_after")
    with pytest.raises(requests.ConnectionError):
        create(face)
    assert made(face) == 1


def test_answer_that_never_comes_has_an_effect(face: Api) -> None:
    face.sandbox.faults.add("timeout_after")
    with pytest.raises(requests.ReadTimeout):
        face.session.post(
            f"{face.sandbox.base_url}/conversations",
            json={"persona_id": PERSONA},
            timeout=(1, 0.3),
        )
    assert made(face) == 1


def test_gateway_error_after_the_effect(face: Api) -> None:
    face.sandbox.faults.add("status_after:502")
    assert create(face).status_code == 502
    assert made(face) == 1


def test_garbled_answer_has_an_effect(face: Api) -> None:
    face.sandbox.faults.add("garbled")
    response = create(face)
    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert made(face) == 1


@pytest.mark.parametrize(("kind", "content"), [("empty", b""), ("html", b"<!doctype html>")])
def test_useless_answer_has_an_effect(face: Api, kind: str, content: bytes) -> None:
    face.sandbox.faults.add(kind)
    response = create(face)
    assert response.status_code == 200
    assert response.content.startswith(content)
    assert len(response.content) < 200
    assert made(face) == 1


def test_slow_answer_comes_late(served: Api) -> None:
    served.sandbox.faults.add("slow:0.3")
    assert create(served).elapsed.total_seconds() >= 0.3


def test_slow_answer_meets_the_read_time_out_in_process(api: Api) -> None:
    api.sandbox.faults.add("slow:60")
    with pytest.raises(requests.ReadTimeout):
        create(api)
    assert made(api) == 1


def test_slow_answer_within_the_time_out_is_not_waited_for(api: Api) -> None:
    api.sandbox.faults.add("slow:4")
    assert create(api).ok


def test_latency_delays_every_answer(
    make: Callable[..., Sandbox], connect: Callable[[Sandbox], Api]
) -> None:
    api = connect(make(latency=6))
    with pytest.raises(requests.ReadTimeout):
        api("GET", "/conversations")


def test_order_holds_for_its_number_of_requests(api: Api) -> None:
    api.sandbox.faults.add("status:503", times=2)
    assert [create(api).status_code for _ in range(3)] == [503, 503, 200]


def test_order_without_number_holds_until_it_is_cancelled(api: Api) -> None:
    api.sandbox.faults.add("status:503", times=None)
    assert {create(api).status_code for _ in range(5)} == {503}
    api.sandbox.faults.clear()
    assert create(api).ok


@pytest.mark.parametrize("path", ["/conversations", "/v2/conversations", "/conv*"])
def test_order_is_for_what_it_names(api: Api, path: str) -> None:
    api.sandbox.faults.add("status:503", method="post", path=path)
    assert api("GET", "/conversations").ok
    assert api("POST", "/objectives", {}).status_code == 400
    assert create(api).status_code == 503


@pytest.mark.parametrize("kind", ["meteor", "status", "status:many", "slow", "garbled:1"])
def test_unknown_fault_is_refused(sandbox: Sandbox, kind: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        sandbox.faults.add(kind)


def test_errors_come_by_chance_and_repeat_with_the_seed(
    make: Callable[..., Sandbox], connect: Callable[[Sandbox], Api]
) -> None:
    def run() -> list[object]:
        api = connect(make(errors=0.5))
        outcomes: list[object] = []
        for _ in range(40):
            try:
                outcomes.append(api("GET", "/conversations").status_code)
            except requests.ConnectionError:
                outcomes.append("cut")
        return outcomes

    first = run()
    assert first == run()
    assert set(first) >= {200, "cut"}
    assert 8 < sum(outcome != 200 for outcome in first) < 32


@pytest.mark.parametrize(
    ("name", "status"),
    [("fail:429", 429), ("fail:500", 500), ("credits", 402), ("concurrency", 400)],
)
def test_magic_persona_refuses(api: Api, name: str, status: int) -> None:
    api.sandbox.add_persona(persona_id="pm", persona_name=name, default_replica_id="r90bbd427f71")
    assert api("POST", "/conversations", {"persona_id": "pm"}).status_code == status
    assert api("POST", "/conversations", {"pal_id": "pm"}).status_code == status
    assert made(api) == 0


@pytest.mark.parametrize("name", ["bad_json", "empty", "html", "cut", "hang", "slow:60"])
def test_magic_persona_answers_badly_to_what_it_did(api: Api, name: str) -> None:
    api.sandbox.add_persona(persona_id="pm", persona_name=name, default_replica_id="r90bbd427f71")
    with pytest.raises(requests.RequestException):
        api("POST", "/conversations", {"persona_id": "pm"}).json()
    assert made(api) == 1


@pytest.mark.parametrize("name", ["fail:", "fail:soon", "failure", "Slow:5", "bad json"])
def test_name_that_only_looks_magic_is_not(api: Api, name: str) -> None:
    api.sandbox.add_persona(persona_id="pm", persona_name=name, default_replica_id="r90bbd427f71")
    assert api("POST", "/conversations", {"persona_id": "pm"}).ok
