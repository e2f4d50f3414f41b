from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template, engines
from django.test import RequestFactory
from django.utils import timezone

from django_tavus.models import Conversation
from django_tavus.rooms.phases import phase_of
from django_tavus.templatetags.tavus import tavus_device_check, tavus_room
from django_tavus.testing import make_conversation

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = ROOT / "django_tavus" / "templates" / "django_tavus"
ROW = re.compile(r"^\| `([\w.]+\.html)` \| ((?:`\w+` ?)+)\|$", re.MULTILINE)
DOCUMENTED = {
    template: re.findall(r"\w+", blocks)
    for template, blocks in ROW.findall((ROOT / "docs" / "room.md").read_text())
}
EVERY = [(template, block) for template, blocks in DOCUMENTED.items() for block in blocks]

STATES: dict[str, dict[str, Any]] = {
    "room_waiting.html": {"status": "queued"},
    "room_launching.html": {"status": "launching"},
    "room_ending.html": {"end_requested_at": timezone.now()},
    "room_ended.html": {"status": "ended"},
    "room_failed.html": {"status": "failed"},
}


def context_for(template: str, user: Any) -> dict[str, Any]:
    """What the template is rendered with, in a state in which all of it is shown."""
    request = RequestFactory().get("/")
    request.user = user
    conversation = make_conversation(owner=user, **STATES.get(template, {}))
    page = {
        "conversation": conversation,
        "phase": phase_of(conversation),
        "may_end": True,
        "request": request,
    }
    if template in ("base.html", "room.html"):
        return page
    if template == "room_device_check.html":
        return tavus_device_check(Context(page))
    return tavus_room(Context(page), conversation)


def test_every_template_of_the_room_is_documented() -> None:
    pages = {path.name for path in TEMPLATES.glob("room*.html")} | {"base.html"}
    assert set(DOCUMENTED) == pages - {"room_assets.html"}


@pytest.mark.parametrize("template", DOCUMENTED)
def test_every_block_is_documented(template: str) -> None:
    source = (TEMPLATES / template).read_text()
    assert set(re.findall(r"{% block (\w+) %}", source)) == set(DOCUMENTED[template])


@pytest.mark.parametrize(("template", "block"), EVERY)
def test_documented_block_can_be_overridden(
    template: str, block: str, django_user_model: Any
) -> None:
    user = django_user_model.objects.create_user("owner")
    context = context_for(template, user)
    if block == "refused":
        context["shown"] = False
    child = f'{{% extends "django_tavus/{template}" %}}{{% block {block} %}}MINE{{% endblock %}}'
    html = engines["django"].from_string(child).render(context)
    assert html.count("MINE") == 1


def test_a_phase_may_extend_the_one_that_it_overrides(
    django_user_model: Any, settings: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "django_tavus"
    folder.mkdir()
    child = '{% extends "django_tavus/room_waiting.html" %}{% block advice %}TIPS{% endblock %}'
    (folder / "room_waiting.html").write_text(child)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    user = django_user_model.objects.create_user("owner")
    waiting: Conversation = make_conversation(owner=user, status="queued")
    page = Template("{% load tavus %}{% tavus_room conversation %}")
    html = page.render(Context({"conversation": waiting, "user": user}))
    assert "TIPS" in html
    assert "You are in the queue" in html
    assert "Keep this page open" not in html
