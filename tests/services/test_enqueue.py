from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from django.db import transaction

from django_tavus.services import enqueue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def publisher(monkeypatch):
    """The real publisher, of this test alone."""
    # A machine that stands still for some seconds must not end the rest that a test looks at.
    monkeypatch.setattr(enqueue, "REST", 3600.0)
    publisher = enqueue.Publisher()
    monkeypatch.setattr(enqueue, "_publisher", lambda: publisher)
    return publisher


class Wire:
    """A producer as far as the publisher knows one."""

    def __init__(self, driver_type="redis"):
        self.hung_up = False
        self.connection = self
        self.transport = SimpleNamespace(driver_type=driver_type)

    def collect(self, seconds):
        self.hung_up = True


@pytest.fixture
def wires(monkeypatch):
    """The connections that were made."""
    made = []

    def connect():
        made.append(Wire())
        return made[-1]

    monkeypatch.setattr(enqueue, "_connect", connect)
    return made


@pytest.fixture
def sent(monkeypatch, wires):
    """What came over which connection, sent by which thread."""
    sent = []

    def publish(name, args, producer):
        assert not producer.hung_up
        sent.append((*args, wires.index(producer), threading.current_thread()))

    monkeypatch.setattr(enqueue, "_publish", publish)
    return sent


@pytest.fixture
def broken(monkeypatch, publisher, wires):
    calls = []

    def refuse(name, args, producer):
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


def test_what_was_handed_over_is_sent(sent, publisher):
    for number in range(3):
        enqueue.enqueue("process_event", number)
    assert publisher.flush(5)
    assert [number for number, *_ in sent] == [0, 1, 2]


def test_over_a_connection_that_stands_a_message_is_sent_at_once(sent, publisher):
    enqueue.enqueue("process_event", 1)
    assert publisher.flush(5)
    enqueue.enqueue("process_event", 2)
    first, second = sent
    assert first[2] is not threading.current_thread()
    assert second == (2, 0, threading.current_thread())


def test_a_driver_without_time_outs_is_left_to_the_thread(sent, publisher, wires, monkeypatch):
    monkeypatch.setattr(enqueue, "TIME_OUTS", {})
    for number in range(2):
        enqueue.enqueue("process_event", number)
        assert publisher.flush(5)
    assert len(wires) == 1
    assert [thread for *_, thread in sent].count(threading.current_thread()) == 0


def test_a_connection_in_use_is_not_waited_for(sent, publisher):
    enqueue.enqueue("process_event", 1)
    assert publisher.flush(5)
    with publisher.sending:
        enqueue.enqueue("process_event", 2)
        assert len(sent) == 1
    assert publisher.flush(5)
    assert sent[1][2] is not threading.current_thread()


def test_a_connection_that_was_hung_up_while_one_took_it_is_not_used(sent, publisher, monkeypatch):
    enqueue.enqueue("process_event", 1)
    assert publisher.flush(5)
    publish, producers = enqueue._publish, []

    def note(name, args, producer):
        producers.append(producer)
        publish(name, args, producer)

    monkeypatch.setattr(enqueue, "_publish", note)

    publisher_lock = publisher.sending

    class Lock:
        """A lock whose last holder has hung up."""

        def acquire(self, blocking=True):
            publisher._hang_up()
            return publisher_lock.acquire(blocking=blocking)

        def release(self):
            publisher_lock.release()

        def __enter__(self):
            publisher_lock.acquire()

        def __exit__(self, *error):
            publisher_lock.release()

    publisher.sending = Lock()
    enqueue.enqueue("process_event", 2)
    assert publisher.flush(5)
    assert sent[1][:2] == (2, 1)  # by the thread, over a new connection
    assert None not in producers  # Celery would take one of its own, without our time-outs


def test_a_connection_that_was_closed_meanwhile_is_made_anew(
    sent, publisher, wires, monkeypatch, caplog
):
    enqueue.enqueue("process_event", 1)
    assert publisher.flush(5)
    publish = enqueue._publish

    def closed(name, args, producer):
        if producer is wires[0]:
            raise ConnectionResetError("redis://user:secret@host")
        publish(name, args, producer)

    monkeypatch.setattr(enqueue, "_publish", closed)
    enqueue.enqueue("process_event", 2)
    assert publisher.flush(5)
    assert wires[0].hung_up
    assert sent[1][:2] == (2, 1)
    assert publisher.resting_until == 0.0
    assert "secret" not in caplog.text


def test_while_the_broker_rests_nothing_is_even_prepared(broken, publisher, monkeypatch):
    monkeypatch.setattr(enqueue._Process, "publisher", publisher)
    enqueue.enqueue("process_event", 1)
    assert publisher.flush(5)
    with transaction.atomic():
        enqueue.enqueue("process_event", 2)
        assert not transaction.get_connection().run_on_commit
        publisher.resting_until = 0.0
        enqueue.enqueue("process_event", 3)
        assert transaction.get_connection().run_on_commit


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
def mute(monkeypatch, publisher, wires):
    """A broker that takes a connection and says nothing until it is told to speak."""
    speak = threading.Event()
    taken = []

    def take(name, args, producer):
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
