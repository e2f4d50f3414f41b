from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from django_tavus.models import Conversation, Persona
from django_tavus.services import end_conversation
from django_tavus.testing import make_conversation
from tests.browser.steps import (
    SPOKEN,
    change_url,
    converse,
    join,
    launch,
    now,
    room_url,
    wait_for,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_admin_button_to_the_transcript(admin_page: Page, site: str, shoot: Any) -> None:
    persona = Persona.objects.get(persona_name="Sales Coach")
    admin_page.goto(change_url(site, persona))
    shoot(admin_page, "admin-persona")
    admin_page.get_by_role("button", name="Launch conversation").click()
    expect(admin_page.get_by_text("is being launched").first).to_be_visible()
    conversation = Conversation.objects.get()
    assert admin_page.url == change_url(site, conversation)

    room = admin_page.context.new_page()
    room.goto(room_url(site, conversation))
    frame = join(room)
    converse(frame)
    shoot(room, "room-joining")
    room.set_viewport_size({"width": 390, "height": 780})
    shoot(room, "room-phone", docs=True)
    room.get_by_role("button", name="Leave").click()

    expect(room.get_by_text("The conversation has ended")).to_be_visible()
    expect(room.get_by_role("listitem").filter(has_text=SPOKEN).first).to_be_visible()
    expect(room.locator(".tavus-pill")).to_have_text("Ended")
    shoot(room, "room-ended")

    conversation.refresh_from_db()
    assert conversation.status == "ended"
    wait_for(admin_page, lambda: Conversation.objects.exclude(perception_analysis="").exists())
    admin_page.goto(change_url(site, conversation))
    expect(admin_page.get_by_text(SPOKEN).first).to_be_visible()
    shoot(admin_page, "admin-conversation", full_page=True, docs=True)


def test_from_the_queue_through_the_device_check_and_the_call_to_the_transcript(
    admin_page: Page, site: str, settings: Any, shoot: Any
) -> None:
    settings.TAVUS = {**settings.TAVUS, "MAX_CONCURRENT": 1}
    ahead = launch()
    wait_for(admin_page, lambda: now(ahead).is_joinable)
    mine = launch()

    admin_page.goto(room_url(site, mine))
    expect(admin_page.get_by_role("heading", name="You are in the queue")).to_be_visible()
    expect(admin_page.locator("[data-tavus-position]")).to_have_text("1")
    expect(admin_page).to_have_title("In the queue · Sales Coach")
    admin_page.get_by_role("button", name="Check camera and microphone").click()
    expect(admin_page.get_by_text("Your microphone works")).to_be_visible()
    shoot(admin_page, "room-waiting-check", docs=True)
    assert now(mine).status == "queued"

    end_conversation(ahead)
    frame = join(admin_page)  # the page has gone into the room by itself
    expect(admin_page).to_have_title("In the call · Sales Coach")
    converse(frame)
    admin_page.get_by_role("button", name="Leave").click()
    expect(admin_page.get_by_role("heading", name="The conversation has ended")).to_be_visible()
    expect(admin_page.get_by_role("listitem").filter(has_text=SPOKEN).first).to_be_visible()
    expect(admin_page).to_have_title("Ended · Sales Coach")


def test_leaving_inside_the_frame_is_noticed_by_the_page(admin_page: Page, site: str) -> None:
    conversation = launch(properties={"participant_left_timeout": 1})
    # The page waits in line, and goes into the room by itself.
    admin_page.goto(room_url(site, conversation))
    frame = join(admin_page)
    converse(frame)
    frame.get_by_role("button", name="Leave").click()
    expect(admin_page.get_by_text("The conversation has ended").first).to_be_visible()
    expect(admin_page.get_by_role("listitem").filter(has_text=SPOKEN).first).to_be_visible()


def test_private_room_opens_with_its_token_and_not_without(admin_page: Page, site: str) -> None:
    conversation = launch(require_auth=True)
    admin_page.goto(room_url(site, conversation))
    frame = join(admin_page)
    converse(frame)
    conversation = now(conversation)
    source = admin_page.locator("iframe").get_attribute("src")
    assert source == f"{conversation.conversation_url}?t={conversation.meeting_token}"

    for query in ("", "?t=", f"?t={conversation.meeting_token}x"):
        assert admin_page.request.get(conversation.conversation_url + query).status == 403


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_place_in_the_queue_moves_while_one_waits(
    admin_page: Page, site: str, django_user_model: Any, shoot: Any, scheme: Any
) -> None:
    admin_page.emulate_media(color_scheme=scheme)
    admin_page.set_viewport_size({"width": 390, "height": 780})
    ahead = make_conversation(status="queued")
    mine = make_conversation(status="queued", owner=django_user_model.objects.get())
    admin_page.goto(room_url(site, mine))
    place = admin_page.locator("[data-tavus-position]")
    expect(place).to_have_text("2")
    shoot(admin_page, f"room-waiting-{scheme}")
    Conversation.objects.filter(pk=ahead.pk).update(status="ended")
    expect(place).to_have_text("1")
    Conversation.objects.filter(pk=mine.pk).update(
        status="failed", error_code="out_of_credits", error_message="No minutes are left."
    )
    expect(admin_page.get_by_role("alert")).to_contain_text("out of credits")
    shoot(admin_page, f"room-failed-{scheme}")
