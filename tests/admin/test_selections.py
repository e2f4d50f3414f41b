from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from django_tavus.admin import selections
from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus
from django_tavus.models.conversation import LIVE
from django_tavus.testing import make_conversation, make_persona
from tests.admin.conftest import VIEW, Staff, changelist_url, counted, messages_of

URL = "/admin/django_tavus/conversation/"


def act(client: Staff, action: str, *rows: Conversation, follow: bool = False, **data: Any) -> Any:
    body = {"action": action, "_selected_action": [row.pk for row in rows], **data}
    return client.post(changelist_url(Conversation), body, follow=follow)


def requested(column: str) -> int:
    return Conversation.objects.filter(**{f"{column}__isnull": False}).count()


# --- end --------------------------------------------------------------------------------------


def test_ending_asks_which_are_live_and_for_how_long(boss: Staff) -> None:
    began = timezone.now() - timedelta(minutes=7, seconds=5)
    live = make_conversation(conversation_name="Running", launched_at=began, owner=boss.user)
    over = make_conversation(conversation_name="Finished", status=ConversationStatus.ENDED)
    page = act(boss, "end_selected", live, over)
    html = page.content.decode()
    assert page.status_code == 200
    assert [line.name for line in page.context["question"].lines] == ["Running"]
    assert "End 1 conversation?" in html
    assert "07:0" in html
    assert boss.user.username in html
    assert "1 is over or being ended already." in html
    assert "Finished" not in html
    assert not requested("end_requested_at")
    assert not LogEntry.objects.exists()


def test_a_confirmed_end_is_requested_counted_and_logged(boss: Staff, worker: Any) -> None:
    persona = make_persona()
    active = [make_conversation(persona=persona) for _ in range(2)]
    queued = make_conversation(persona=persona, status=ConversationStatus.QUEUED)
    over = make_conversation(persona=persona, status=ConversationStatus.FAILED)
    page = act(boss, "end_selected", *active, queued, over, confirm="1", follow=True)
    assert page.redirect_chain == [(URL, 302)]
    assert messages_of(page) == [
        "2 are being ended. 1 was canceled. 1 is over or being ended already."
    ]
    worker.commit()
    ends = {("django_tavus.end_conversation", (str(row.pk),)) for row in active}
    assert ends <= set(worker.messages)
    queued.refresh_from_db()
    assert queued.status == ConversationStatus.ENDED
    logged = LogEntry.objects.values_list("object_id", "change_message")
    assert set(logged) == {
        *((str(row.pk), "Requested its end.") for row in active),
        (str(queued.pk), "Canceled."),
    }


def test_ending_what_is_over_asks_nothing(boss: Staff) -> None:
    over = make_conversation(status=ConversationStatus.ENDED)
    ending = make_conversation(end_requested_at=timezone.now())
    page = act(boss, "end_selected", over, ending, follow=True)
    assert messages_of(page) == ["2 are over or being ended already."]


# --- erase ------------------------------------------------------------------------------------


def make_over(number: int = 1) -> list[Conversation]:
    persona = make_persona()
    return [
        make_conversation(persona=persona, status=ConversationStatus.ENDED) for _ in range(number)
    ]


@pytest.mark.parametrize("typed", [None, "", "3", "two", "22"])
def test_erasing_wants_the_number_typed(boss: Staff, worker: Any, typed: str | None) -> None:
    rows = make_over(2)
    data = {"confirm": "1"} if typed is None else {"confirm": "1", "typed": typed}
    page = act(boss, "erase_selected", *rows, **data)
    worker.commit()
    assert page.status_code == 200
    assert "Erase 2 conversations here and at Tavus?" in page.content.decode()
    assert ("That is not the number." in page.content.decode()) == (typed is not None)
    assert not requested("erase_requested_at")
    assert not worker.messages


def test_a_confirmed_erasure_is_requested_and_logged(boss: Staff, worker: Any) -> None:
    rows = make_over(2)
    page = act(boss, "erase_selected", *rows, typed=" 2 ", follow=True)
    worker.commit()
    assert page.redirect_chain == [(URL, 302)]
    assert messages_of(page) == ["2 conversations are being erased here and at Tavus."]
    assert requested("erase_requested_at") == 2
    assert set(worker.messages) == {
        ("django_tavus.erase_conversation", (str(row.pk),)) for row in rows
    }
    assert LogEntry.objects.count() == 2
    assert "It is being erased" in boss.get(boss.page(rows[0])).content.decode()


@pytest.mark.parametrize("status", LIVE)
def test_a_selection_with_a_live_one_is_not_erased(boss: Staff, worker: Any, status: str) -> None:
    live = make_conversation(conversation_name="Running", status=status)
    page = act(boss, "erase_selected", *make_over(), live, typed="2", follow=True)
    worker.commit()
    assert messages_of(page) == [
        "Nothing was erased: 1 conversation is not over (“Running”). End it first."
    ]
    assert not requested("erase_requested_at")
    assert not requested("end_requested_at")
    assert not worker.messages


# --- both -------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["end_selected", "erase_selected"])
@pytest.mark.parametrize(
    ("codename", "may"),
    [
        ("end_conversation", "end_selected"),
        ("erase_conversation", "erase_selected"),
        ("delete_conversation", ""),
        ("launch_conversation", ""),
        ("change_conversation", ""),
    ],
)
def test_each_needs_its_permission(
    staff: Callable[..., Staff], action: str, codename: str, may: str
) -> None:
    client = staff(*VIEW, codename)
    live, (over,) = make_conversation(), make_over()
    act(client, action, live if action == "end_selected" else over, confirm="1", typed="1")
    done = requested("end_requested_at") + requested("erase_requested_at")
    assert done == (action == may)
    shown = client.get(changelist_url(Conversation)).content.decode()
    assert (f'value="{action}"' in shown) == (action == may)


@pytest.mark.parametrize("action", ["end_selected", "erase_selected"])
def test_without_view_nothing_is_done(staff: Callable[..., Staff], action: str) -> None:
    client = staff("end_conversation", "erase_conversation")
    live, (over,) = make_conversation(), make_over()
    row = live if action == "end_selected" else over
    assert act(client, action, row, confirm="1", typed="1").status_code == 403
    assert not requested("end_requested_at")
    assert not requested("erase_requested_at")


def test_names_are_escaped_where_it_is_asked(boss: Staff) -> None:
    hostile = "<script>alert(1)</script>"
    live = make_conversation(conversation_name=hostile)
    assert hostile not in act(boss, "end_selected", live).content.decode()


@pytest.mark.parametrize("action", ["end_selected", "erase_selected"])
def test_too_many_are_refused(
    boss: Staff, monkeypatch: pytest.MonkeyPatch, worker: Any, action: str
) -> None:
    monkeypatch.setattr(selections, "MOST", 2)
    rows = [make_conversation() for _ in range(3)] if action == "end_selected" else make_over(3)
    page = act(boss, action, *rows, confirm="1", typed="3", follow=True)
    assert messages_of(page) == ["Select at most 2 at a time."]
    assert not requested("end_requested_at")
    assert not requested("erase_requested_at")


@pytest.mark.parametrize("action", ["end_selected", "erase_selected"])
def test_asking_takes_the_same_queries_at_two_sizes(
    boss: Staff, staff: Callable[..., Staff], action: str
) -> None:
    status = ConversationStatus.ACTIVE if action == "end_selected" else ConversationStatus.ENDED

    def make() -> Conversation:
        return make_conversation(status=status, owner=staff().user)

    rows = [make()]
    act(boss, action, *rows)
    with counted() as few:
        act(boss, action, *rows)
    rows += [make() for _ in range(8)]
    with counted() as many:
        assert len(act(boss, action, *rows).context["question"].lines) == 9
    assert len(many) == len(few)
