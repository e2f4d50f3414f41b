"""Below a path, below the prefix of a server, and below both: every address leads back here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from django.urls import get_script_prefix, include, path, set_script_prefix
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as Browser, TestResponse
from werkzeug.wrappers import Response

from django_tavus.models import Conversation
from django_tavus.services import tokens
from django_tavus.testing import make_conversation

# The server's own handler closes connections after a request: no test may hold a transaction.
pytestmark = pytest.mark.django_db(transaction=True)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("a/b/tavus/", include("django_tavus.urls")),
]
SERVER = "/site"


@pytest.fixture(params=["", SERVER], ids=["path", "path and script prefix"])
def prefix(request: Any, settings: Any) -> Iterator[str]:
    """The prefix of the server; the paths of the URLconf come after it."""
    settings.ROOT_URLCONF = __name__
    settings.STATIC_URL = "static/"
    before = get_script_prefix()
    set_script_prefix(f"{request.param}/")
    yield request.param
    set_script_prefix(before)


@pytest.fixture
def owner(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("owner")


@pytest.fixture
def stranger(prefix: str) -> Browser:
    """A browser before a server that mounts the site below ``prefix``, as WSGI has it."""
    nothing = Response("not the site", status=404)
    site = WSGIHandler()
    return Browser(DispatcherMiddleware(nothing, {prefix: site}) if prefix else site)


@pytest.fixture
def visitor(stranger: Browser, owner: Any) -> Browser:
    client = Client()
    client.force_login(owner)
    name = django_settings.SESSION_COOKIE_NAME
    stranger.set_cookie(name, client.cookies[name].value)
    return stranger


def html_of(response: TestResponse) -> str:
    assert response.status_code == 200
    return response.get_data(as_text=True)


def attribute(html: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', html)
    assert found, f"no {name}"
    return found[1]


def path_of(prefix: str, conversation: Conversation, rest: str = "") -> str:
    return f"{prefix}/a/b/tavus/rooms/{conversation.pk}/{rest}"


def test_every_address_of_the_page_leads_back(visitor: Browser, prefix: str, owner: Any) -> None:
    conversation = make_conversation(owner=owner)
    html = html_of(visitor.get(path_of(prefix, conversation)))
    assert attribute(html, "action") == path_of(prefix, conversation)
    assert attribute(html, "data-status-url") == path_of(prefix, conversation, "status/")
    assert attribute(html, "data-leave-url").startswith(path_of(prefix, conversation, "leave/"))
    static = re.findall(r'(?:href|src)="([^"]*room\.(?:css|js))"', html)
    assert set(static) == {
        f"{prefix}/static/django_tavus/room.css",
        f"{prefix}/static/django_tavus/room.js",
    }


def test_status_and_beacon_are_answered_where_the_page_says(
    visitor: Browser, prefix: str, owner: Any
) -> None:
    conversation = make_conversation(owner=owner)
    html = html_of(visitor.get(path_of(prefix, conversation)))
    status = visitor.get(attribute(html, "data-status-url"))
    assert status.json is not None
    assert status.json["phase"] == "joining"
    assert visitor.post(attribute(html, "data-leave-url"), data="left").status_code == 204
    conversation.refresh_from_db()
    assert conversation.left_at is not None


def test_leave_button_comes_back_to_the_page(visitor: Browser, prefix: str, owner: Any) -> None:
    conversation = make_conversation(owner=owner)
    page = path_of(prefix, conversation)
    token = attribute(html_of(visitor.get(page)).partition("csrfmiddlewaretoken")[2], "value")
    answer = visitor.post(page, data={"csrfmiddlewaretoken": token})
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    assert 'data-phase="ending"' in html_of(visitor.get(answer.headers["Location"]))


def test_stranger_is_sent_to_the_login_and_back(
    stranger: Browser, prefix: str, settings: Any
) -> None:
    settings.LOGIN_URL = "admin:login"
    page = path_of(prefix, make_conversation())
    answer = stranger.get(page)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{prefix}/admin/login/?next={page}"


def test_callback_address_has_the_paths_of_the_proxy_and_of_the_urlconf(
    prefix: str, settings: Any
) -> None:
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": "https://site.example/behind/proxy"}
    url = tokens.callback_url(make_conversation())
    assert url.startswith(f"https://site.example/behind/proxy{prefix}/a/b/tavus/callbacks/")
