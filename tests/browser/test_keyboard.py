from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from django_tavus.models import Conversation
from django_tavus.testing import make_conversation
from tests.browser.steps import launch, now, room_url, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WATCH = """
  window.said = [];
  for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live]")) {
    new MutationObserver(() => window.said.push(region.textContent.trim()))
      .observe(region, { subtree: true, childList: true, characterData: true, attributes: true });
  }
"""
OUTLINE = "() => getComputedStyle(document.activeElement).outlineStyle"


def is_status(response: Any) -> bool:
    return bool(response.url.endswith("/status/"))


@pytest.fixture
def queue(admin_page: Page, site: str, django_user_model: Any) -> tuple[Page, Conversation]:
    """The page of somebody who waits behind another, and that other's conversation."""
    ahead = make_conversation(status="queued")
    mine = make_conversation(status="queued", owner=django_user_model.objects.get())
    admin_page.goto(room_url(site, mine))
    expect(admin_page.get_by_role("button", name="Check camera")).to_be_visible()
    return admin_page, ahead


def test_everything_is_reached_with_tab_and_is_seen_to_be(queue: Any) -> None:
    page, _ = queue
    for name in ("Cancel", "Check camera and microphone"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=name)).to_be_focused()
        assert page.evaluate(OUTLINE) == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your microphone works")).to_be_visible()
    expect(page.get_by_role("button", name="Stop the check")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Check camera and microphone")).to_be_focused()


def test_polling_takes_no_focus_and_says_only_what_changes(queue: Any) -> None:
    page, ahead = queue
    button = page.get_by_role("button", name="Check camera and microphone")
    button.focus()
    page.evaluate(WATCH)
    for _ in range(3):
        page.wait_for_event("response", is_status)
    assert page.evaluate("said") == []
    Conversation.objects.filter(pk=ahead.pk).update(status="ended")
    wait_for(page, lambda: page.evaluate("said") == ["Your place: 1"])
    page.wait_for_event("response", is_status)
    assert page.evaluate("said") == ["Your place: 1"]
    expect(button).to_be_focused()


def test_next_phase_keeps_the_place_of_who_was_in_the_room(queue: Any) -> None:
    page, _ = queue
    page.get_by_role("button", name="Check camera and microphone").focus()
    Conversation.objects.update(status="launching")
    room = page.get_by_role("region", name="Preparing the room")
    expect(room).to_be_focused()
    page.reload()  # a reload of one's own is an ordinary one
    expect(room).to_be_visible()
    expect(room).not_to_be_focused()


def test_next_phase_takes_no_focus_from_the_rest_of_the_page(queue: Any) -> None:
    page, _ = queue
    page.get_by_role("button", name="Cancel").focus()
    Conversation.objects.update(status="launching")
    room = page.get_by_role("region", name="Preparing the room")
    expect(room).to_be_visible()
    expect(room).not_to_be_focused()


def test_call_is_left_with_the_keyboard_alone(admin_page: Page, site: str) -> None:
    conversation = launch()
    wait_for(admin_page, lambda: now(conversation).is_joinable)
    admin_page.goto(room_url(site, conversation))
    # A frame that is still being loaded takes the focus and gives none back.
    expect(admin_page.frame_locator("iframe").get_by_label("Your name")).to_be_visible()
    admin_page.keyboard.press("Tab")
    expect(admin_page.get_by_role("button", name="Leave")).to_be_focused()
    admin_page.keyboard.press("Tab")  # into the frame
    assert admin_page.evaluate("document.activeElement.tagName") == "IFRAME"
    admin_page.keyboard.press("Shift+Tab")
    admin_page.keyboard.press("Enter")
    expect(admin_page.get_by_role("heading", name="The conversation has ended")).to_be_visible()
