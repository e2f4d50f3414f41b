from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from django_tavus.admin.displays import breakable
from django_tavus.models import Conversation, Recording, Utterance, WebhookEvent
from django_tavus.models.choices import ConversationStatus, EventStatus
from django_tavus.testing import make_conversation
from tests.admin.conftest import VIEW, Staff, changelist_url, counted

HOSTILE = '<script>alert("x")</script>'


def html_of(client: Staff, conversation: Conversation) -> str:
    return str(client.get(client.page(conversation)).content.decode())


def room_of(client: Staff, conversation: Conversation) -> Any:
    return client.get(client.page(conversation)).context["room"]


def say(conversation: Conversation, *texts: str, **values: Any) -> None:
    Utterance.objects.bulk_create(
        Utterance(
            conversation=conversation,
            position=n,
            role=("user", "replica")[n % 2],
            content=text,
            **values,
        )
        for n, text in enumerate(texts)
    )
    Conversation.objects.filter(pk=conversation.pk).store(turns=len(texts))


def add_events(conversation: Conversation, number: int, **values: Any) -> None:
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            dedupe_key=f"{conversation.pk}{n}",
            event_type="system.shutdown",
            conversation=conversation,
            **{"status": EventStatus.PROCESSED, **values},
        )
        for n in range(number)
    )


# --- joining ------------------------------------------------------------------------------------


def test_the_room_page_opens_in_a_new_tab_and_its_token_stays_out_of_the_admin(
    boss: Staff,
) -> None:
    conversation = make_conversation(meeting_token="tok-123")
    html = html_of(boss, conversation)
    page = reverse("django_tavus:room", kwargs={"pk": conversation.pk})
    assert f'href="{page}" target="_blank" rel="noopener noreferrer"' in html
    assert "tok-123" not in html


def test_the_room_itself_is_joined_where_there_is_no_room_page(
    boss: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(conversation: Conversation) -> str:
        raise NoReverseMatch

    monkeypatch.setattr(Conversation, "get_absolute_url", fail)
    conversation = make_conversation(meeting_token="tok-123")
    address = f'href="{conversation.conversation_url}?t=tok-123"'
    assert address in boss.get(changelist_url(Conversation)).content.decode()


@pytest.mark.parametrize("codenames", [VIEW, (*VIEW, "change_conversation", "view_transcript")])
def test_the_room_is_not_told_to_those_who_may_not_launch(
    codenames: tuple[str, ...], staff: Callable[..., Staff]
) -> None:
    conversation = make_conversation(meeting_token="tok-123")
    conversation.remote = {"conversation_url": conversation.conversation_url, "other": "kept"}
    conversation.save()
    client = staff(*codenames)
    for url in (client.page(conversation), changelist_url(Conversation)):
        html = client.get(url).content.decode()
        assert "tok-123" not in html
        assert conversation.conversation_url not in html


@pytest.mark.parametrize("status", [s for s in ConversationStatus.values if s != "active"])
def test_only_an_active_room_can_be_joined(status: str, boss: Staff) -> None:
    conversation = make_conversation(
        status=status, meeting_token="tok-123", conversation_url="https://tavus.daily.co/c1"
    )
    for url in (boss.page(conversation), changelist_url(Conversation)):
        html = boss.get(url).content.decode()
        assert "tok-123" not in html
        assert "Join" not in html


def test_an_address_that_is_a_script_is_no_link(boss: Staff) -> None:
    conversation = make_conversation(conversation_url="javascript:alert(1)")
    for url in (boss.page(conversation), changelist_url(Conversation)):
        assert 'href="javascript:' not in boss.get(url).content.decode()


def test_the_list_has_a_way_in(boss: Staff) -> None:
    conversation = make_conversation()
    html = boss.get(changelist_url(Conversation)).content.decode()
    assert f'href="{reverse("django_tavus:room", kwargs={"pk": conversation.pk})}"' in html


# --- steps and notes ----------------------------------------------------------------------------


def states(room: Any) -> list[str]:
    return [step.state for step in room.steps]


def test_steps_of_a_queued_conversation(boss: Staff) -> None:
    room = room_of(boss, make_conversation(status=ConversationStatus.QUEUED))
    assert states(room) == ["done", "waiting", "waiting", "waiting", "waiting", "skipped"]
    assert [step.is_current for step in room.steps].index(True) == 0
    assert room.queue_position == 1


def test_steps_of_a_call_with_everybody_in_it(boss: Staff) -> None:
    at = timezone.now()
    room = room_of(boss, make_conversation(joined_at=at, properties={"enable_recording": True}))
    assert states(room) == ["done", "done", "done", "waiting", "waiting", "waiting"]
    assert [step.label for step in room.steps if step.is_current] == ["Replica joined"]
    assert room.steps[2].at == at
    assert not room.is_final


def test_steps_while_the_transcript_is_awaited(boss: Staff) -> None:
    conversation = make_conversation(
        status=ConversationStatus.ENDED, next_check_at=timezone.now(), shutdown_reason="gone home"
    )
    room = room_of(boss, conversation)
    assert states(room) == ["done", "done", "skipped", "done", "waiting", "skipped"]
    assert room.steps[3].note == "gone home"
    assert not room.is_final
    assert room.interval == 10


def test_steps_when_nothing_more_will_come(boss: Staff) -> None:
    conversation = make_conversation(status=ConversationStatus.ENDED)
    room = room_of(boss, conversation)
    assert states(room) == ["done", "done", "skipped", "done", "skipped", "skipped"]
    assert room.is_final


def test_steps_when_all_has_come(boss: Staff) -> None:
    conversation = make_conversation(status=ConversationStatus.ENDED, joined_at=timezone.now())
    say(conversation, "Hi", "Hello")
    Recording.objects.create(conversation=conversation, key="k")
    add_events(conversation, 1)
    WebhookEvent.objects.update(event_type="application.transcription_ready")
    room = room_of(boss, conversation)
    assert states(room) == ["done"] * 6
    assert room.steps[4].at == WebhookEvent.objects.get().received_at
    assert room.is_final


@pytest.mark.parametrize("status", ConversationStatus.values)
def test_one_step_is_the_current_one(status: str, boss: Staff) -> None:
    html = html_of(boss, make_conversation(status=status))
    assert html.count('aria-current="step"') == 1


def test_a_failed_launch_says_why(boss: Staff) -> None:
    conversation = make_conversation(
        status=ConversationStatus.FAILED,
        error_code="out_of_credits",
        error_message=f"No credits {HOSTILE}",
    )
    html = html_of(boss, conversation)
    assert "The launch failed." in html
    assert "No credits &lt;script&gt;" in html
    assert "out_of_credits" in html


def test_doubt_is_explained(boss: Staff) -> None:
    conversation = make_conversation(
        status=ConversationStatus.LAUNCHING, error_code="outcome_unknown", error_message="Timed out"
    )
    html = html_of(boss, conversation)
    assert "It is not known whether Tavus made this room." in html
    assert "Timed out" in html
    assert "outcome unknown" in html


def test_a_launch_that_nobody_takes_asks_for_a_worker(boss: Staff) -> None:
    conversation = make_conversation(status=ConversationStatus.QUEUED)
    assert room_of(boss, conversation).hint == ""
    old = timezone.now() - timedelta(seconds=11)
    Conversation.objects.update(created_at=old)
    assert "Celery worker" in room_of(boss, conversation).hint
    Conversation.objects.update(error_message="3 of 3 are running")
    assert "3 of 3 are running" in room_of(boss, conversation).hint


def test_an_unknown_status_survives(boss: Staff) -> None:
    assert "napping" in html_of(boss, make_conversation(status="napping"))


def test_time_runs_until_the_end(boss: Staff) -> None:
    began = timezone.now() - timedelta(minutes=5)
    conversation = make_conversation(
        status=ConversationStatus.ENDED,
        launched_at=began,
        ended_at=began + timedelta(seconds=90),
        properties={"max_call_duration": 600},
    )
    room = room_of(boss, conversation)
    assert room.elapsed_text == "01:30 of 10:00"
    assert (room.progress, room.limit_value, room.clock_base) == ("90", "600", "")


# --- content ------------------------------------------------------------------------------------


def test_the_transcript_is_escaped(boss: Staff) -> None:
    conversation = make_conversation(status=ConversationStatus.ENDED, perception_analysis=HOSTILE)
    say(conversation, HOSTILE, "Fine")
    html = html_of(boss, conversation)
    assert html.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;") == 2
    assert "<script>alert" not in html


def test_the_perception_analysis_is_shown_as_tavus_meant_it(boss: Staff) -> None:
    analysis = "### Visual analysis\n\n- **Mood:** calm, [x](javascript:alert(1))\n"
    conversation = make_conversation(perception_analysis=analysis)
    shown = "<h4>Visual analysis</h4><ul><li><strong>Mood:</strong> calm, [x](javascript:alert(1))"
    assert shown in html_of(boss, conversation)


def test_the_transcript_is_for_those_who_may_read(
    viewer: Staff, staff: Callable[..., Staff]
) -> None:
    conversation = make_conversation(perception_analysis="Looks at the plan")
    say(conversation, "What changed since March?", "Limits went up")
    hidden, shown = (
        html_of(viewer, conversation),
        html_of(staff(*VIEW, "view_transcript"), conversation),
    )
    for text in ("What changed since March?", "Looks at the plan", "Speaking share"):
        assert text not in hidden
        assert text in shown
    assert "You may not read transcripts." in hidden


def test_the_raw_body_holds_no_transcript_and_no_prompt(boss: Staff) -> None:
    turns = [{"role": "system", "content": "Never say rutabaga"}]
    events = [{"event_type": "application.transcription_ready", "transcript": turns}]
    conversation = make_conversation(remote={"status": "ended", "events": events})
    html = html_of(boss, conversation)
    assert "Raw remote body" in html
    assert "rutabaga" not in html


def test_speaking_share_goes_by_time_or_by_words(boss: Staff) -> None:
    timed, untimed = make_conversation(), make_conversation()
    say(timed, "a", "b", duration=2.0)
    Utterance.objects.filter(conversation=timed, role="replica").update(duration=6.0)
    say(untimed, "one two three", "four")
    share = room_of(boss, timed).share
    assert (share.replica, share.user, share.measure) == (75, 25, "by time")
    share = room_of(boss, untimed).share
    assert (share.replica, share.user, share.measure) == (25, 75, "by words")
    assert room_of(boss, make_conversation()).share is None


def test_numbers_in_markup_know_no_locale(boss: Staff, settings: Any) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True
    conversation = make_conversation(properties={"max_call_duration": 3600})
    assert '<progress max="3600"' in html_of(boss, conversation)


def test_failed_events_can_be_replayed_from_here(boss: Staff, viewer: Staff) -> None:
    conversation = make_conversation()
    add_events(conversation, 1, status=EventStatus.FAILED, error=HOSTILE)
    event = WebhookEvent.objects.get()
    url = reverse("admin:django_tavus_webhookevent_tool", args=[event.pk, "replay"])
    url = reverse("admin:django_tavus_webhookevent_tool", args=[event.pk, "replay"])
    button = f'form="tavus-replay" formaction="{url}"'
    assert button in html_of(boss, conversation)
    assert "<script>alert" not in html_of(boss, conversation)
    assert "tavus-replay" not in html_of(viewer, conversation)


def test_events_that_went_well_have_no_button(boss: Staff) -> None:
    conversation = make_conversation()
    add_events(conversation, 1)
    assert "formaction" not in html_of(boss, conversation)


def test_many_events_are_cut_and_linked(boss: Staff) -> None:
    conversation = make_conversation()
    add_events(conversation, 60)
    assert len(room_of(boss, conversation).events) == 50
    link = f"{changelist_url(WebhookEvent)}?conversation__id__exact={conversation.pk}"
    assert link in html_of(boss, conversation)
    assert boss.get(link).context["cl"].result_count == 60


def test_recordings_are_listed(boss: Staff) -> None:
    conversation = make_conversation()
    Recording.objects.create(conversation=conversation, bucket_name="calls", key="a/b.mp4")
    Recording.objects.create(conversation=conversation, error_message="Access denied")
    html = html_of(boss, conversation)
    assert "a/b.mp4" in html
    assert "Access denied" in html


def test_the_page_takes_the_same_queries_at_two_sizes(boss: Staff) -> None:
    small, large = make_conversation(), make_conversation()
    say(small, "Hi")
    add_events(small, 1)
    Recording.objects.create(conversation=small)
    say(large, *(["Hello there"] * 200))
    add_events(large, 40)
    Recording.objects.bulk_create(Recording(conversation=large) for _ in range(5))
    boss.get(boss.page(small))
    with counted() as few:
        boss.get(boss.page(small))
    with counted() as many:
        boss.get(boss.page(large))
    assert len(many) == len(few)


def test_long_names_of_tavus_break_after_underscores_and_are_escaped() -> None:
    assert breakable("end_<b>_x") == "end_<wbr>&lt;b&gt;_<wbr>x"
