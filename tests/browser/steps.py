"""What people do on the pages, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import FrameLocator, Page, expect

from django_tavus.models import Conversation, Persona
from django_tavus.services import launch_conversation

SPOKEN = "I would like to practice my pitch."


def wait_for(page: Page, reached: Callable[[], Any], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "waited in vain"
        page.wait_for_timeout(100)  # a sleep here would hold up the requests of the pages


def change_url(site: str, row: Any) -> str:
    name = f"admin:django_tavus_{row._meta.model_name}_change"
    return site + reverse(name, args=[row.pk])


def room_url(site: str, conversation: Conversation) -> str:
    return site + conversation.get_absolute_url()


def launch(**fields: Any) -> Conversation:
    """Launch a call of whoever is signed in."""
    persona = Persona.objects.get(persona_name="Sales Coach")
    owner = get_user_model().objects.get()
    return launch_conversation(persona=persona, owner=owner, **fields)


def now(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


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
