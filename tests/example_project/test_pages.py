from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_tavus.models import Conversation, Persona, Replica, Utterance
from django_tavus.testing import make_conversation, make_persona, make_replica

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("example")]

EVIL = "<script>alert(1)</script>\"'"
NOBODY = "00000000-0000-0000-0000-00000000000a"
PAGES = ("/", "/interview/", "/history/", f"/history/{NOBODY}/", "/usage/")
POSTS = ("/start/", "/interview/", f"/history/{NOBODY}/end/", f"/history/{NOBODY}/delete/")
INTERVIEW = {"job": "Nurse", "difficulty": "tough", "language": "spanish", "minutes": "10"}


@pytest.fixture
def ada(django_user_model: Any, client: Client) -> Any:
    """A user without permissions, signed in."""
    user = django_user_model.objects.create_user("ada", password="lovelace")
    client.force_login(user)
    return user


@pytest.fixture
def staff(django_user_model: Any, client: Client) -> Any:
    """Signs in a member of the staff with some permissions."""

    def sign_in(*codenames: str) -> Any:
        user = django_user_model.objects.create_user("grace", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return user

    return sign_in


def talked(owner: Any, minutes: int = 3, **values: Any) -> Conversation:
    """A conversation with two turns that is over."""
    begun = timezone.now() - timedelta(minutes=minutes)
    conversation = make_conversation(
        owner=owner,
        status="ended",
        launched_at=begun,
        ended_at=begun + timedelta(minutes=minutes),
        **{"turns": 2, **values},
    )
    for position, (role, content) in enumerate(
        [("replica", "How are you today?"), ("user", "Well, thank you.")]
    ):
        Utterance.objects.create(
            conversation=conversation, position=position, role=role, content=content
        )
    return conversation


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- who gets in ------------------------------------------------------------------------------


def test_strangers_see_what_the_site_is_about(client: Client) -> None:
    make_persona(persona_name="Secret colleague")
    content = client.get("/").content.decode()
    assert "Practice the conversation before it counts" in content
    assert "Secret colleague" not in content


@pytest.mark.parametrize("path", PAGES[1:])
def test_strangers_are_sent_to_sign_in(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", POSTS)
def test_strangers_start_and_end_nothing(client: Client, path: str) -> None:
    assert client.post(path).headers["Location"] == f"/login/?next={path}"
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("verb", ["", "end/", "delete/"])
def test_conversations_of_others_are_not_found(
    client: Client, ada: Any, django_user_model: Any, verb: str
) -> None:
    other = make_conversation(owner=django_user_model.objects.create_user("eve"))
    unowned = make_conversation()
    for conversation in (other, unowned):
        path = f"/history/{conversation.pk}/{verb}"
        assert (client.post(path) if verb else client.get(path)).status_code == 404
        conversation.refresh_from_db()
        assert conversation.end_requested_at is None


def test_lists_hold_nothing_of_others(client: Client, staff: Any, django_user_model: Any) -> None:
    staff("view_conversation", "view_transcript", "launch_conversation")
    eve = django_user_model.objects.create_user("eve")
    talked(eve, persona=make_persona(persona_name="Whom Eve talked to", sync_state="gone"))
    make_conversation(persona=make_persona(persona_name="Whom nobody owns", sync_state="gone"))
    for path in ("/", "/history/"):
        content = client.get(path).content.decode()
        assert "Whom" not in content.replace("Whom would you like to talk to?", "")


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_nothing_is_started_by_a_link(client: Client, ada: Any, method: str) -> None:
    for path in ("/start/", f"/history/{NOBODY}/end/", f"/history/{NOBODY}/delete/"):
        assert getattr(client, method)(path).status_code == 405


def test_forms_are_refused_without_their_token(ada: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    for path in POSTS:
        assert strict.post(path, INTERVIEW).status_code == 403


# --- what pages show --------------------------------------------------------------------------


def test_hostile_text_is_text_on_every_page(client: Client, staff: Any) -> None:
    owner = staff("view_conversation", "end_conversation", "delete_conversation")
    replica = make_replica(replica_name=f"Replica{EVIL}", thumbnail_video_url=f"https://x{EVIL}")
    persona = make_persona(persona_name=f"Interviewer{EVIL}", default_replica=replica)
    make_persona(persona_name=f"Coach{EVIL}", default_replica=None)
    conversation = talked(
        owner,
        persona=persona,
        perception_analysis=f"### {EVIL}\n- **{EVIL}**",
        error_message=EVIL,
        reference="interview",
        metadata={"job": EVIL, "difficulty": EVIL, "language": EVIL},
    )
    Utterance.objects.filter(role="user").update(content=EVIL)
    make_conversation(owner=owner, persona=persona)
    make_conversation(owner=owner, persona=persona, status="failed", error_message=EVIL)
    room = conversation.get_absolute_url()
    for path in ("/", "/interview/", "/history/", f"/history/{conversation.pk}/", "/usage/", room):
        response = client.get(path)
        content = response.content.decode()
        assert response.status_code == 200
        assert "<script>alert" not in content
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;" in content, path


def test_hostile_input_comes_back_as_text(client: Client, ada: Any) -> None:
    make_persona()
    content = client.post("/interview/", {**INTERVIEW, "job": EVIL}).content.decode()
    assert "<script>alert" not in content
    assert "<script>alert" not in client.get(f"/?role={EVIL}").content.decode()


def test_what_the_persona_was_told_is_never_shown(client: Client, staff: Any) -> None:
    owner = staff("view_conversation", "view_persona")
    persona = make_persona(
        persona_name="Interviewer", context="rutabaga context", layers={"llm": "rutabaga"}
    )
    conversation = talked(
        owner, persona=persona, conversational_context="rutabaga", custom_greeting="rutabaga"
    )
    for path in ("/", "/interview/", "/history/", f"/history/{conversation.pk}/", "/usage/"):
        assert "rutabaga" not in client.get(path).content.decode(), path


@pytest.mark.parametrize(
    ("metadata", "reference"),
    [
        ({"job": ["list"]}, "interview"),
        ({"job": {"a": 1}, "difficulty": ["tough"], "language": {}}, "interview"),
        ({"job": " "}, "interview"),
        ({"job": None}, "interview"),
        ({}, "interview"),
        ({"job": "Nurse"}, "something else"),
    ],
)
def test_metadata_of_others_making_is_no_interview(
    client: Client, ada: Any, metadata: Any, reference: str
) -> None:
    conversation = talked(ada, metadata=metadata, reference=reference)
    for path in ("/", "/history/", f"/history/{conversation.pk}/"):
        assert "Interview:" not in client.get(path).content.decode()


def test_unknown_choices_of_an_interview_are_left_out(client: Client, ada: Any) -> None:
    metadata = {"job": "Nurse", "difficulty": ["tough"], "language": {"klingon": 1}}
    conversation = talked(ada, metadata=metadata, reference="interview")
    for path in ("/", "/history/", f"/history/{conversation.pk}/"):
        content = client.get(path).content.decode()
        assert "Interview: Nurse" in content
        assert "klingon" not in content


def test_review_shows_what_was_said_and_by_whom(client: Client, ada: Any) -> None:
    conversation = talked(ada, perception_analysis="- **Mood:** calm")
    Utterance.objects.create(conversation=conversation, position=9, role="tool", content="{tool}")
    response = client.get(f"/history/{conversation.pk}/")
    content = response.content.decode()
    assert (response.context["row"].talk.share, "You <strong>43 %</strong>" in content) == (
        43,
        True,
    )
    assert "<li><strong>Mood:</strong> calm</li>" in content
    assert "{tool}" not in content
    for representation in ("txt", "vtt"):
        path = f"/tavus/api/conversations/{conversation.pk}/transcript/?format={representation}"
        assert path in content
        assert "Well, thank you." in client.get(path).content.decode()


def test_review_waits_for_what_is_still_to_come(client: Client, ada: Any) -> None:
    waiting = make_conversation(owner=ada, status="ended")
    failed = make_conversation(owner=ada, status="failed", error_message="No minutes.")
    assert "http-equiv" in client.get(f"/history/{waiting.pk}/").content.decode()
    content = client.get(f"/history/{failed.pk}/").content.decode()
    assert "http-equiv" not in content
    assert "No minutes." in content


def test_only_secure_previews_are_shown(client: Client, ada: Any) -> None:
    urls = ("javascript:alert(1)", "http://plain.example/a.mp4", "https://[", "//x/y", "")
    for url in urls:
        make_persona(default_replica=make_replica(thumbnail_video_url=url))
    shown = make_replica(thumbnail_video_url="https://cdn.example/face.mp4")
    make_persona(default_replica=shown)
    found = re.findall(r'<video[^>]* src="([^"]*)"', client.get("/").content.decode())
    assert sorted(found) == ["https://[#t=0.1", "https://cdn.example/face.mp4#t=0.1"]


def test_every_face_has_a_picture(client: Client, ada: Any) -> None:
    for name in ("Anna", "", "a/b?c#d", "é" * 200, "../../x"):
        make_persona(default_replica=make_replica(replica_name=name))
    sources = set(re.findall(r'<img[^>]* src="([^"]*)"', client.get("/").content.decode()))
    assert len(sources) == 5
    for source in sources:
        picture = client.get(source)
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/svg+xml")


def test_gallery_shows_one_role_alone(client: Client, ada: Any) -> None:
    make_persona(persona_name="Sales Coach")
    make_persona(persona_name="Interviewer")
    names = lambda path: re.findall(r'card__name">([^<]*)', client.get(path).content.decode())  # noqa: E731
    assert names("/") == ["Interviewer", "Sales Coach"]
    assert names("/?role=sales") == ["Sales Coach"]
    assert names("/?role=nonsense") == ["Interviewer", "Sales Coach"]


def test_gallery_leaves_out_what_tavus_has_no_more(client: Client, ada: Any) -> None:
    make_persona(persona_name="Departed", sync_state="gone")
    assert "Departed" not in client.get("/").content.decode()


# --- policy -----------------------------------------------------------------------------------


def test_no_page_needs_an_inline_script_or_style(client: Client, staff: Any) -> None:
    owner = staff("view_conversation", "end_conversation", "delete_conversation")
    conversation = talked(owner, perception_analysis="- **Mood:** calm")
    live = make_conversation(owner=owner)
    own = ["/", "/interview/", "/history/", f"/history/{conversation.pk}/", "/usage/"]
    pages = [client.get(path) for path in [*own, live.get_absolute_url()]]
    pages += [Client().get("/"), Client().get("/login/")]
    for response in pages:
        content = response.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", content)
        assert not re.search(r"<script(?![^>]*\ssrc=)", content)
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'; ")


@pytest.mark.parametrize(
    ("base_url", "rooms"),
    [
        ("https://tavusapi.com/v2", "https://tavus.daily.co"),
        ("http://127.0.0.1:8085/v2", "http://127.0.0.1:8085"),
    ],
)
def test_rooms_alone_may_be_framed_and_see(
    client: Client, settings: Any, base_url: str, rooms: str
) -> None:
    settings.TAVUS = {**settings.TAVUS, "BASE_URL": base_url}
    headers = client.get("/").headers
    assert f"frame-src {rooms};" in headers["Content-Security-Policy"]
    assert f'camera=(self "{rooms}")' in headers["Permissions-Policy"]


# --- starting ---------------------------------------------------------------------------------


def once() -> dict[str, Any]:
    """What a page that was just loaded has in its forms."""
    return {"once": uuid.uuid4()}


def test_start_goes_to_the_room(client: Client, ada: Any) -> None:
    persona = make_persona()
    response = client.post("/start/", {**once(), "persona": persona.pk})
    conversation = Conversation.objects.get()
    assert response.headers["Location"] == conversation.get_absolute_url()
    assert (conversation.owner, conversation.persona) == (ada, persona)


def test_a_form_that_is_sent_twice_starts_one_conversation(client: Client, ada: Any) -> None:
    make_persona()
    ((persona, _part, start),) = client.get("/").context["people"]
    for path, form in (
        ("/start/", {"once": start["once"].value(), "persona": persona.pk}),
        ("/interview/", interview_with(persona)),
    ):
        before = Conversation.objects.count()
        answers = [client.post(path, form) for _ in range(2)]
        assert answers[0].headers["Location"] == answers[1].headers["Location"]
        assert Conversation.objects.count() == before + 1
    assert "no-store" in client.get("/").headers["Cache-Control"]
    assert "no-store" in client.get("/interview/").headers["Cache-Control"]


def test_a_form_that_started_something_starts_nothing_else(client: Client, ada: Any) -> None:
    form = {**once(), "persona": make_persona().pk}
    client.post("/start/", form)
    replica = make_replica(replica_name="Zoe")
    response = client.post("/start/", {**form, "replica": replica.pk}, follow=True)
    assert messages_of(response) == [
        "This page has started a conversation already. Reload it first."
    ]
    assert Conversation.objects.count() == 1


HOSTILE = ("", "abc", "-1", "9" * 40, "\x00", "1 OR 1=1", "[]", "é" * 500)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_start_is_a_message(client: Client, ada: Any, value: str) -> None:
    persona = make_persona()
    forms = (
        {"persona": value},
        {"persona": persona.pk, "replica": value or "x"},
        {"persona": persona.pk, "once": value},
    )
    for form in forms:
        response = client.post("/start/", {**once(), **form}, follow=True)
        assert messages_of(response) == ["Please choose one of the people on this page."]
    assert not Conversation.objects.exists()


def test_start_without_a_face_says_what_is_missing(client: Client, ada: Any) -> None:
    persona = make_persona(default_replica=None)
    response = client.post("/start/", {**once(), "persona": persona.pk}, follow=True)
    assert len(messages_of(response)) == 1
    assert not Conversation.objects.exists()


def test_refused_launch_is_a_message(client: Client, ada: Any, settings: Any) -> None:
    settings.TAVUS = {**settings.TAVUS, "DAILY_MINUTES_PER_USER": 5}
    persona = make_persona(persona_name="Interviewer")
    talked(ada, minutes=9, persona=persona)
    pages = [
        client.post("/start/", {**once(), "persona": persona.pk}, follow=True),
        client.post(
            "/interview/",
            interview_with(persona),
        ),
    ]
    for page in pages:
        assert page.status_code == 200
        assert len(messages_of(page)) == 1
    assert Conversation.objects.count() == 1
    assert 'value="Nurse"' in pages[1].content.decode(), "what was typed is gone"


# --- the interview ----------------------------------------------------------------------------


def interview_with(persona: Persona, replica: Replica | None = None) -> dict[str, Any]:
    replica = replica or persona.default_replica
    assert replica
    return {**INTERVIEW, **once(), "persona": persona.pk, "replica": replica.pk}


def test_interview_is_briefed_by_the_server(client: Client, ada: Any) -> None:
    persona, other = make_persona(persona_name="Interviewer"), make_replica(replica_name="Zoe")
    response = client.post("/interview/", interview_with(persona, other))
    conversation = Conversation.objects.get()
    assert response.headers["Location"] == conversation.get_absolute_url()
    assert (conversation.owner, conversation.replica) == (ada, other)
    assert '"Nurse"' in conversation.conversational_context
    assert "Spanish" in conversation.conversational_context
    assert "demanding" in conversation.conversational_context
    assert conversation.custom_greeting.startswith("¡Bienvenido!")
    assert conversation.properties["max_call_duration"] == 630
    assert "Interview: Nurse" in client.get("/history/").content.decode()


def test_visitor_may_not_send_the_briefing(client: Client, ada: Any) -> None:
    persona = make_persona()
    form = {**interview_with(persona), "conversational_context": "Sing.", "custom_greeting": "La"}
    client.post("/interview/", form)
    conversation = Conversation.objects.get()
    assert "Sing" not in conversation.conversational_context
    assert conversation.custom_greeting != "La"


def test_the_same_over_rest_is_refused(client: Client, ada: Any) -> None:
    persona = make_persona()
    response = client.post(
        "/tavus/api/conversations/",
        {"persona_id": persona.tavus_id, "conversational_context": "Sing."},
        content_type="application/json",
    )
    assert response.status_code == 400
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("name", ["job", "difficulty", "language", "minutes", "persona", "replica"])
def test_hostile_interview_is_a_message_at_its_field(client: Client, ada: Any, name: str) -> None:
    form = interview_with(make_persona(persona_name="Interviewer"))
    hostile = {*HOSTILE, " ", '"“”"', "x" * 81} if name == "job" else HOSTILE
    allowed = {"abc", "-1", "9" * 40, "1 OR 1=1", "[]"} if name == "job" else set()
    for value in set(hostile) - allowed:
        response = client.post("/interview/", {**form, name: value})
        assert response.status_code == 200
        assert list(response.context["form"].errors) == [name], value
        assert 'class="errorlist"' in response.content.decode()
    assert not Conversation.objects.exists()


def test_interview_page_without_anybody_is_a_page(client: Client, ada: Any) -> None:
    assert client.get("/interview/").status_code == 200
    assert client.post("/interview/", INTERVIEW).status_code == 200


def test_interviewers_lead_interviews_where_there_are_any(client: Client, ada: Any) -> None:
    make_persona(persona_name="Sales Coach")
    assert "Sales Coach" in client.get("/interview/").context["form"].as_p()
    make_persona(persona_name="An interviewer")
    found = client.get("/interview/").context["form"]["persona"].field.queryset
    assert [str(persona) for persona in found] == ["An interviewer"]


# --- ending and deleting ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ("/usage/?days=7", "/usage/?days=7"),
        ("https://evil.example/", "/history/"),
        ("//evil.example/", "/history/"),
        ("javascript:alert(1)", "/history/"),
        ("", "/history/"),
    ],
)
def test_end_goes_back_to_a_page_of_this_site(
    client: Client, ada: Any, given: str, there: str
) -> None:
    conversation = make_conversation(owner=ada)
    response = client.post(f"/history/{conversation.pk}/end/", {"next": given})
    assert response.headers["Location"] == there
    conversation.refresh_from_db()
    assert conversation.end_requested_at is not None


def test_staff_who_may_only_look_end_nothing(client: Client, staff: Any) -> None:
    staff("view_conversation")
    conversation = make_conversation()
    assert client.post(f"/history/{conversation.pk}/end/").status_code == 403
    conversation.refresh_from_db()
    assert conversation.end_requested_at is None


def test_staff_who_may_end_do(client: Client, staff: Any) -> None:
    staff("end_conversation")
    conversation = make_conversation()
    assert client.post(f"/history/{conversation.pk}/end/").status_code == 302
    conversation.refresh_from_db()
    assert conversation.end_requested_at is not None


def test_owning_a_conversation_is_not_enough_to_delete_it(client: Client, ada: Any) -> None:
    conversation = talked(ada)
    path = f"/history/{conversation.pk}/"
    assert "Delete it" not in client.get(path).content.decode()
    assert client.post(f"{path}delete/").status_code == 403
    assert Conversation.objects.exists()


def test_what_is_running_cannot_be_deleted(client: Client, ada: Any) -> None:
    ada.user_permissions.set(Permission.objects.filter(codename="delete_conversation"))
    running, over = make_conversation(owner=ada), talked(ada)
    response = client.post(f"/history/{running.pk}/delete/", follow=True)
    assert messages_of(response) == ["It is still running: end it first."]
    assert "Delete it" in client.get(f"/history/{over.pk}/").content.decode()
    assert client.post(f"/history/{over.pk}/delete/").headers["Location"] == "/history/"
    assert list(Conversation.objects.all()) == [running]


# --- usage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("codenames", [(), ("end_conversation", "launch_conversation")])
def test_usage_is_for_staff_who_may_view(
    client: Client, staff: Any, codenames: tuple[str, ...]
) -> None:
    staff(*codenames)
    assert client.get("/usage/").status_code == 403
    assert "/usage/" not in client.get("/").content.decode()


def test_usage_is_not_for_users_with_the_permission_alone(client: Client, ada: Any) -> None:
    ada.user_permissions.set(Permission.objects.filter(codename="view_conversation"))
    assert client.get("/usage/").status_code == 403


def test_usage_adds_up(client: Client, staff: Any, django_user_model: Any) -> None:
    staff("view_conversation")
    ada = django_user_model.objects.create_user("ada")
    persona = make_persona(persona_name="Sales Coach")
    noon = timezone.now() - timedelta(days=2)
    for owner, minutes in ((ada, 4), (ada, 5), (None, 2)):
        end = noon + timedelta(minutes=minutes)
        make_conversation(
            owner=owner, persona=persona, status="ended", launched_at=noon, ended_at=end
        )
    old = timezone.now() - timedelta(days=40)
    make_conversation(status="ended", launched_at=old, ended_at=old + timedelta(minutes=50))
    page = client.get("/usage/?days=7")
    days = page.context["days"]
    assert [day["minutes"] for day in days] == [0, 0, 0, 0, 11.0, 0, 0]
    assert (page.context["minutes"], page.context["conversations"]) == (11.0, 3)
    by_persona, by_owner = page.context["tables"]
    assert [(row["name"], row["minutes"]) for row in by_persona["rows"]] == [("Sales Coach", 11)]
    assert [(row["name"], row["minutes"]) for row in by_owner["rows"]] == [("ada", 9), ("", 2)]
    assert "Nobody (deleted)" in page.content.decode()
    assert client.get("/usage/?days=90").context["minutes"] == 61.0


def test_usage_links_to_the_same_as_csv(client: Client, staff: Any) -> None:
    owner = staff("view_conversation")
    talked(owner)
    content = client.get("/usage/").content.decode()
    found = re.search(r'href="(/tavus/api/usage/[^"]*)"', content)
    assert found
    table = client.get(found[1].replace("&amp;", "&"))
    assert table.headers["Content-Type"].startswith("text/csv")
    assert "3.0" in table.content.decode()


@pytest.mark.parametrize("days", ["abc", "-1", "0", "99999999999", "\x00", "7; DROP", "٧"])
def test_hostile_period_is_the_usual_one(client: Client, staff: Any, days: str) -> None:
    staff("view_conversation")
    assert len(client.get("/usage/", {"days": days}).context["days"]) == 30


@pytest.mark.parametrize("may_end", [True, False])
def test_live_calls_can_be_ended_by_those_who_may(
    client: Client, staff: Any, may_end: bool
) -> None:
    staff("view_conversation", *(["end_conversation"] if may_end else []))
    live, over = make_conversation(), make_conversation(status="ended")
    content = client.get("/usage/").content.decode()
    assert (f"/history/{live.pk}/end/" in content) is may_end
    assert f"/history/{over.pk}/end/" not in content


# --- size -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/interview/", "/history/", "/usage/"])
def test_queries_do_not_grow(client: Client, staff: Any, path: str) -> None:
    owner = staff("view_conversation", "end_conversation")

    def grow(count: int) -> int:
        for _ in range(count):
            persona = make_persona(persona_name=f"Interviewer {uuid.uuid4()}")
            talked(owner, persona=persona)
            talked(None, persona=persona, replica=make_replica())
            make_conversation(owner=owner, persona=persona)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    assert grow(2) == grow(8)


@pytest.mark.parametrize("page", ["0", "-1", "abc", "9" * 30, "2"])
def test_history_pages_are_there_whatever_is_asked(client: Client, ada: Any, page: str) -> None:
    persona = make_persona()
    for _ in range(21):
        make_conversation(owner=ada, persona=persona, status="ended")
    assert client.get("/history/", {"page": page}).status_code == 200


# --- the demo ---------------------------------------------------------------------------------


def test_setup_demo_may_run_again(
    tavus_sandbox: Any, django_user_model: Any, client: Client
) -> None:
    for _ in range(2):
        call_command("setup_demo")
    assert django_user_model.objects.count() == 1
    assert Persona.objects.count() == 4
    assert client.login(username="demo", password="demo")
    content = client.get("/").content.decode()
    assert content.count('class="card"') == 4
    assert "(no default replica)" not in content


@pytest.mark.parametrize(
    ("values", "link"),
    [
        ({"status": "ended"}, "Review it"),
        ({"status": "ended", "tavus_id": None}, "Choose somebody else"),
        ({"status": "failed", "tavus_id": None}, "Try again"),
    ],
)
def test_room_that_is_over_leads_to_what_makes_sense(
    client: Client, ada: Any, values: dict[str, Any], link: str
) -> None:
    conversation = make_conversation(owner=ada, **values)
    content = client.get(conversation.get_absolute_url()).content.decode()
    (shown,) = re.findall(r'<a class="tavus-button button" href="[^"]*">([^<]*)</a>', content)
    assert shown == link


def test_form_of_an_old_page_is_told_so_in_words(ada: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    page = client.post("/start/", {})
    assert page.status_code == 403
    content = page.content.decode()
    assert "This page is too old" in content
    assert "Rehearsal</title>" in content
