"""Every page under axe, in light, in dark and on a phone, and a picture of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from django_tavus.models import Conversation, Utterance
from django_tavus.testing import make_conversation
from tests.browser.steps import change_url, launch, now, room_url, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SAID = (
    ("replica", "Hello! Ready to practice your pitch on me?"),
    ("user", "I would like to practice my pitch."),
    ("replica", "Go on. Who is it for, and what do they lose without it?"),
)
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
LOOKS: dict[str, tuple[Any, Any]] = {
    "light": ("light", WIDE),
    "dark": ("dark", WIDE),
    "phone": ("light", PHONE),
    "phone-dark": ("dark", PHONE),
}


@pytest.fixture
def context_options() -> dict[str, Any]:
    # axe writes styles into the page, which the documented headers would not let it.
    return {"bypass_csp": True}


def waiting(page: Page, owner: Any) -> Conversation:
    make_conversation(status="queued")
    return make_conversation(status="queued", owner=owner)


def joining(page: Page, owner: Any) -> Conversation:
    conversation = launch()
    wait_for(page, lambda: now(conversation).is_joinable)
    return now(conversation)


def ended(page: Page, owner: Any) -> Conversation:
    began = timezone.now() - timedelta(minutes=5)
    conversation = make_conversation(
        status="ended", owner=owner, launched_at=began, ended_at=timezone.now(), turns=len(SAID)
    )
    Utterance.objects.bulk_create(
        Utterance(conversation=conversation, position=position, role=role, content=content)
        for position, (role, content) in enumerate(SAID)
    )
    return conversation


def failed(page: Page, owner: Any) -> Conversation:
    return make_conversation(
        status="failed", owner=owner, error_code="out_of_credits", error_message="No minutes left."
    )


def made(**values: Any) -> Callable[[Page, Any], Conversation]:
    return lambda page, owner: make_conversation(owner=owner, **values)


def checking(page: Page) -> None:
    page.get_by_role("button", name="Check camera and microphone").click()
    expect(page.get_by_text("Your microphone works")).to_be_visible()


def refused(page: Page) -> None:
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () =>"
        " { throw new DOMException('', 'NotAllowedError'); }; }"
    )
    page.get_by_role("button", name="Check camera and microphone").click()
    expect(page.get_by_text("not allowed to use them")).to_be_visible()


def nothing(page: Page) -> None:
    pass


Make = Callable[[Page, Any], Conversation]
PAGES: dict[str, tuple[Make, Callable[[str, Any], str], Callable[[Page], None], str]] = {
    "waiting": (waiting, room_url, nothing, "In the queue"),
    "waiting-check": (waiting, room_url, checking, "In the queue"),
    "waiting-refused": (waiting, room_url, refused, "In the queue"),
    "launching": (made(status="launching"), room_url, nothing, "Preparing the room"),
    "joining": (joining, room_url, nothing, "In the call"),
    "ending": (made(end_requested_at=timezone.now()), room_url, nothing, "Hanging up"),
    "ended": (ended, room_url, nothing, "Ended"),
    "ended-pending": (made(status="ended", ended_at=timezone.now()), room_url, nothing, "Ended"),
    "canceled": (made(status="ended", tavus_id=None), room_url, nothing, "Ended"),
    "failed": (failed, room_url, nothing, "Failed"),
    "admin-conversation": (ended, change_url, nothing, "Change conversation"),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(
    admin_page: Page, site: str, django_user_model: Any, shoot: Any, name: str, look: str
) -> None:
    make, address, prepare, title = PAGES[name]
    scheme, size = LOOKS[look]
    admin_page.emulate_media(color_scheme=scheme)
    admin_page.set_viewport_size(size)
    admin_page.goto(address(site, make(admin_page, django_user_model.objects.get())))
    assert title in admin_page.title()
    prepare(admin_page)
    shoot(admin_page, f"axe-{name}-{look}")
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert admin_page.evaluate(overflow) <= 0
    result = Axe().run(admin_page)
    assert len(result.response["passes"]) > 10  # it did look
    assert result.violations_count == 0, result.generate_report()
