"""What a room does when its looks fail: it goes on, and says what its visitor should know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from playwright.sync_api import Browser, Page, Route, expect

from django_tavus.models import Conversation
from django_tavus.testing import make_conversation
from tests.browser.steps import room_url, wait_for
from tests.urls import urlpatterns as site_urls

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STATUS = "**/status/"
OFFLINE = "This page cannot reach the site. It keeps trying."
STOPPED = "This page no longer learns how the conversation stands."
BACK = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"

# One's own room may stand beside one that is shown to everybody, and is not asked about.
HOST_PAGE = """{% load tavus %}<!DOCTYPE html><html lang="en"><title>Two</title>
<link rel="icon" href="data:,"><h1>Two</h1>{% tavus_device_check %}{% tavus_room conversation %}"""


def everybody(request: HttpRequest) -> HttpResponse:
    conversation = Conversation.objects.get()
    template = engines["django"].from_string(HOST_PAGE)
    return HttpResponse(template.render({"conversation": conversation}, request))


urlpatterns = [path("rooms/everybody/", everybody), path("", include(site_urls))]  # type: ignore[arg-type]


@pytest.fixture
def troubled_page(chromium: Browser, site: str, django_user_model: Any) -> Iterator[Page]:
    """A page in the queue whose requests may fail, which the console says; errors may not be."""
    django_user_model.objects.create_superuser("ada", password="lovelace")
    mine = make_conversation(status="queued", owner=django_user_model.objects.get())
    context = chromium.new_context(locale="en-US")
    context.set_default_timeout(15_000)
    errors: list[str] = []
    context.on("weberror", lambda event: errors.append(str(event.error)))
    page = context.new_page()
    page.goto(room_url(site, mine))
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("lovelace")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="You are in the queue")).to_be_visible()
    yield page
    context.close()
    assert errors == []


def answering(page: Page, *answers: Any) -> list[Route]:
    """Answer the looks of ``page`` with ``answers``, one each, and then as the site does."""
    left, seen = list(answers), []

    def answer(route: Route) -> None:
        seen.append(route)
        if not left:
            route.continue_()
        elif (values := left.pop(0)) is None:
            route.abort()
        else:
            route.fulfill(**values)

    page.route(STATUS, answer)
    return seen


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "content_type": "text/html", "body": "<h1>Back soon</h1>"},
        {"status": 200, "content_type": "application/json", "body": '{"phase": "wai'},
        {"status": 503, "body": ""},
        None,
    ],
    ids=["another page", "cut", "down", "no network"],
)
def test_room_goes_on_looking_after_an_answer_that_is_none(
    troubled_page: Page, answer: Any
) -> None:
    answering(troubled_page, answer)
    troubled_page.wait_for_event("request", lambda request: "/status/" in request.url)
    Conversation.objects.update(status="launching")
    expect(troubled_page.get_by_role("region", name="Preparing the room")).to_be_visible()


def test_offline_is_said_once_and_taken_back(troubled_page: Page) -> None:
    seen = answering(troubled_page, None, None)
    notice = troubled_page.get_by_role("status").filter(has_text=OFFLINE)
    wait_for(troubled_page, lambda: len(seen) == 1)
    expect(notice).to_have_count(0)  # a single look that failed worries nobody
    expect(notice).to_be_visible()
    wait_for(troubled_page, lambda: len(seen) > 2)
    expect(notice).to_have_count(0)


def test_who_has_been_signed_out_is_told_and_finds_back(troubled_page: Page) -> None:
    troubled_page.context.clear_cookies()
    expect(troubled_page.get_by_role("status").filter(has_text=STOPPED)).to_be_visible()
    troubled_page.get_by_role("link", name="Load the page again").click()
    troubled_page.wait_for_url("**/login/?next=/tavus/rooms/**")


def test_redirect_to_a_login_page_is_no_answer(troubled_page: Page) -> None:
    answering(troubled_page, {"status": 302, "headers": {"Location": "/admin/login/"}, "body": ""})
    expect(troubled_page.get_by_role("status").filter(has_text=STOPPED)).to_be_visible()


def test_room_that_nobody_may_ask_about_asks_nothing_on_coming_back(
    page: Page, site: str, settings: Any
) -> None:
    settings.ROOT_URLCONF = __name__
    make_conversation(owner=None, status="queued")
    page.goto(f"{site}/rooms/everybody/")
    expect(page.get_by_role("heading", name="You are in the queue")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(BACK)
    page.wait_for_timeout(500)
    assert asked == []
