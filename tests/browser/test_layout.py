from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from django_tavus.models import Persona
from django_tavus.testing import make_conversation
from tests.browser.steps import launch, now, room_url, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 3
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(("language", "side"), [("en", "right"), ("he", "left")])
def test_way_out_is_at_the_far_end_of_the_bar(
    admin_page: Page, site: str, settings: Any, language: str, side: str
) -> None:
    conversation = launch()
    wait_for(admin_page, lambda: now(conversation).is_joinable)
    settings.LANGUAGE_CODE = language
    admin_page.goto(room_url(site, conversation))
    box = admin_page.locator(".tavus-bar__action").bounding_box()
    width = admin_page.evaluate("innerWidth")
    assert box
    assert (box["x"] if side == "left" else width - box["x"] - box["width"]) < 20


@pytest.mark.parametrize("status", ["queued", "launching", "ended", "failed"])
def test_long_words_stay_on_a_phone(
    admin_page: Page, site: str, django_user_model: Any, status: str
) -> None:
    admin_page.set_viewport_size({"width": 390, "height": 780})
    conversation = make_conversation(
        status=status,
        owner=django_user_model.objects.get(),
        persona=Persona.objects.create(persona_name=LONG),
        error_message=LONG,
        ended_at=timezone.now(),
        turns=1,
    )
    conversation.utterances.create(position=0, role="replica", content=LONG)
    admin_page.goto(room_url(site, conversation))
    assert admin_page.evaluate(OVERFLOW) <= 0
