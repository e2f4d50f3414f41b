"""What callbacks and GETs tell about documents and replicas, in whatever order."""

from __future__ import annotations

import pytest

from django_tavus.models import Document, WebhookEvent
from django_tavus.services import events, polling
from django_tavus.testing import deliver_callback, make_document, make_replica

pytestmark = pytest.mark.django_db(transaction=True)

TOLD = ("document_ready", "document_failed", "replica_ready", "replica_failed")


@pytest.fixture
def tell(worker):
    def tell(row, **report):
        name = "document_id" if isinstance(row, Document) else "replica_id"
        assert deliver_callback(row, {name: row.tavus_id, **report}).status_code == 200
        worker.run()
        row.refresh_from_db()
        return row

    return tell


def told(signals_sent):
    return [name for name, _ in signals_sent if name in TOLD]


def test_two_reports_that_share_a_date_are_two_facts(tell, signals_sent):
    document = make_document(status="processing")
    crawled = "2026-11-01T10:00:00Z"  # by the crawl before: the one that failed has none
    tell(document, status="recrawling", last_crawled_at=crawled)
    assert tell(document, status="error", last_crawled_at=crawled).status == "error"
    assert told(signals_sent) == ["document_failed"]


def test_the_same_report_twice_is_one_event(tell):
    document = make_document(status="processing")
    for _ in range(2):
        tell(document, status="ready", updated_at="2026-11-01T10:00:00Z")
        deliver_callback(document, {"data": {"status": "ready", "updated_at": "2026-11-02"}})
    assert WebhookEvent.objects.count() == 2


def test_a_late_report_does_not_take_a_document_back(tell, signals_sent):
    document = make_document(status="started")
    tell(document, status="ready", progress=100)
    assert tell(document, status="processing", progress=40).status == "ready"
    assert document.progress == 100
    tell(document, status="ready")
    assert told(signals_sent) == ["document_ready"]


def test_a_recrawl_reaches_ready_anew(tell, signals_sent):
    document = make_document(status="ready")
    tell(document, status="recrawling")
    assert tell(document, status="processing").status == "processing"
    tell(document, status="ready")
    assert told(signals_sent) == ["document_ready"]


def test_a_late_report_does_not_take_a_replica_back(tell, signals_sent):
    replica = make_replica(status="training")
    tell(replica, status="ready")
    assert tell(replica, status="training").status == "ready"
    assert told(signals_sent) == ["replica_ready"]


def test_success_takes_the_old_error_away(tell):
    document = make_document(status="error", error_message="file_empty")
    tell(document, status="recrawling")
    assert tell(document, status="ready").error_message == ""
    replica = make_replica(status="error", error_message="Too short.")
    assert tell(replica, status="ready").error_message == ""


@pytest.mark.parametrize("make", [make_document, make_replica])
def test_a_report_about_another_row_of_ours_is_rejected(worker, make):
    other, row = make(), make(tavus_id=None)
    name = "document_id" if isinstance(row, Document) else "replica_id"
    deliver_callback(row, {name: other.tavus_id, "status": "error"})
    worker.run()
    event = WebhookEvent.objects.get()
    assert (event.status, event.attempts) == ("rejected", 1)
    assert other.tavus_id in event.error
    row.refresh_from_db()
    assert (row.status, row.tavus_id) == ("ready", None)


def test_what_a_poll_found_is_announced_though_it_took_two_attempts(
    tavus_sandbox, worker, signals_sent, monkeypatch
):
    row = make_document(status="processing")

    class Tavus:
        class documents:  # noqa: N801
            @staticmethod
            def get(tavus_id):
                return {"document_id": tavus_id, "status": "ready", "updated_at": "2026-11-01"}

    def fall(*args):
        raise RuntimeError("deadlock")

    with monkeypatch.context() as broken:
        broken.setattr("django_tavus.services.effects.apply", fall)
        polling.poll(polling.DOCUMENT, row, Tavus)
    events.process(WebhookEvent.objects.get().pk)
    worker.commit()
    row.refresh_from_db()
    assert row.status == "ready"
    assert told(signals_sent) == ["document_ready"]
