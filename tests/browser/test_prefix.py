"""A whole call on a site below the prefix of a server and a path of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client
from django.urls import get_script_prefix, include, path, set_script_prefix
from playwright.sync_api import Page, expect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

import django_tavus
from django_tavus.models import Conversation
from django_tavus.testing import make_conversation
from tests.browser.steps import converse, join, launch, now, room_url, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PREFIX = "/site"
STATIC = str(Path(django_tavus.__file__).parent / "static")

HOST_PAGE = """{% load tavus %}<!DOCTYPE html><html lang="en"><title>Mine</title>
<link rel="icon" href="data:,"><h1>Mine</h1><p id="said">nothing</p>
{% tavus_room conversation %}"""


def embedded(request: HttpRequest) -> HttpResponse:
    conversation = Conversation.objects.with_queue_position().get()
    template = engines["django"].from_string(HOST_PAGE)
    return HttpResponse(template.render({"conversation": conversation}, request))


urlpatterns = [
    path("admin/", admin.site.urls),
    path("a/b/rooms/mine/", embedded),
    path("a/b/tavus/", include("django_tavus.urls")),
]


@pytest.fixture
def prefixed(site: str, settings: Any) -> Iterator[str]:
    """The origin of a server that mounts the site below ``PREFIX``: WSGI's ``SCRIPT_NAME``."""
    settings.ROOT_URLCONF = __name__
    settings.STATIC_URL = "static/"
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}  # the worker has no server's prefix
    before = get_script_prefix()
    set_script_prefix(f"{PREFIX}/")
    mounted = DispatcherMiddleware(Response("not the site", 404), {PREFIX: WSGIHandler()})
    application = SharedDataMiddleware(mounted, {f"{PREFIX}/static": STATIC})
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
        set_script_prefix(before)


@pytest.fixture
def visitor(page: Page, prefixed: str) -> Page:
    """The page of somebody who has signed in."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("ada"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": prefixed}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    return page


def test_call_below_a_prefix(visitor: Page, prefixed: str) -> None:
    conversation = launch()
    address = room_url(prefixed, conversation)
    assert address.startswith(f"{prefixed}{PREFIX}/a/b/tavus/rooms/")
    visitor.goto(address)
    converse(join(visitor))
    visitor.goto("about:blank")
    wait_for(visitor, lambda: now(conversation).left_at)
    visitor.goto(address)
    visitor.get_by_role("button", name="Leave").click()
    expect(visitor.get_by_role("heading", name="The conversation has ended")).to_be_visible()
    assert visitor.url == address


def test_page_of_the_host_may_do_something_else_than_reload(visitor: Page, prefixed: str) -> None:
    mine = make_conversation(status="queued", owner=get_user_model().objects.get())
    visitor.goto(f"{prefixed}{PREFIX}/a/b/rooms/mine/")
    expect(visitor.get_by_role("heading", name="You are in the queue")).to_be_visible()
    visitor.evaluate(
        "document.addEventListener('tavus:status', (event) => {"
        " document.querySelector('#said').textContent = event.detail.phase;"
        " event.preventDefault(); })"
    )
    Conversation.objects.filter(pk=mine.pk).update(status="launching")
    expect(visitor.locator("#said")).to_have_text("launching")
    expect(visitor.get_by_role("heading", name="You are in the queue")).to_be_visible()
    Conversation.objects.filter(pk=mine.pk).update(status="failed")
    expect(visitor.locator("#said")).to_have_text("failed")
