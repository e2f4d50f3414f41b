from __future__ import annotations

import threading

import pytest
from django.db import transaction

from django_tavus.services import enqueue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def publisher(monkeypatch):
    """The real publisher, of this test alone."""
    publisher = enqueue.Publisher()
    monkeypatch.setattr(enqueue, "_publisher", lambda: publisher)
    return publisher


@pytest.fixture
def broken(monkeypatch, publisher):
    calls = []

    def refuse(name, args):
        calls.append(name)
        raise ConnectionRefusedError("redis://user:secret@host")

    monkeypatch.setattr(enqueue, "_publish", refuse)
    return calls


def test_a_message_waits_for_the_commit(worker):
    with transaction.atomic():
        enqueue.enqueue("process_event", 1)
        assert worker.messages == []
    assert worker.messages == [("django_tavus.process_event", (1,))]


def test_a_rolled_back_message_is_not_sent(worker):
    with transaction.atomic():
        enqueue.enqueue("process_event", 1)
        transaction.set_rollback(True)
    assert worker.messages == []


def test_what_was_handed_over_is_sent(monkeypatch, publisher):
    sent = []
    monkeypatch.setattr(enqueue, "_publish", lambda name, args: sent.append((name, args)))
    for number in range(3):
        enqueue.enqueue("process_event", number)
    assert publisher.flush(5)
    assert sent == [("django_tavus.process_event", (number,)) for number in range(3)]


def test_a_broken_broker_is_left_alone_for_a_while(broken, publisher):
    enqueue.enqueue("process_event", 1)
    assert publisher.flush(5)
    enqueue.enqueue("process_event", 2)
    assert publisher.flush(5)
    assert len(broken) == 1
    publisher.resting_until = 0.0
    enqueue.enqueue("process_event", 3)
    assert publisher.flush(5)
    assert len(broken) == 2


@pytest.fixture
def mute(monkeypatch, publisher):
    """A broker that takes a connection and says nothing until it is told to speak."""
    speak = threading.Event()
    taken = []

    def take(name, args):
        taken.append(args)
        speak.wait(30)

    monkeypatch.setattr(enqueue, "_publish", take)
    yield speak, taken
    speak.set()


def test_a_mute_broker_holds_nobody_up(mute, publisher, monkeypatch):
    speak, taken = mute
    for number in range(20):
        enqueue.enqueue("process_event", number)
    assert not publisher.flush(0.05)  # nobody waited, and nothing is done
    assert len(taken) <= 1
    speak.set()
    assert publisher.flush(5)
    assert len(taken) == 20


def test_a_broker_that_stays_mute_is_not_promised_ever_more(mute, publisher, monkeypatch):
    speak, taken = mute
    for number in range(enqueue.MOST_WAITING + 10):
        enqueue.enqueue("process_event", number)
    assert publisher.resting_until > 0.0
    assert publisher.waiting.qsize() <= enqueue.MOST_WAITING
    speak.set()
    assert publisher.flush(5)
    assert len(taken) <= 1  # what waits while it rests is left to the sweep


def test_a_process_that_ends_does_not_wait_long_for_a_mute_broker(mute, publisher):
    enqueue.enqueue("process_event", 1)
    assert not publisher.flush(0.01)


def test_a_fork_does_not_wait_for_its_parents_messages(mute, publisher, monkeypatch):
    enqueue.enqueue("process_event", 1)
    monkeypatch.setattr(publisher, "pid", -1)
    assert not publisher.flush(30)


def test_a_child_process_gets_a_publisher_of_its_own(monkeypatch):
    monkeypatch.undo()
    first = enqueue._publisher()
    assert enqueue._publisher() is first
    monkeypatch.setattr(first, "pid", -1)
    assert enqueue._publisher() is not first


def test_the_brokers_password_is_not_logged(broken, publisher, caplog):
    enqueue.enqueue("process_event", 1)
    assert publisher.flush(5)
    assert "secret" not in caplog.text
    assert "ConnectionRefusedError" in caplog.text
