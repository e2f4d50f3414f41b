from __future__ import annotations

import pytest

from django_tavus.admin import displays
from django_tavus.models import Conversation
from django_tavus.models.choices import (
    ConversationStatus,
    DocumentStatus,
    EventStatus,
    ReplicaStatus,
    SyncState,
)


@pytest.mark.parametrize(
    "choices", [ConversationStatus, SyncState, ReplicaStatus, DocumentStatus, EventStatus]
)
def test_every_state_has_a_look(choices: type[ConversationStatus]) -> None:
    assert set(choices.values) <= displays.LOOKS.keys()


def test_states_of_a_conversation_differ_in_shape() -> None:
    states = [*ConversationStatus.values, *displays.PSEUDO_STATUS]
    assert len({displays.LOOKS[state].shape for state in states}) == len(states)


def test_a_badge_is_shape_and_word_and_is_escaped() -> None:
    assert displays.badge("active", "<b>") == (
        '<span class="tavus-badge tavus-good"><span aria-hidden="true">●</span> &lt;b&gt;</span>'
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "00:00"), (59.9, "00:59"), (600, "10:00"), (3661, "1:01:01"), (-5, "00:00")],
)
def test_clock(seconds: float | None, text: str) -> None:
    assert displays.clock(seconds) == text


def test_links_are_web_addresses() -> None:
    assert 'rel="noopener noreferrer"' in displays.web_link("https://a.example/?x=1&y=2")
    assert "&amp;y=2" in displays.web_link("https://a.example/?x=1&y=2")
    assert displays.web_link("javascript:alert(1)") == "javascript:alert(1)"
    assert displays.web_link("") == "-"


def test_json_is_escaped_and_masked() -> None:
    shown = displays.pretty_json({"api_key": "sk-very-secret", "text": "<b>"})
    assert "sk-very-secret" not in shown
    assert "&lt;b&gt;" in shown


def test_prompts_are_taken_out_wherever_they_are() -> None:
    payload = {"a": [{"role": "system", "content": "secret", "n": 1}, {"role": "user", "n": 2}]}
    assert displays.without_prompt(payload) == {
        "a": [
            {"role": "system", "content": "(not shown here)", "n": 1},
            {"role": "user", "n": 2},
        ]
    }


def test_an_ending_conversation_says_so() -> None:
    row = Conversation(status="active", end_requested_at="2026-01-01")
    assert displays.conversation_state(row) == "ending"
    row.status = "ended"
    assert displays.conversation_state(row) == "ended"
