"""What goes out with a room, and what stays. Every room page of these tests is served under the
headers of docs/room.md, and whatever Chromium complains about fails the test.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from django_tavus.services import tokens
from tests.browser.headers import documented_headers, headers_for
from tests.browser.steps import converse, join, launch, now, room_url, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FEATURES = ["camera", "microphone", "fullscreen", "display-capture", "autoplay"]


def test_room_is_served_under_the_documented_headers(
    admin_page: Page, site: str, settings: Any
) -> None:
    conversation = launch()
    wait_for(admin_page, lambda: now(conversation).is_joinable)
    answer = admin_page.goto(room_url(site, conversation))
    assert answer is not None
    for name, value in headers_for(settings.TAVUS["BASE_URL"]).items():
        assert answer.headers[name.lower()] == value
    assert set(documented_headers()) <= {
        "Content-Security-Policy",
        "Permissions-Policy",
        "X-Frame-Options",
    }
    frame = admin_page.frame(url=lambda url: "/sandbox/rooms/" in url)
    assert frame is not None
    allowed = frame.evaluate("document.featurePolicy.allowedFeatures()")
    assert set(FEATURES) <= set(allowed)
    assert "geolocation" not in allowed
    frame.evaluate("navigator.mediaDevices.getUserMedia({ audio: true, video: true })")


def test_frame_from_elsewhere_is_kept_out_by_the_documented_headers(
    admin_page: Page, site: str, complaints: list[str]
) -> None:
    """The other tests would pass without a policy; here is one that needs it."""
    conversation = launch()
    wait_for(admin_page, lambda: now(conversation).is_joinable)
    conversation = now(conversation)
    conversation.conversation_url = f"{site}/admin/login/"
    conversation.save()
    admin_page.goto(room_url(site, conversation))
    wait_for(admin_page, lambda: complaints)
    assert any("frame-src" in complaint for complaint in complaints)
    complaints.clear()


def test_neither_the_room_nor_its_tokens_are_told_to_anybody(admin_page: Page, site: str) -> None:
    conversation = launch(require_auth=True)
    requests: list[Request] = []
    admin_page.context.on("request", lambda request: requests.append(request))
    tab = admin_page.context.new_page()
    tab.goto(room_url(site, conversation))
    expect(tab.locator("iframe")).to_be_visible()
    leave = tab.locator("[data-leave-url]").get_attribute("data-leave-url")
    assert leave is not None
    converse(join(tab))
    tab.close()
    wait_for(admin_page, lambda: now(conversation).left_at)

    leave_token = leave.split("/")[-2]
    assert tokens.read_leave_token(leave_token) == conversation.pk
    carrying = [request.method for request in requests if leave_token in request.url]
    assert set(carrying) <= {"POST"}
    meeting_token = now(conversation).meeting_token
    assert meeting_token
    for request in requests:
        if request.url.startswith(site):
            assert meeting_token not in request.url
        referer = request.headers.get("referer", "")
        assert leave_token not in referer
        assert meeting_token not in referer
        if request.url.startswith(now(conversation).conversation_url):
            assert str(conversation.pk) not in referer


def test_frame_in_a_page_of_a_talkative_host_gets_no_referrer(admin_page: Page, site: str) -> None:
    conversation = launch()
    wait_for(admin_page, lambda: now(conversation).is_joinable)

    def talkative(route: Any) -> None:
        answer = route.fetch()
        body = answer.text().replace('<meta name="referrer" content="same-origin">', "")
        headers = {**answer.headers, "referrer-policy": "unsafe-url"}
        route.fulfill(response=answer, headers=headers, body=body)

    admin_page.route(room_url(site, conversation), talkative)
    room = now(conversation).conversation_url
    with admin_page.expect_request(lambda request: request.url == room) as asked:
        admin_page.goto(room_url(site, conversation))
    assert "referer" not in asked.value.all_headers()
