"""A site, a sandbox, a worker and a Chromium that really talk to each other over HTTP.

Run by themselves (``make test-browser``): the site's threads need a database in a file.
"""

from __future__ import annotations

import importlib.util
import os
import queue
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.db import close_old_connections, connection, connections
from django.test import override_settings

from django_tavus.sandbox import Sandbox
from django_tavus.sandbox.server import SandboxServer
from django_tavus.services import clients, enqueue
from django_tavus.services.syncing import sync_objects

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

ARTIFACTS = Path(__file__).resolve().parent.parent.parent / "artifacts"
DOCS_IMAGES = ARTIFACTS.parent / "docs" / "images"
DOCS_IMAGE_BYTES = 180_000
CANDIDATES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
LOCAL = {"127.0.0.1", "localhost"}


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Let the other tests run where Playwright is not installed; these need it."""
    if importlib.util.find_spec("playwright"):
        return None
    if config.option.markexpr == "browser":
        raise pytest.UsageError("Playwright is missing: run `make test-browser`.")
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Put SQLite into a file: threads that share one connection would share its transactions."""
    settings = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        settings["TEST"]["NAME"] = str(tmp_path_factory.mktemp("db") / "browser.sqlite3")
        settings["OPTIONS"].update(
            init_command="PRAGMA journal_mode=WAL;", transaction_mode="IMMEDIATE", timeout=20
        )


@pytest.fixture(scope="session")
def strict_headers() -> Iterator[None]:
    """Room pages are served under the headers of docs/room.md, in every test."""
    middleware = ["tests.browser.headers.DocumentedHeaders", *django_settings.MIDDLEWARE]
    with override_settings(MIDDLEWARE=middleware):
        yield


@pytest.fixture(scope="session")
def live_server(django_db_setup: None, strict_headers: None, live_server: Any) -> Any:
    """After the database and the middleware: the server looks at once at both."""
    return live_server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, CANDIDATES)), None)
    if executable is None:
        message = "NO CHROMIUM FOUND: the browser tests did not run (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    # Playwright's synchronous API keeps an event loop in this thread, and Django would refuse
    # to touch the database beside it.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


class Complaints:
    """What pages have complained about: console errors, page errors, requests to elsewhere."""

    def __init__(self, context: BrowserContext, found: list[str]) -> None:
        self.found = found
        context.on("console", self._console)
        context.on("weberror", lambda event: self.found.append(f"page error: {event.error}"))
        context.route("**/*", self._route)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"console {message.type}: {message.text} ({message.location})")

    def _route(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.hostname in LOCAL or url.scheme in ("data", "blob"):
            route.continue_()
        else:
            self.found.append(f"request to {url.hostname}")
            route.abort()


@pytest.fixture
def complaints() -> list[str]:
    """What the pages have complained about; a test that provokes it takes it out."""
    return []


@pytest.fixture
def context_options() -> dict[str, Any]:
    """What a test module wants of its profile."""
    return {}


@pytest.fixture
def context(
    chromium: Browser, complaints: list[str], context_options: dict[str, Any]
) -> Iterator[BrowserContext]:
    """A fresh profile; whatever its pages complain about fails the test."""
    options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US"} | context_options
    context = chromium.new_context(**options)
    context.set_default_timeout(15_000)
    Complaints(context, complaints)
    yield context
    context.close()
    assert complaints == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


class BackgroundWorker:
    """A Celery worker for the tests: messages, in a thread of its own."""

    def __init__(self) -> None:
        self.messages: queue.SimpleQueue[tuple[str, tuple[Any, ...]] | None] = queue.SimpleQueue()
        self.errors: list[BaseException] = []
        self.thread = threading.Thread(target=self._work, name="worker")

    def publish(self, message: tuple[str, tuple[Any, ...]]) -> None:
        self.messages.put(message)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.messages.put(None)
        self.thread.join(30)

    def _work(self) -> None:
        while message := self.messages.get():
            name, args = message
            try:
                current_app.tasks[name](*args)
            except Exception as error:  # noqa: BLE001 - told by the fixture
                self.errors.append(error)
            close_old_connections()
        clients.forget_session()
        connections.close_all()


@pytest.fixture
def site(
    live_server: Any, settings: Any, worker: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The origin of a site whose Tavus is a sandbox that really calls it back."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.fail("The browser tests need a session of their own: pytest -m browser")
    background = BackgroundWorker()
    monkeypatch.setattr(enqueue, "_publisher", lambda: background)
    with SandboxServer(Sandbox(seed=None)) as sandbox:
        settings.TAVUS = {
            "API_KEY": "sandbox",
            "BASE_URL": f"{sandbox.url}/v2",
            "PUBLIC_URL": live_server.url,
        }
        settings.LOGIN_URL = "admin:login"
        background.start()
        try:
            sync_objects("replicas")
            sync_objects("personas")
            yield live_server.url
        finally:
            background.stop()
            clients.forget_session()
    assert background.errors == []


@pytest.fixture
def admin_page(page: Page, site: str, django_user_model: Any) -> Page:
    """A page of a superuser who has signed in at the admin's form."""
    django_user_model.objects.create_superuser("ada", password="lovelace")
    page.goto(f"{site}/admin/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("lovelace")
    page.get_by_role("button", name="Log in").click()
    return page


@pytest.fixture
def shoot() -> Any:
    """Save what a page looks like to ``artifacts/<name>.png``.

    With ``DOCS_IMAGES=1`` those marked ``docs=True`` go to ``docs/images`` as well, smaller.
    """
    ARTIFACTS.mkdir(exist_ok=True)

    def save(page: Page, name: str, *, docs: bool = False, **options: Any) -> None:
        page.screenshot(path=ARTIFACTS / f"{name}.png", scale="css", **options)
        if docs and os.environ.get("DOCS_IMAGES"):
            DOCS_IMAGES.mkdir(exist_ok=True)
            path = DOCS_IMAGES / f"{name}.jpg"
            page.screenshot(path=path, type="jpeg", quality=80, scale="css", **options)
            assert path.stat().st_size <= DOCS_IMAGE_BYTES, f"{path.name} is too large"

    return save
