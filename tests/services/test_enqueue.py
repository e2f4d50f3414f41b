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


def test_a_broken_broker_is_left_alone_for_a_while(broken, publisher):
    enqueue.enqueue("process_event", 1)
    enqueue.enqueue("process_event", 2)
    assert len(broken) == 1
    publisher.resting_until = 0.0
    enqueue.enqueue("process_event", 3)
    assert len(broken) == 2


def test_a_mute_broker_holds_nobody_up(monkeypatch, publisher):
    speak = threading.Event()
    calls = []

    def mute(name, args):
        calls.append(name)
        speak.wait(30)

    monkeypatch.setattr(enqueue, "_publish", mute)
    monkeypatch.setattr(enqueue, "PATIENCE", 0.05)
    for number in range(20):
        enqueue.enqueue("process_event", number)
    assert len(calls) == 1  # the others did not even wait
    monkeypatch.setattr(enqueue, "GLANCE", 10)
    speak.set()
    publisher.resting_until = 0.0
    enqueue.enqueue("process_event", 99)
    assert len(calls) == 2


def test_nobody_waits_again_for_a_broker_that_stays_away(monkeypatch, publisher):
    speak = threading.Event()
    monkeypatch.setattr(enqueue, "_publish", lambda name, args: speak.wait(30))
    monkeypatch.setattr(enqueue, "PATIENCE", 0.05)
    enqueue.enqueue("process_event", 1)
    monkeypatch.setattr(enqueue, "PATIENCE", 30)
    publisher.resting_until = 0.0
    enqueue.enqueue("process_event", 2)
    assert publisher.handed_over.empty()
    assert publisher.resting_until > 0.0
    speak.set()


def test_a_child_process_gets_a_publisher_of_its_own(monkeypatch):
    monkeypatch.undo()
    first = enqueue._publisher()
    assert enqueue._publisher() is first
    monkeypatch.setattr(first, "pid", -1)
    assert enqueue._publisher() is not first


def test_the_brokers_password_is_not_logged(broken, caplog):
    enqueue.enqueue("process_event", 1)
    assert "secret" not in caplog.text
    assert "ConnectionRefusedError" in caplog.text
