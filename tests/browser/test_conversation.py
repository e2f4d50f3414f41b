from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import FrameLocator, Page, expect

from django_tavus.models import Conversation, Persona
from django_tavus.services import launch_conversation, leaving
from django_tavus.testing import make_conversation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SPOKEN = "I would like to practice my pitch."


def wait_for(page: Page, reached: Callable[[], Any], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "waited in vain"
        page.wait_for_timeout(100)  # a sleep here would hold up the requests of the pages


def change_url(site: str, row: Any) -> str:
    name = f"admin:django_tavus_{row._meta.model_name}_change"
    return site + reverse(name, args=[row.pk])


def join(page: Page) -> FrameLocator:
    frame = page.frame_locator("iframe")
    frame.get_by_label("Your name").fill("Ada")
    frame.get_by_role("button", name="Join").click()
    return frame


def converse(frame: FrameLocator) -> None:
    expect(frame.get_by_role("log")).to_contain_text("Ready to practice")
    frame.get_by_label("What you say").fill(SPOKEN)
    frame.get_by_role("button", name="Say").click()
    expect(frame.get_by_role("log")).to_contain_text(f"“{SPOKEN}”")


@pytest.fixture
def call(admin_page: Page, site: str, django_user_model: Any) -> Conversation:
    """A running call of whoever is signed in."""
    conversation = launch_conversation(
        persona=Persona.objects.get(persona_name="Sales Coach"),
        owner=django_user_model.objects.get(),
    )
    wait_for(admin_page, lambda: Conversation.objects.get(pk=conversation.pk).is_joinable)
    return conversation


def test_from_the_admin_button_to_the_transcript(admin_page: Page, site: str, shoot: Any) -> None:
    persona = Persona.objects.get(persona_name="Sales Coach")
    admin_page.goto(change_url(site, persona))
    shoot(admin_page, "admin-persona")
    admin_page.get_by_role("button", name="Launch conversation").click()
    expect(admin_page.get_by_text("is being launched").first).to_be_visible()
    conversation = Conversation.objects.get()
    assert admin_page.url == change_url(site, conversation)

    room = admin_page.context.new_page()
    room.goto(site + conversation.get_absolute_url())
    frame = join(room)
    converse(frame)
    shoot(room, "room-joining")
    room.get_by_role("button", name="Leave").click()

    expect(room.get_by_text("The conversation has ended")).to_be_visible()
    expect(room.get_by_role("listitem").filter(has_text=SPOKEN).first).to_be_visible()
    expect(room.locator(".tavus-pill")).to_have_text("ended")
    shoot(room, "room-ended")

    conversation.refresh_from_db()
    assert conversation.status == "ended"
    wait_for(admin_page, lambda: Conversation.objects.exclude(perception_analysis="").exists())
    admin_page.goto(change_url(site, conversation))
    expect(admin_page.get_by_text(SPOKEN).first).to_be_visible()
    shoot(admin_page, "admin-conversation", full_page=True)


def test_leaving_inside_the_frame_is_noticed_by_the_page(
    admin_page: Page, site: str, django_user_model: Any
) -> None:
    conversation = launch_conversation(
        persona=Persona.objects.get(persona_name="Sales Coach"),
        owner=django_user_model.objects.get(),
        properties={"participant_left_timeout": 1},
    )
    # The page waits in line, and goes into the room by itself.
    admin_page.goto(site + conversation.get_absolute_url())
    frame = join(admin_page)
    converse(frame)
    frame.get_by_role("button", name="Leave").click()
    expect(admin_page.get_by_text("The conversation has ended").first).to_be_visible()
    expect(admin_page.get_by_role("listitem").filter(has_text=SPOKEN).first).to_be_visible()


def test_closing_the_tab_ends_the_call(admin_page: Page, site: str, call: Conversation) -> None:
    tab = admin_page.context.new_page()
    tab.goto(site + call.get_absolute_url())
    converse(join(tab))
    tab.close()
    wait_for(admin_page, lambda: Conversation.objects.get(pk=call.pk).left_at)
    assert leaving.end_left(timezone.now() + timedelta(seconds=9)) == 1
    wait_for(admin_page, lambda: Conversation.objects.get(pk=call.pk).status == "ended")


def test_reloading_the_page_keeps_the_call(admin_page: Page, site: str, call: Conversation) -> None:
    admin_page.goto(site + call.get_absolute_url())
    converse(join(admin_page))
    admin_page.reload()
    wait_for(admin_page, lambda: Conversation.objects.get(pk=call.pk).polled_at)
    assert leaving.end_left(timezone.now() + timedelta(seconds=9)) == 0
    join(admin_page)
    expect(admin_page.frame_locator("iframe").get_by_role("log")).to_contain_text(SPOKEN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_place_in_the_queue_moves_while_one_waits(
    admin_page: Page, site: str, django_user_model: Any, shoot: Any, scheme: Any
) -> None:
    admin_page.emulate_media(color_scheme=scheme)
    admin_page.set_viewport_size({"width": 390, "height": 780})
    ahead = make_conversation(status="queued")
    mine = make_conversation(status="queued", owner=django_user_model.objects.get())
    admin_page.goto(site + mine.get_absolute_url())
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
