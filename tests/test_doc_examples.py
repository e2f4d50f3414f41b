"""What docs/python.md and docs/extending.md show is done, and does what they say."""

from __future__ import annotations

import re
import types
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import resolve, reverse

from django_tavus.models import Conversation, OutboxEntry
from django_tavus.testing import make_conversation, make_persona

ROOT = Path(__file__).resolve().parent.parent


def example(page: str, name: str) -> dict[str, Any]:
    """Run the code block that begins with ``# <name>``; return its names."""
    text = (ROOT / "docs" / page).read_text()
    found = re.search(rf"```python\n(# {name}\n.*?)```", text, re.DOTALL)
    assert found
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(found[1], page, "exec"), names)
    return names


def test_views_are_replaced_by_a_path_before_the_include():
    names = example("extending.md", "urls.py")
    urlconf = types.ModuleType("urlconf")
    urlconf.urlpatterns = names["urlpatterns"]
    room = reverse("django_tavus:room", kwargs={"pk": uuid.uuid4()}, urlconf=urlconf)
    callback = reverse("django_tavus:callback", kwargs={"token": "t"}, urlconf=urlconf)
    assert resolve(room, urlconf).func.view_class is names["OurRoomView"]
    assert resolve(callback, urlconf).func.view_class is names["OurCallbackView"]


def test_admins_are_replaced_by_ones_own():
    registered = dict(admin.site._registry)
    try:
        names = example("extending.md", "admin.py")
        assert OutboxEntry not in admin.site._registry
        ours = admin.site._registry[Conversation]
        assert isinstance(ours, names["OurConversationAdmin"])
        assert ours.check() == []
    finally:
        admin.site._registry = registered


@pytest.mark.django_db
def test_a_launch_from_python_is_as_documented(django_user_model):
    text = (ROOT / "docs" / "python.md").read_text()
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0], names)
    make_persona(tavus_id="pcb7a34da5fe")
    user = django_user_model.objects.create_user("ada")
    lead = types.SimpleNamespace(product="coaching", pk=42)
    assert names["start"](user, lead) == names["start"](user, lead)
    assert Conversation.objects.get().reference == "lead:42"


@pytest.mark.django_db
def test_the_questions_of_the_python_page_have_answers(django_user_model):
    text = (ROOT / "docs" / "python.md").read_text()
    (code,) = re.findall(r"```python\n(from django_tavus.models.*?)```", text, re.DOTALL)
    conversation = make_conversation(owner=django_user_model.objects.create_user("ada"))
    exec(code, {"user": conversation.owner})


@pytest.mark.django_db
def test_the_permissions_that_are_documented_exist_and_none_of_ours_is_left_out():
    page = (ROOT / "docs" / "extending.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    ours = Permission.objects.filter(content_type__app_label="django_tavus")
    known = set(ours.values_list("codename", flat=True))
    stock = {name for name in known if re.match("(add|change|delete|view)_", name)}
    assert told <= known
    assert known - stock <= told
