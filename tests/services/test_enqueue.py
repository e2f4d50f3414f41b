from __future__ import annotations

import pytest
from django.db import transaction

from django_tavus.services import enqueue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broken(monkeypatch):
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
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue.enqueue("process_event", 1)
        raise RuntimeError
    assert worker.messages == []


def test_a_broken_broker_is_left_alone_for_a_while(broken, monkeypatch):
    enqueue.enqueue("process_event", 1)
    enqueue.enqueue("process_event", 2)
    assert len(broken) == 1
    monkeypatch.setattr(enqueue._Rest, "until", 0.0)
    enqueue.enqueue("process_event", 3)
    assert len(broken) == 2


def test_the_brokers_password_is_not_logged(broken, caplog):
    enqueue.enqueue("process_event", 1)
    assert "secret" not in caplog.text
    assert "ConnectionRefusedError" in caplog.text
