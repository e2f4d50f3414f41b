"""The code of docs/frontends.md as a signed-in visitor of a site runs it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, Route, expect

from django_tavus.models import Conversation, Persona
from tests.browser.steps import SPOKEN, converse, join, wait_for
from tests.frontends import recipes

SAY_LEFT = """
() => parent.postMessage({ what: "iframe-call-message", action: "left-meeting" }, "*")
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("frontends"),
]


def over() -> bool:
    return Conversation.objects.get().status == "ended"


def page_of(page: Page, site: str, path: str, more: str = "") -> None:
    """Open a page of ``tests.frontends.urls`` for a persona."""
    persona = Persona.objects.get(persona_name="Sales Coach")
    page.goto(f"{site}{path}?persona_id={persona.tavus_id}{more}")


@pytest.fixture(scope="session")
def scripts() -> None:
    recipes.bundle_all()


@pytest.fixture
def visitor(scripts: None, page: Page, site: str, settings: Any, django_user_model: Any) -> Page:
    """A page of somebody who is signed in and has no permission."""
    settings.ROOT_URLCONF = "tests.frontends.urls"
    client = Client()
    client.force_login(django_user_model.objects.create_user("ada"))
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
    return page


def test_the_fetch_frontend_starts_joins_speaks_ends_and_shows_the_transcript(
    visitor: Page, site: str, shoot: Any
) -> None:
    page_of(visitor, site, "/fetch/")
    visitor.get_by_role("button", name="Start").click()
    converse(join(visitor))
    with visitor.expect_response(lambda answer: answer.status == 304):
        expect(visitor.get_by_role("status")).to_have_text("active")
    shoot(visitor, "fetch-frontend-joined")
    visitor.get_by_role("button", name="End").click()
    expect(visitor.get_by_role("status")).to_have_text("ended")
    expect(visitor.locator("iframe")).to_have_count(0)
    expect(visitor.locator("pre")).to_contain_text(SPOKEN)
    shoot(visitor, "fetch-frontend-ended")
    assert Conversation.objects.get().status == "ended"


def test_the_fetch_frontend_ends_its_call_with_its_tab(visitor: Page, site: str) -> None:
    tab = visitor.context.new_page()
    page_of(tab, site, "/fetch/")
    tab.get_by_role("button", name="Start").click()
    converse(join(tab))
    tab.close()
    wait_for(visitor, over)


def test_the_fetch_frontend_tells_why_it_may_not(
    visitor: Page, site: str, settings: Any, complaints: list[str]
) -> None:
    settings.TAVUS = {**settings.TAVUS, "DAILY_MINUTES_PER_USER": 0}
    page_of(visitor, site, "/fetch/")
    visitor.get_by_role("button", name="Start").click()
    expect(visitor.get_by_role("status")).to_contain_text("minutes")
    assert not Conversation.objects.exists()
    assert "429" in complaints.pop()


def test_the_typed_client_launches_looks_ends_and_reads(visitor: Page, site: str) -> None:
    page_of(visitor, site, "/scripted/typescript.js/")
    persona_id = Persona.objects.get(persona_name="Sales Coach").tavus_id
    call = visitor.evaluate("body => tavus.launch(body)", {"persona_id": persona_id})
    assert call["status"] == "active"
    assert call["persona_id"] == persona_id
    assert visitor.evaluate("id => tavus.look(id)", call["id"])["id"] == call["id"]
    room = visitor.context.new_page()
    room.goto(call["conversation_url"])
    room.get_by_label("Your name").fill("Ada")
    room.get_by_role("button", name="Join").click()
    expect(room.get_by_role("log")).to_contain_text("Ready to practice")
    room.get_by_label("What you say").fill(SPOKEN)
    room.get_by_role("button", name="Say").click()
    visitor.evaluate("id => tavus.end(id)", call["id"])
    wait_for(visitor, over)
    wait_for(visitor, lambda: visitor.evaluate("id => tavus.transcript(id)", call["id"]))
    turns = visitor.evaluate("id => tavus.transcript(id)", call["id"])
    assert SPOKEN in [turn["content"] for turn in turns]


def test_the_typed_client_sends_a_lost_launch_again_under_its_key(
    visitor: Page, site: str, complaints: list[str]
) -> None:
    page_of(visitor, site, "/scripted/typescript.js/")
    persona_id = Persona.objects.get(persona_name="Sales Coach").tavus_id
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.headers["idempotency-key"])
            route.fetch()
            return route.abort()
        return route.continue_()

    visitor.route("**/tavus/api/conversations/", lose_the_first_answer)
    call = visitor.evaluate("body => tavus.launch(body)", {"persona_id": persona_id})
    assert lost
    assert str(Conversation.objects.get().pk) == call["id"]
    assert "ERR_FAILED" in complaints.pop()


@pytest.fixture
def daily(visitor: Page, complaints: list[str]) -> Page:
    """A page that asks Daily for the code of calls, and waits for it in vain."""
    visitor.route("https://*.daily.co/**", lambda route: None)
    return visitor


@pytest.fixture
def private(settings: Any, site: str) -> None:
    """Every room is private: joined with a token."""
    settings.TAVUS = {**settings.TAVUS, "CONVERSATION_DEFAULTS": {"require_auth": True}}


def test_tavus_components_join_the_room_and_end_it_on_leaving(daily: Page, site: str) -> None:
    page_of(daily, site, "/scripted/react.jsx/")
    daily.get_by_role("button", name="Start").click()
    leave = daily.get_by_role("button", name="Leave Call")
    expect(leave).to_be_visible()
    joining = daily.evaluate("joining()")
    assert joining["url"] == Conversation.objects.get().conversation_url
    assert "token" not in joining
    leave.click()
    wait_for(daily, over)
    expect(daily.get_by_role("button", name="Start")).to_be_visible()


def test_tavus_components_end_the_call_with_its_tab(daily: Page, visitor: Page, site: str) -> None:
    tab = visitor.context.new_page()
    tab.route("https://*.daily.co/**", lambda route: None)
    page_of(tab, site, "/scripted/react.jsx/")
    tab.get_by_role("button", name="Start").click()
    expect(tab.get_by_role("button", name="Leave Call")).to_be_visible()
    tab.close()
    wait_for(visitor, over)


def test_tavus_components_join_a_private_room_with_its_token(
    daily: Page, site: str, private: None
) -> None:
    page_of(daily, site, "/scripted/react.jsx/", "&private")
    daily.get_by_role("button", name="Start").click()
    leave = daily.get_by_role("button", name="Leave Call")
    expect(leave).to_be_visible()
    conversation = Conversation.objects.get()
    joining = daily.evaluate("joining()")
    assert joining["url"] == conversation.conversation_url
    assert joining["token"] == conversation.meeting_token != ""
    leave.click()
    wait_for(daily, over)


def test_dailys_frame_opens_a_private_room_and_ends_it_on_leaving(
    daily: Page, site: str, private: None
) -> None:
    page_of(daily, site, "/scripted/typescript.js/")
    persona_id = Persona.objects.get(persona_name="Sales Coach").tavus_id
    daily.evaluate(
        "async (body) => void tavus.enter(await tavus.launch(body), document.body)",
        {"persona_id": persona_id},
    )
    conversation = Conversation.objects.get()
    frame = daily.locator("iframe")
    expect(frame).to_have_attribute("src", re.compile("^" + re.escape(conversation.room_url)))
    # What a page of Daily's says to its parent; the sandbox's room does not speak.
    join(daily)
    daily.frame_locator("iframe").locator("body").evaluate(SAY_LEFT)
    wait_for(daily, over)
    expect(frame).to_have_count(0)
