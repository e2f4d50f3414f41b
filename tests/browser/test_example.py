"""The example as its visitors see it: its own settings, a sandbox, a worker and Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from django_tavus.models import Conversation, Persona, Utterance
from django_tavus.testing import make_conversation
from tests.browser.test_conversation import SPOKEN, wait_for
from tests.example_project.hosting import host

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Pictures of the README and of the example's own page.
DOCUMENTED = {("people", "light"), ("review", "light"), ("usage", "light")}


@pytest.fixture
def example(
    site: str,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_user_model: Any,
) -> Iterator[str]:
    """The origin of the example, with the sandbox and the worker of ``site`` behind it."""
    host(settings, monkeypatch, tmp_path)
    django_user_model.objects.create_superuser("demo", password="demo")
    server = LiveServer("localhost")
    yield server.url
    server.stop()


def sign_in(page: Page, example: str) -> None:
    page.goto(f"{example}/")
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_label("Name").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Whom would you like to talk to?")


def fill_in(page: Page, example: str, job: str) -> None:
    page.goto(f"{example}/interview/")
    page.get_by_label("Which job is it?").fill(job)
    page.get_by_text("Carla").click()
    page.get_by_text("Tough").click()
    page.get_by_label("In which language?").select_option("Deutsch")


@pytest.fixture
def plain_page(chromium: Browser) -> Iterator[Page]:
    """A page in a browser that runs no scripts."""
    context = chromium.new_context(java_script_enabled=False, locale="en-US")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def troubled_page(chromium: Browser) -> Iterator[Page]:
    """A page whose requests may fail, which the console says."""
    context = chromium.new_context(locale="en-US")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_waiting_and_canceling_work_without_scripts(
    plain_page: Page, example: str, settings: Any
) -> None:
    page = plain_page
    sign_in(page, example)
    settings.TAVUS = {**settings.TAVUS, "MAX_CONCURRENT": 1}
    make_conversation(persona=Persona.objects.get(persona_name="Sales Coach"))
    fill_in(page, example, "Nurse")
    page.get_by_role("button", name="Start the interview").click()
    expect(page.get_by_text("You are in the queue")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The conversation was canceled")).to_be_visible()
    assert Conversation.objects.get(reference="interview").shutdown_reason == "cancelled"


def test_from_the_form_to_the_review_without_scripts(plain_page: Page, example: str) -> None:
    page = plain_page
    sign_in(page, example)
    fill_in(page, example, "Nurse")
    page.get_by_role("button", name="Start the interview").click()
    # Until there is a room the page comes again by itself.
    expect(page.locator("iframe")).to_be_visible(timeout=20_000)
    conversation = Conversation.objects.get()
    assert conversation.replica is not None
    assert conversation.replica.replica_name == "Carla"
    assert conversation.properties["language"] == "german"

    page.goto(f"{example}/history/")
    expect(page.get_by_role("heading", name="Open now")).to_be_visible()
    page.get_by_role("link", name="Interview: Nurse").click()
    page.get_by_role("button", name="Leave").click()
    wait_for(page, lambda: Conversation.objects.get().is_over)
    page.goto(f"{example}/history/{conversation.pk}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Interview: Nurse")
    expect(page.get_by_text("Tough · Deutsch")).to_be_visible()


def test_starting_ending_and_signing_out_work_without_scripts(
    plain_page: Page, example: str
) -> None:
    page = plain_page
    sign_in(page, example)
    page.get_by_role("button", name="Start a conversation with Sales Coach").click()
    page.wait_for_url("**/tavus/rooms/**")
    page.goto(f"{example}/history/")
    page.get_by_role("button", name="End Sales Coach").click()
    expect(page.get_by_role("status").first).to_have_text("The call is being ended.")
    wait_for(page, lambda: Conversation.objects.get().is_over)

    page.goto(f"{example}/usage/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    page.goto(f"{example}/history/")
    expect(page).to_have_url(re.compile("/login/"))


def test_an_interview_from_the_form_to_the_review(page: Page, example: str, shoot: Any) -> None:
    sign_in(page, example)
    page.get_by_role("link", name="Practice an interview").click()
    page.get_by_label("Which job is it?").fill("Nurse")
    page.get_by_role("button", name="Check camera and microphone").click()
    expect(page.get_by_text("Your camera works")).to_be_visible()
    page.get_by_role("button", name="Start the interview").click()
    frame = page.frame_locator("iframe")
    frame.get_by_label("Your name").fill("Ada")
    frame.get_by_role("button", name="Join").click()
    expect(frame.get_by_role("log")).to_contain_text("Today is about the position “Nurse”")
    frame.get_by_label("What you say").fill(SPOKEN)
    frame.get_by_role("button", name="Say").click()
    expect(frame.get_by_role("log")).to_contain_text(f"“{SPOKEN}”")
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_text("The conversation has ended")).to_be_visible()
    wait_for(page, lambda: Conversation.objects.exclude(perception_analysis="").exists())
    page.get_by_role("link", name="Review it").click()
    expect(page.get_by_role("heading", name="What the camera saw")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text=SPOKEN).first).to_be_visible()
    words = Utterance.objects.filter(role="user").values_list("content", flat=True)
    row = page.get_by_role("row", name=re.compile("^Words \\d"))
    expect(row.get_by_role("cell").first).to_have_text(str(sum(len(w.split()) for w in words)))


def test_start_whose_answer_is_lost_is_not_paid_for_twice(
    troubled_page: Page, example: str
) -> None:
    page, keys = troubled_page, []
    sign_in(page, example)

    def lose_the_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
        else:
            route.fetch()
            route.abort()

    page.route("**/tavus/api/conversations/", lose_the_first_answer)
    page.evaluate("() => { window.stayed = true; }")
    button = page.get_by_role("button", name="Start a conversation with Sales Coach")
    button.click()
    expect(page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
    assert page.evaluate("() => window.stayed"), "it was the plain form"
    button.click()
    page.wait_for_url("**/tavus/rooms/**")
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert page.url.endswith(Conversation.objects.get().get_absolute_url())


def test_start_whose_answer_is_cut_goes_nowhere_and_is_tried_again(
    troubled_page: Page, example: str
) -> None:
    page, keys = troubled_page, []
    sign_in(page, example)

    def cut_the_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
        else:
            route.fetch()
            route.fulfill(status=202, content_type="application/json", body='{"id": "')

    page.route("**/tavus/api/conversations/", cut_the_first_answer)
    button = page.get_by_role("button", name="Start a conversation with Sales Coach")
    button.click()
    expect(page.get_by_role("alert").filter(has_text="did not work")).to_be_visible()
    button.click()
    page.wait_for_url("**/tavus/rooms/**")
    assert keys[0] == keys[1]
    assert page.url.endswith(Conversation.objects.get().get_absolute_url())


def test_second_click_on_a_slow_form_starts_no_second_interview(page: Page, example: str) -> None:
    sign_in(page, example)
    fill_in(page, example, "Nurse")
    sent: list[Route] = []
    page.route("**/interview/", lambda route: sent.append(route))
    button = page.get_by_role("button", name="Start the interview")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box
    for _ in range(2):
        page.mouse.click(box["x"] + 20, box["y"] + 20)
        page.wait_for_timeout(500)
    assert len(sent) == 1
    sent[0].continue_()
    page.wait_for_url("**/tavus/rooms/**")
    assert Conversation.objects.count() == 1


def test_chosen_face_is_sent_over_rest(page: Page, example: str) -> None:
    sign_in(page, example)
    page.get_by_label("Face of Life Coach").select_option("Daniel")
    page.evaluate("() => { window.stayed = true; }")
    with page.expect_request("**/tavus/api/conversations/"):
        page.get_by_role("button", name="Start a conversation with Life Coach").click()
    page.wait_for_url("**/tavus/rooms/**")
    assert str(Conversation.objects.get().replica) == "Daniel"


def test_refusal_is_told_at_its_card(troubled_page: Page, example: str, settings: Any) -> None:
    page = troubled_page
    sign_in(page, example)
    settings.TAVUS = {**settings.TAVUS, "DAILY_MINUTES": 1}
    begun = timezone.now() - timedelta(minutes=9)
    make_conversation(status="ended", launched_at=begun)
    page.get_by_role("button", name="Start a conversation with Sales Coach").click()
    card = page.get_by_role("listitem").filter(has_text="Sales Coach")
    expect(card.get_by_role("alert")).to_contain_text("minutes")
    expect(card.get_by_role("button")).to_be_enabled()
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize(
    ("width", "scheme"), [(1200, "light"), (390, "dark")], ids=["desktop", "phone"]
)
def test_pages_fit_and_are_accessible(
    page: Page, example: str, django_user_model: Any, shoot: Any, width: int, scheme: Any
) -> None:
    axe = Axe()
    demo = django_user_model.objects.get()
    others = [django_user_model.objects.create_user(name) for name in ("grace", "linus")]
    talked, live = (
        talk_for_a_month(demo, others),
        make_conversation(owner=demo, persona=Persona.objects.get(persona_name="Sales Coach")),
    )
    page.set_viewport_size({"width": width, "height": 850})
    page.emulate_media(color_scheme=scheme)

    def look_at(name: str, path: str) -> None:
        page.goto(example + path)
        page.wait_for_load_state("networkidle")  # the faces are there
        shown = (name, scheme) in DOCUMENTED
        shoot(page, f"example-{name}-{scheme}", full_page=True, docs=shown)
        assert axe.run(page).response["violations"] == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name

    look_at("welcome", "/")
    look_at("login", "/login/")
    sign_in(page, example)
    look_at("people", "/")
    look_at("interview", "/interview/")
    look_at("history", "/history/")
    look_at("review", f"/history/{talked.pk}/")
    look_at("usage", "/usage/")
    assert live.is_joinable


def test_long_words_stay_on_their_page(page: Page, example: str, django_user_model: Any) -> None:
    demo = django_user_model.objects.get()
    word = "https://example.com/" + "a" * 200
    talked = make_conversation(
        owner=demo,
        persona=Persona.objects.create(persona_name="Donaudampfschifffahrt" * 4),
        status="ended",
        turns=2,
        perception_analysis=f"- {word}\n\n{word}",
    )
    for position, role in enumerate(("replica", "user")):
        talked.utterances.create(position=position, role=role, content=word)
    sign_in(page, example)
    page.set_viewport_size({"width": 390, "height": 780})
    for path in ("/usage/", "/", "/history/", f"/history/{talked.pk}/"):
        page.goto(example + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    said = page.locator(".tavus-turn").first.evaluate(
        "(turn) => turn.scrollWidth - turn.clientWidth"
    )
    assert said <= 0


SAID = (
    ("replica", "Welcome! Today is about the position “Nurse”. Shall we begin?"),
    ("user", "Yes, gladly. I have been looking forward to this."),
    ("replica", "Tell me about a shift that went differently from what you had planned."),
    (
        "user",
        (
            "Last winter two colleagues were ill, and we were three for the whole ward. I drew "
            "up a list of what could wait, told the patients honestly, and asked the night team "
            "to come half an hour early. Nobody was left waiting for pain relief."
        ),
    ),
    ("replica", "How did you decide what could wait?"),
    ("user", "By risk first, then by comfort. Is that the kind of example you are looking for?"),
    ("replica", "Yes, it was concrete. One thing to practice: say the result first."),
)
NOTES = """### Visual analysis

- **Participants:** one person, indoors, evenly lit, looking at the screen.
- **Expression:** attentive throughout, smiling at the end.

### Conversation

- Calm and at ease; looks away when a question is about other people.
"""


def talk_for_a_month(owner: Any, others: list[Any]) -> Conversation:
    """Past conversations of several people; the last one of ``owner`` is returned."""
    personas = Persona.objects.exclude(default_replica=None).order_by("persona_name")
    latest = None
    for number in range(40):
        whose = [owner, *others][number % (1 + len(others))]
        job = ("Line cook", "Data analyst", "Nurse")[number // 3 % 3]
        is_interview = number % 2 == 0
        begun = timezone.now() - timedelta(days=(number * 17 + 1) % 30)
        conversation = make_conversation(
            owner=whose,
            persona=personas[0] if is_interview else personas[number % 3],
            status="ended",
            created_at=begun,
            launched_at=begun,
            ended_at=begun + timedelta(minutes=2 + number * 7 % 11, seconds=number),
            reference="interview" if is_interview else "",
            metadata={"job": job, "difficulty": "tough", "language": "english"},
            turns=len(SAID),
            perception_analysis=NOTES,
        )
        start = 1.0
        for position, (role, content) in enumerate(SAID[: 3 + number % 5]):
            conversation.utterances.create(
                position=position, role=role, content=content, seconds_from_start=start
            )
            start += len(content.split()) / 2.5 + 1
        is_whole = whose == owner and is_interview and number % 5 == 4
        latest = conversation if is_whole else latest
    assert latest
    return latest
