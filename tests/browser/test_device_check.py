from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from playwright.sync_api import Page, expect

from django_tavus.models import Conversation
from django_tavus.testing import make_conversation
from tests.browser.steps import room_url, wait_for
from tests.urls import urlpatterns as site_urls

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BUTTON = "Check camera and microphone"
REMEMBER = """
  window.streams = [];
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await real(wish);
    window.streams.push(stream);
    return stream;
  };
"""
OFF = "streams.every((stream) => stream.getTracks().every((track) => track.readyState == 'ended'))"

HOST_PAGE = """{% load tavus %}<!DOCTYPE html><html lang="en"><title>Start</title>
<link rel="icon" href="data:,"><h1>Start</h1><form method="post">{% csrf_token %}
{% tavus_device_check audio_only=audio_only %}{% tavus_device_check audio_only=audio_only %}
<button>Start</button></form>"""


def start(request: HttpRequest) -> HttpResponse:
    template = engines["django"].from_string(HOST_PAGE)
    context = {"audio_only": "audio" in request.GET}
    return HttpResponse(template.render(context, request))


urlpatterns = [path("rooms/start/", start), path("", include(site_urls))]  # type: ignore[arg-type]


@pytest.fixture
def host_page(page: Page, site: str, settings: Any) -> Iterator[tuple[Page, str]]:
    """A form of the host, under the documented headers, with two checks on it."""
    settings.ROOT_URLCONF = __name__
    return page, f"{site}/rooms/start/"


@pytest.fixture
def waiting(admin_page: Page, site: str, django_user_model: Any) -> Page:
    owner = django_user_model.objects.get()
    mine = make_conversation(status="queued", owner=owner)
    admin_page.add_init_script(REMEMBER)
    admin_page.goto(room_url(site, mine))
    return admin_page


def test_check_shows_the_camera_and_hears_the_microphone_and_stops_both(waiting: Page) -> None:
    waiting.get_by_role("button", name=BUTTON).click()
    preview = waiting.get_by_label("What your camera sees")
    expect(preview).to_be_visible()
    wait_for(waiting, lambda: preview.evaluate("video => video.videoWidth") > 0)
    assert preview.evaluate("video => video.muted")
    expect(waiting.get_by_text("Your camera works")).to_be_visible()
    expect(waiting.get_by_text("Your microphone works")).to_be_visible()
    meter = waiting.get_by_label("Level of your microphone")
    wait_for(waiting, lambda: meter.evaluate("meter => meter.value") > 0)
    assert not waiting.evaluate(OFF)

    waiting.get_by_role("button", name="Stop the check").click()
    expect(preview).to_be_hidden()
    expect(meter).to_be_hidden()
    expect(waiting.get_by_role("button", name=BUTTON)).to_be_focused()
    assert waiting.evaluate(OFF)


def test_check_can_be_done_twice(waiting: Page) -> None:
    for _ in range(2):
        waiting.get_by_role("button", name=BUTTON).click()
        expect(waiting.get_by_text("Your microphone works")).to_be_visible()
        waiting.get_by_role("button", name="Stop the check").click()
    assert waiting.evaluate("streams.length") == 2
    assert waiting.evaluate(OFF)


def test_polling_goes_on_during_the_check(waiting: Page) -> None:
    waiting.get_by_role("button", name=BUTTON).click()
    expect(waiting.get_by_text("Your camera works")).to_be_visible()
    for _ in range(2):
        waiting.wait_for_event("response", lambda answer: answer.url.endswith("/status/"))
    expect(waiting.get_by_text("Your camera works")).to_be_visible()
    Conversation.objects.update(status="launching")
    expect(waiting.get_by_role("heading", name="Your room is being prepared")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("NotAllowedError", "not allowed to use them"),
        ("NotFoundError", "Neither camera nor microphone was found"),
        ("NotReadableError", "another program may be using it"),
        ("AbortError", "Reload the page and try again"),
    ],
)
def test_refusal_is_a_sentence_and_can_be_tried_again(
    host_page: tuple[Page, str], name: str, sentence: str
) -> None:
    page, url = host_page
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () =>"
        f" {{ throw new DOMException('', '{name}'); }}"
    )
    page.goto(url)
    button = page.get_by_role("button", name=BUTTON).first
    button.click()
    expect(page.get_by_role("status").first).to_contain_text(sentence)
    expect(button).to_be_focused()
    button.click()
    expect(page.get_by_role("status").first).to_contain_text(sentence)


def test_header_that_keeps_the_camera_away_is_told_as_not_allowed(
    host_page: tuple[Page, str], complaints: list[str]
) -> None:
    page, url = host_page
    page.route(
        url,
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            headers={**answer.headers, "permissions-policy": "camera=(), microphone=()"},
        ),
    )
    page.goto(url)
    page.get_by_role("button", name=BUTTON).first.click()
    expect(page.get_by_role("status").first).to_contain_text("not allowed to use them")
    assert all("Permissions policy violation" in complaint for complaint in complaints)
    complaints.clear()


def test_page_without_https_is_told_so(host_page: tuple[Page, str]) -> None:
    page, url = host_page
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.goto(url)
    page.get_by_role("button", name=BUTTON).first.click()
    expect(page.get_by_role("status").first).to_contain_text("https")


def test_microphone_is_checked_where_there_is_no_camera(host_page: tuple[Page, str]) -> None:
    page, url = host_page
    page.add_init_script(
        "const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        "navigator.mediaDevices.getUserMedia = async (wish) => {"
        " if (wish.video) throw new DOMException('', 'NotFoundError'); return real(wish); };"
    )
    page.goto(url)
    page.get_by_role("button", name=BUTTON).first.click()
    status = page.get_by_role("status").first
    expect(status).to_contain_text("No camera was found")
    expect(status).to_contain_text("Your microphone works")
    expect(page.get_by_label("What your camera sees").first).to_be_hidden()


def test_silent_microphone_is_told(host_page: tuple[Page, str]) -> None:
    page, url = host_page
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () =>"
        " new AudioContext().createMediaStreamDestination().stream;"
    )
    page.goto(url)
    page.get_by_role("button", name=BUTTON).first.click()
    expect(page.get_by_role("status").first).to_contain_text("Nothing is heard yet", timeout=12_000)


def test_unplugged_device_ends_the_check(waiting: Page) -> None:
    waiting.get_by_role("button", name=BUTTON).click()
    expect(waiting.get_by_text("Your camera works")).to_be_visible()
    waiting.evaluate("streams[0].getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    expect(waiting.get_by_role("status").last).to_contain_text("does not answer")
    assert waiting.evaluate(OFF)


def test_check_outlives_that_all_its_devices_are_taken_away(waiting: Page) -> None:
    waiting.get_by_role("button", name=BUTTON).click()
    expect(waiting.get_by_text("Your camera works")).to_be_visible()
    # As when a permission is taken back: both tracks end, each with an event of its own.
    gone = "streams[0].getTracks().forEach((track) => track.dispatchEvent(new Event('ended')))"
    waiting.evaluate(gone)
    expect(waiting.get_by_role("status").last).to_contain_text("does not answer")
    waiting.get_by_role("button", name=BUTTON).click()
    expect(waiting.get_by_text("Your camera works")).to_be_visible()
    waiting.evaluate(gone)  # an event of the first check that comes late
    expect(waiting.get_by_text("Your camera works")).to_be_visible()
    assert not waiting.evaluate(OFF)


def test_audio_only_check_never_asks_for_the_camera(host_page: tuple[Page, str]) -> None:
    page, url = host_page
    page.add_init_script(REMEMBER)
    page.goto(f"{url}?audio")
    page.get_by_role("button", name="Check microphone").first.click()
    expect(page.get_by_role("status").first).to_contain_text("Your microphone works")
    assert page.evaluate("streams[0].getVideoTracks().length") == 0


def test_two_checks_on_a_page_do_not_disturb_each_other(host_page: tuple[Page, str]) -> None:
    page, url = host_page
    page.goto(url)
    page.get_by_role("button", name=BUTTON).last.click()
    expect(page.get_by_role("status").last).to_contain_text("Your microphone works")
    expect(page.get_by_role("status").first).to_be_empty()
