from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.html import escape

from django_tavus.models import CapacityLock, Conversation, Document, Persona, WebhookEvent
from django_tavus.services import diagnosing
from django_tavus.testing import make_conversation
from tests.admin.conftest import Staff, changelist_url, counted

TAVUS = {"API_KEY": "k", "BASE_URL": "https://tavusapi.com/v2", "PUBLIC_URL": "https://a.example"}


@pytest.fixture
def all_well(settings: Any) -> None:
    settings.TAVUS = TAVUS
    CapacityLock.note_sweep(timezone.now())


def pages(client: Staff) -> list[str]:
    urls = [changelist_url(model) for model in (Conversation, WebhookEvent, Persona)]
    urls.append(client.page(make_conversation(status="queued")))
    return [client.get(url).content.decode() for url in urls]


def test_nothing_is_said_while_all_is_well(viewer: Staff, all_well: None) -> None:
    assert not any("tavus-findings" in html for html in pages(viewer))


def test_every_finding_stands_on_its_pages_with_its_remedy(viewer: Staff, settings: Any) -> None:
    settings.TAVUS = {**TAVUS, "BASE_URL": "http://127.0.0.1:8085/v2", "PUBLIC_URL": ""}
    CapacityLock.note_sweep(timezone.now() - timedelta(minutes=9))
    make_conversation(
        status="failed", error_code="out_of_credits", attempted_at=timezone.now(), attempts=1
    )
    found = diagnosing.findings()
    assert [f.code for f in found] == ["no_sweep", "out_of_credits", "sandbox", "no_public_url"]
    for html in pages(viewer):
        assert html.count('class="tavus-finding ') == len(found)
        for finding in found:
            assert escape(finding.message) in html
            assert escape(finding.remedy) in html


def test_other_lists_ask_nothing(boss: Staff) -> None:
    CapacityLock.note_sweep(timezone.now() - timedelta(minutes=9))
    with counted() as queries:
        html = boss.get(changelist_url(Document)).content.decode()
    assert "tavus-findings" not in html
    assert not any("capacitylock" in query["sql"] for query in queries)


def test_findings_cost_a_list_few_queries(boss: Staff) -> None:
    make_conversation(status="queued", created_at=timezone.now() - timedelta(minutes=9))
    with counted() as queries:
        assert "No sweep has ever run" in boss.get(changelist_url(Persona)).content.decode()
    asked = [q for q in queries if "capacitylock" in q["sql"] or "error_code" in q["sql"]]
    unions = [q for q in queries if "UNION ALL" in q["sql"]]
    assert len(asked) == 2
    assert len(unions) == 1
