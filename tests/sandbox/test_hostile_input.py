"""Whatever is sent, the sandbox answers in the provider's words and never breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings, strategies as st

from django_tavus.sandbox import Sandbox
from django_tavus.sandbox.wire.fields import Items, Record
from django_tavus.sandbox.wire.resources import ROUTES
from tests.sandbox.conftest import Api

IDS = {
    "conversations": "c1",
    "personas": "pcb7a34da5fe",
    "pals": "pcb7a34da5fe",
    "replicas": "r90bbd427f71",
    "faces": "r90bbd427f71",
    "documents": "d8-5c71baca86fc",
    "objectives": "o1",
    "guardrails": "g1",
    "pronunciation-dictionaries": "pd1",
    "tools": "t1",
    "videos": "v1",
}
WRITING = [route for route in ROUTES if route.method in ("POST", "PATCH", "PUT")]


def words() -> set[str]:
    """The names of all fields of all bodies."""

    def names(field: Any) -> set[str]:
        if isinstance(field, Record):
            return set(field.members).union(*map(names, field.members.values()))
        return names(field.item) if isinstance(field, Items) else set()

    return set().union(*(names(route.schema) for route in WRITING))


NAMES = st.sampled_from([*sorted(words()), "data", "name", "x"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from([*IDS.values(), "true", "full", "echo", "s3", "english", "https://h/"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
POINTERS = st.lists(NAMES | st.sampled_from(["0", "-", "layers", "tts"]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
PATCHES = st.lists(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "remove", "replace", "copy", "move", "test", "x"]),
            "path": POINTERS,
        },
        optional={"value": VALUES, "from": POINTERS},
    ),
    max_size=3,
)


def stocked() -> Sandbox:
    sandbox = Sandbox(seed=1)
    step = {"objective_name": "a", "objective_prompt": "b"}
    rule = {"guardrail_name": "a", "guardrail_prompt": "b"}
    sandbox.put("objectives", objectives_id="o1", data=[step])
    sandbox.put("guardrails", guardrails_id="g1", data=[rule])
    sandbox.put("pronunciation-dictionaries", pronunciation_dictionary_id="pd1", name="x")
    sandbox.put("tools", tool_id="t1", name="a", description="b")
    sandbox.put("videos", video_id="v1")
    return sandbox


def can_be_read(api: Api, kind: str) -> None:
    """The list of that kind, which shows every object that was made or changed."""
    response = api("GET", f"/{kind}", limit=100)
    assert response.ok, response.text
    response.json()


@pytest.mark.parametrize("route", WRITING, ids=lambda route: f"{route.method} {route.path}")
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_body_is_answered(route: Any, data: st.DataObject) -> None:
    known = [*route.schema.members] if isinstance(route.schema, Record) else []
    fitting = st.dictionaries(st.sampled_from(known), VALUES, max_size=6) if known else VALUES
    body = data.draw(VALUES | PATCHES | fitting)
    sandbox = stocked()
    kind = route.path.split("/")[1]
    path = route.path.replace("<id>", IDS.get(kind, "x"))
    path = path.replace("<tool_id>", "t1").replace("<skill_id>", "presentation")
    with requests.Session() as session:
        session.headers["x-api-key"] = "k"
        session.mount(sandbox.origin, sandbox.adapter())
        api = Api(sandbox, session)
        response = api(route.method, path, body)
        # 500 is what Tavus answers to an unknown model, and nothing else here.
        assert response.status_code < 500 or b'"model"' in json.dumps(body).encode()
        assert not response.content or isinstance(response.json(), dict)
        sandbox.advance(4000)
        can_be_read(api, kind)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"persona_id": NaN}',
        b'{"persona_id": Infinity}',
        b'{"persona_id": "\xff"}',
        b"\x00",
    ],
    ids=["deep list", "deep object", "nan", "infinity", "not utf-8", "nul"],
)
def test_unreadable_body_is_400(face: Api, content: bytes) -> None:
    url = f"{face.sandbox.base_url}/conversations"
    assert face.session.post(url, data=content, timeout=5).status_code == 400
    assert face.control("GET", "/requests").ok


def test_lone_surrogate_comes_back_as_it_came(face: Api) -> None:
    name = "\ud800"
    created = face(
        "POST", "/conversations", {"persona_id": "pcb7a34da5fe", "conversation_name": name}
    )
    assert created.json()["conversation_name"] == name


def test_longest_imaginable_call_is_fine(api: Api) -> None:
    huge = {"max_call_duration": 10**20, "participant_absent_timeout": 10**20}
    created = api.converse(require_auth=True, properties=huge)
    assert created["meeting_token"]


@pytest.mark.parametrize("page", ["9" * 5000, "1e3", "-1", "²"])
def test_senseless_page_is_400(api: Api, page: str) -> None:
    assert api("GET", "/documents", page=page).status_code == 400
