from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.sandbox.conftest import PERSONA, Api


def test_reset_is_a_new_account(face: Api) -> None:
    face.converse()
    face.sandbox.faults.add("status:500", path="/nothing", times=None)
    assert face.control("POST", "/reset").ok
    assert len(face.sandbox.engine.conversations) == 0
    assert face.sandbox.faults.orders == []
    assert PERSONA in face.sandbox.engine.personas


def test_reset_sandbox_begins_again_in_the_same_way(api: Api) -> None:
    first = api.converse()
    api.sandbox.advance(50)
    api.sandbox.reset()
    assert api.converse() == first


def test_clock_is_advanced(face: Api) -> None:
    face.converse()
    assert face.control("POST", "/clock", {"advance": 90.5}).json() == {
        "now": "2026-05-04T12:01:30.623456+00:00"
    }
    assert face.control("GET", "/clock").json()["now"].startswith("2026-05-04T12:01:30")


@pytest.mark.parametrize(
    "body", [{"advance": -1}, {"advance": 1e300}, {"advance": "1"}, {"advance": True}, []]
)
def test_clock_refuses(api: Api, body: Any) -> None:
    assert api.control("POST", "/clock", body).status_code == 400


def test_faults_are_ordered_listed_and_cancelled(face: Api) -> None:
    order = {"kind": "status:503", "method": "POST", "path": "/conversations", "times": 3}
    assert face.control("POST", "/faults", order).json() == order
    assert face.control("GET", "/faults").json() == {"data": [order]}
    assert face("POST", "/conversations", {}).status_code == 503
    assert face.control("DELETE", "/faults").status_code == 204
    assert face("POST", "/conversations", {}).status_code == 400


@pytest.mark.parametrize("body", [{}, {"kind": "meteor"}, {"kind": "empty", "when": "now"}])
def test_fault_that_does_not_exist(api: Api, body: Any) -> None:
    response = api.control("POST", "/faults", body)
    assert response.status_code == 400
    assert response.json()["error"]


def test_requests_are_recorded_without_the_key(face: Api) -> None:
    face("GET", "/conversations", status="active")
    face("POST", "/documents", {"tags": []})
    first, second = face.control("GET", "/requests").json()["data"]
    assert (first["method"], first["path"]) == ("GET", "/v2/conversations")
    assert (first["query"], first["body"]) == ({"status": "active"}, None)
    assert second["body"] == {"tags": []}
    assert "any key" not in face.control("GET", "/requests").text
    assert face.sandbox.requests[0].path == "/v2/conversations"
    face.control("DELETE", "/requests")
    assert face.sandbox.requests == []


def test_control_calls_are_not_recorded_and_not_faulty(api: Api) -> None:
    api.sandbox.faults.add("status:500", times=None)
    assert api.control("GET", "/requests").json() == {"data": []}


@pytest.mark.parametrize(
    ("kind", "body", "path"),
    [
        ("personas", {"persona_id": "p1", "system_prompt": "x"}, "/personas/p1"),
        ("replicas", {"replica_id": "r1"}, "/replicas/r1"),
        ("documents", {"document_id": "d1"}, "/documents/d1"),
        ("videos", {"video_id": "v1"}, "/videos/v1"),
        ("guardrails", {"uuid": "g1", "guardrail_name": "a", "guardrail_prompt": "b"}, None),
        ("tools", {"tool_id": "t1", "name": "a", "description": "b"}, "/tools/t1"),
    ],
)
def test_object_is_put_with_its_id(face: Api, kind: str, body: Any, path: str | None) -> None:
    assert face.control("POST", f"/objects/{kind}", body).status_code == 201
    assert face("GET", path or "/guardrails/g1").ok


@pytest.mark.parametrize(
    "kind", ["tools", "objectives", "guardrails", "pronunciation-dictionaries"]
)
def test_object_without_its_essence_is_refused(api: Api, kind: str) -> None:
    response = api.control("POST", f"/objects/{kind}", {})
    assert response.status_code == 400
    assert "has" in response.json()["error"]


def test_object_of_no_kind(api: Api) -> None:
    assert api.control("POST", "/objects/planets", {}).status_code == 404


def test_call_is_played_by_control_calls(face: Api) -> None:
    path = f"/conversations/{face.converse()['conversation_id']}"
    face.sandbox.advance(1)
    person = face.control("POST", f"{path}/join", {"name": "Ann"}).json()["participant_id"]
    said = face.control("POST", f"{path}/say", {"role": "user", "content": "Why?"}).json()["turns"]
    assert [turn["role"] for turn in said] == ["user", "assistant"]
    assert face.control("POST", f"{path}/leave", {"participant_id": person}).status_code == 204
    over = face.control("POST", f"{path}/join")
    assert (over.status_code, over.json()) == (409, {"error": "The conversation has ended."})


def test_event_is_made_up_by_a_control_call(api: Api) -> None:
    created = api.converse(callback_url="https://h/c")
    path = f"/conversations/{created['conversation_id']}/emit"
    event = {"event_type": "application.memory_consolidation", "properties": {"a": 1}}
    assert api.control("POST", path, event).status_code == 204
    (told,) = api.sandbox.due_callbacks()
    assert (told.body["event_type"], told.body["properties"]) == (event["event_type"], {"a": 1})
    assert api.control("POST", path, {}).status_code == 400


def test_control_call_of_an_unknown_conversation(api: Api) -> None:
    assert api.control("POST", "/conversations/cnone/join").status_code == 404


def test_control_path_that_does_not_exist(api: Api) -> None:
    assert api.control("GET", "/nothing").status_code == 404


# pages


class Page(HTMLParser):
    """What of a page must not be there, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "style" or (tag == "script" and not values.get("src")):
            self.inline.append(tag)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        if tag in ("script", "link"):
            self.loads.append(str(values.get("src") or values.get("href")))


def room(api: Api, **fields: Any) -> str:
    return f"/rooms/{api.converse(**fields)['conversation_id']}"


def test_room_page_holds_nothing_inline_and_may_be_framed(face: Api) -> None:
    response = face.control("GET", room(face, conversation_name="<b>Sales & more</b>"))
    page = Page(response.text)
    assert response.ok
    assert page.inline == []
    assert "&lt;b&gt;Sales &amp; more&lt;/b&gt;" in response.text
    assert "Sales Coach" in response.text
    assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "X-Frame-Options" not in response.headers
    for path in page.loads:
        assert face.control("GET", path.removeprefix("/sandbox")).ok, path


@pytest.mark.parametrize("name", ["room.html", "..%2f__init__.py", "nothing.css"])
def test_only_assets_are_served(face: Api, name: str) -> None:
    assert face.control("GET", f"/assets/{name}").status_code == 404


def test_unknown_room(api: Api) -> None:
    response = api.control("GET", "/rooms/cnone")
    assert response.status_code == 404
    assert "This room does not exist." in response.text


def test_private_room_wants_its_token(face: Api) -> None:
    created = face.converse(require_auth=True)
    path = f"/rooms/{created['conversation_id']}"
    other = face.converse(require_auth=True)["meeting_token"]
    assert created["meeting_token"].count(".") == 2
    assert face.control("GET", f"{path}?t={created['meeting_token']}").ok
    for query in ("", "?t=x", "?t=a.b.c", "?t=%C3%A9.%C3%A9.%C3%A9", f"?t={other}"):
        refused = face.control("GET", path + query)
        assert refused.status_code == 403
        assert "You are not allowed to join this meeting." in refused.text
    assert face.control("POST", f"{path}/join", {"name": "Eve"}).status_code == 409
    assert face.control("GET", f"{path}/state").status_code == 409
    admitted = {"name": "Ann", "token": created["meeting_token"]}
    assert face.control("POST", f"{path}/join", admitted).ok


def test_token_lives_as_long_as_the_room_waits(api: Api) -> None:
    created = api.converse(
        require_auth=True, properties={"participant_absent_timeout": 60, "max_call_duration": 600}
    )
    path = f"/rooms/{created['conversation_id']}?t={created['meeting_token']}"
    api.control("POST", path.replace("?", "/join?"), {"token": created["meeting_token"]})
    api.sandbox.advance(59)
    assert api.control("GET", path).ok
    api.sandbox.advance(2)
    assert api.control("GET", path).status_code == 403


def test_properties_may_make_a_room_private_too(api: Api) -> None:
    assert api.converse(properties={"require_auth": True})["meeting_token"]


def test_person_talks_through_the_page(face: Api) -> None:
    path = room(face)
    face.sandbox.advance(1)
    joined = face.control("POST", f"{path}/join", {"name": "Ann", "camera": True}).json()
    person = {"participant_id": joined["participant_id"]}
    assert joined["people"] == ["Ann"]
    assert len(joined["turns"]) == 1
    said = face.control("POST", f"{path}/say", person | {"content": " Why? "}).json()
    assert [turn["content"] for turn in said["turns"]][1] == "Why?"
    left = face.control("POST", f"{path}/leave", person).json()
    assert (left["status"], left["shutdown_reason"]) == (
        "ended",
        "participant_left_timeout reached",
    )


def test_beacon_of_a_page_is_text(api: Api) -> None:
    path = room(api)
    person = api.control("POST", f"{path}/join", {}).json()["participant_id"]
    url = f"{api.sandbox.origin}/sandbox{path}/leave"
    content = f'{{"participant_id": "{person}"}}'
    headers = {"Content-Type": "text/plain;charset=UTF-8"}
    assert api.session.post(url, data=content, headers=headers, timeout=5).ok
    assert api.control("GET", f"{path}/state").json()["status"] == "ended"


def test_stranger_cannot_speak_for_those_inside(api: Api) -> None:
    path = room(api)
    api.control("POST", f"{path}/join", {})
    for verb in ("say", "leave"):
        refused = api.control("POST", f"{path}/{verb}", {"participant_id": "x", "content": "x"})
        assert refused.status_code == 409


def test_index_lists_conversations_and_links_open_rooms(face: Api) -> None:
    first = face.converse(conversation_name="<i>Open</i>")["conversation_id"]
    second = face.converse(require_auth=True)["conversation_id"]
    page = face.control("GET", "/").text
    assert f'href="/sandbox/rooms/{first}"' in page
    assert second not in page
    assert "&lt;i&gt;Open&lt;/i&gt;" in page


def test_root_leads_to_the_index(api: Api) -> None:
    response = api.session.get(f"{api.sandbox.origin}/", allow_redirects=False, timeout=5)
    assert response.headers["Location"] == "/sandbox/"


def test_style_knows_dark_narrow_and_calm(api: Api) -> None:
    style = api.control("GET", "/assets/room.css").text
    known = set(re.findall(r"@media \(([a-z-]+)", style))
    assert known == {"prefers-color-scheme", "max-width", "prefers-reduced-motion"}
