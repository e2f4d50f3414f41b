from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from django_tavus.models import Conversation
from django_tavus.testing import make_conversation
from tests.browser.steps import launch, now, room_url, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def context_options() -> dict[str, Any]:
    return {"java_script_enabled": False}


def test_page_goes_from_the_queue_into_the_room_and_leaves_it(admin_page: Page, site: str) -> None:
    conversation = launch()
    wait_for(admin_page, lambda: now(conversation).is_joinable)
    Conversation.objects.filter(pk=conversation.pk).update(status="queued")
    admin_page.goto(room_url(site, conversation))
    expect(admin_page.get_by_role("heading", name="You are in the queue")).to_be_visible()
    expect(admin_page.get_by_role("link", name="Look again")).to_be_visible()
    expect(admin_page.get_by_role("button", name="Check camera")).to_be_hidden()
    Conversation.objects.filter(pk=conversation.pk).update(status="active")
    expect(admin_page.locator("iframe")).to_be_visible(timeout=10_000)  # by itself
    admin_page.get_by_role("button", name="Leave").click()
    expect(admin_page.get_by_role("heading", name="The conversation has ended")).to_be_visible(
        timeout=10_000
    )


@pytest.mark.parametrize(
    ("status", "heading"),
    [("failed", "This did not work"), ("ended", "The conversation has ended")],
)
def test_page_of_a_conversation_that_is_over_needs_no_scripts(
    admin_page: Page, site: str, django_user_model: Any, status: str, heading: str
) -> None:
    conversation = make_conversation(status=status, owner=django_user_model.objects.get(), turns=0)
    admin_page.goto(room_url(site, conversation))
    expect(admin_page.get_by_role("heading", name=heading)).to_be_visible()
    expect(admin_page.get_by_role("link", name="Look again")).to_have_count(0)


def test_place_in_the_queue_is_given_up_with_a_button(
    admin_page: Page, site: str, django_user_model: Any
) -> None:
    owner = django_user_model.objects.get()
    waiting = make_conversation(status="queued", tavus_id=None, owner=owner)
    admin_page.goto(room_url(site, waiting))
    admin_page.get_by_role("button", name="Cancel").click()
    expect(admin_page.get_by_role("heading", name="The conversation was canceled")).to_be_visible()
