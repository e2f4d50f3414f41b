from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_tavus.models import OutboxEntry
from django_tavus.services import announcing
from django_tavus.signals import conversation_ended, transcript_ready
from django_tavus.testing import make_conversation

pytestmark = pytest.mark.django_db(transaction=True)


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class ExitError(BaseException):
    """What ends a process, such as SystemExit."""


@pytest.fixture
def raising():
    """Connect receivers of ``conversation_ended`` that raise what they are given."""
    receivers = []

    def connect(error):
        def fall(**kwargs):
            raise error

        receivers.append(fall)
        conversation_ended.connect(fall)

    yield connect
    for receiver in receivers:
        conversation_ended.disconnect(receiver)


def dead():
    """When the process that wrote the entries must be dead."""
    return timezone.now() + announcing.LEASE + timedelta(seconds=1)


@pytest.mark.parametrize("error", [ValueError("nul \x00"), ValueError("x" * 9000)])
def test_whatever_a_receiver_raises_is_recorded_once(raising, error):
    raising(error)
    entry = OutboxEntry.objects.owe("conversation_ended", make_conversation())
    announcing.announce([entry])
    entry.refresh_from_db()
    assert entry.sent_at is not None
    assert type(error).__name__ in entry.error


def test_half_a_character_can_be_stored():
    """Not through a receiver: what is logged of it, pytest-xdist could not send."""
    assert announcing.describe(ValueError("half \ud800")) == "ValueError: half \ufffd"


def test_an_error_without_a_text_has_a_name():
    assert announcing.describe(UnprintableError()) == "UnprintableError: "


def test_what_a_receiver_quotes_is_masked(raising):
    raising(ValueError("GET https://x.example/?token=rutabaga refused: Bearer rutabaga123"))
    entry = OutboxEntry.objects.owe("conversation_ended", make_conversation())
    announcing.announce([entry])
    entry.refresh_from_db()
    assert "rutabaga" not in entry.error
    assert "refused" in entry.error


def test_a_signal_that_ends_the_process_does_not_hold_up_the_others(raising):
    heard = []

    def hear(conversation, **kwargs):
        heard.append(conversation.pk)

    transcript_ready.connect(hear)
    raising(ExitError())
    conversation = make_conversation()
    OutboxEntry.objects.owe("conversation_ended", conversation)
    OutboxEntry.objects.owe("transcript_ready", conversation)
    now = dead()
    with pytest.raises(ExitError):
        announcing.announce_owed(now)
    announcing.announce_owed(now + timedelta(seconds=10))
    transcript_ready.disconnect(hear)
    assert heard == [conversation.pk]


def test_a_receiver_may_write_and_cause_signals_of_its_own():
    heard = []

    def pass_on(conversation, **kwargs):
        announcing.announce([OutboxEntry.objects.owe("transcript_ready", conversation)])

    def hear(conversation, **kwargs):
        heard.append(conversation.pk)

    conversation_ended.connect(pass_on)
    transcript_ready.connect(hear)
    conversation = make_conversation()
    try:
        announcing.announce([OutboxEntry.objects.owe("conversation_ended", conversation)])
    finally:
        conversation_ended.disconnect(pass_on)
        transcript_ready.disconnect(hear)
    assert heard == [conversation.pk]
    assert not OutboxEntry.objects.filter(sent_at__isnull=True).exists()


def test_what_is_owed_about_something_erased_is_forgotten(signals_sent):
    conversation = make_conversation(status="ended")
    entry = OutboxEntry.objects.owe("conversation_ended", conversation)
    conversation.delete()
    announcing.announce([entry])
    assert announcing.announce_owed(dead()) == 0
    assert signals_sent == []
