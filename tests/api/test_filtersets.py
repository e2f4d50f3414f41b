"""The same question gets the same answer from the API and from a host's view with django-filter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import include, path
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer

from django_tavus.models import Conversation, Document, Persona, Replica
from django_tavus.testing import make_conversation, make_document, make_persona, make_replica
from tests.api.conftest import ROOT

django_filters = pytest.importorskip("django_filters")
backends = pytest.importorskip("django_filters.rest_framework")
filtersets = pytest.importorskip("django_tavus.api.filtersets")


def host_view(model: type[Any], filterset: type[Any]) -> Any:
    """What a host writes."""

    class Shown(serializers.ModelSerializer):
        class Meta:
            fields = ("pk",)

    Shown.Meta.model = model

    class View(ListAPIView):
        queryset = model.objects.order_by("pk")
        serializer_class = Shown
        permission_classes = [AllowAny]
        pagination_class = None
        renderer_classes = [JSONRenderer, BrowsableAPIRenderer]
        filter_backends = [backends.DjangoFilterBackend]
        filterset_class = filterset

    return View.as_view()


VIEWS = {
    "conversations": (Conversation, filtersets.ConversationFilterSet),
    "personas": (Persona, filtersets.PersonaFilterSet),
    "replicas": (Replica, filtersets.ReplicaFilterSet),
    "documents": (Document, filtersets.DocumentFilterSet),
}
urlpatterns = [
    path("tavus/", include("django_tavus.urls")),
    *(path(f"host/{kind}/", host_view(*view)) for kind, view in VIEWS.items()),
]
pytestmark = pytest.mark.urls(__name__)

QUESTIONS: dict[str, list[dict[str, Any]]] = {
    "conversations": [
        {},
        {"status": "active"},
        {"status": "active,ended"},
        {"status": " active , ended "},
        {"status": "active,"},
        {"status": "running"},
        {"status": ""},
        {"persona_id": "p-sales"},
        {"persona_id": "nobody"},
        {"persona_id": " p-sales"},
        {"persona_id": "\x00"},
        {"reference": "lead:1"},
        {"reference": "x" * 256},
        {"created_after": "2026-05-02T12:00:00Z"},
        {"created_after": "2026-05-02T14:00:00 02:00"},
        {"created_after": "2026-05-02"},
        {"created_after": "yesterday"},
        {"created_before": "2026-05-02T12:00:00Z"},
        {"created_before": "2026-13-01"},
        {"created_before": "9999-12-31T23:59:59-14:00"},
        {"search": "ALPH"},
        {"search": "sales"},
        {"search": "%"},
        {"search": " "},
        {"search": "a\x00b"},
        {"status": "active", "search": "lead:10"},
        {"status": "running", "created_after": "yesterday"},
        {"nonsense": "x"},
        {"status": ["active", "ended"]},
        {"search": ["Alpha", "Beta"], "status": ["", ""]},
    ],
    "personas": [{}, {"search": "SALES"}, {"persona_type": "system"}, {"persona_type": "x"}],
    "replicas": [{"status": "training"}, {"replica_type": "user,system"}, {"search": "ann"}],
    "documents": [{"status": "error"}, {"search": "PRI"}, {"search": "\x00"}],
}


@pytest.fixture
def chief(as_user, make_user):
    return as_user(make_user("chief", is_superuser=True, is_staff=True))


@pytest.fixture
def rows(owner):
    persona = make_persona(persona_name="Sales coach", tavus_id="p-sales")
    make_persona(persona_type="system", persona_name="Stock")
    make_replica(status="training", replica_name="Bob")
    make_document(document_name="Prices")
    make_document(status="error")
    table = [("active", persona, "lead:1", "Alpha"), ("ended", None, "lead:10", "Beta")]
    for day, (status, chosen, reference, name) in enumerate([*table, ("failed", None, "", " ")]):
        make_conversation(
            owner=owner,
            status=status,
            persona=chosen,
            reference=reference,
            conversation_name=name,
            created_at=datetime(2026, 5, 1 + day, 12, tzinfo=UTC) + timedelta(0),
        )


@pytest.mark.parametrize(
    ("kind", "question"),
    [(kind, question) for kind, questions in QUESTIONS.items() for question in questions],
)
def test_both_answer_alike(chief, rows, kind, question):
    ours = chief.get(f"{ROOT}/{kind}/", question)
    theirs = chief.get(f"/host/{kind}/", question)
    assert ours.status_code == theirs.status_code
    if ours.status_code == 400:
        assert ours.json() == theirs.json()
        assert set(ours.json()) <= set(question)
    else:
        found = {str(row["id"]) for row in ours.json()["results"]}
        assert {str(row["pk"]) for row in theirs.json()} == found


def test_some_questions_are_refused_and_some_narrow(chief, rows):
    """Otherwise the comparison above would compare nothing."""
    kinds = [(k, q) for k, questions in QUESTIONS.items() for q in questions]
    answers = [chief.get(f"/host/{kind}/", question) for kind, question in kinds]
    assert sum(answer.status_code == 400 for answer in answers) >= 10
    assert {len(a.json()) for a in answers if a.status_code == 200} >= {0, 1, 2, 3}


def test_each_table_has_its_filterset():
    from django_tavus.api import filters

    tables = (filters.CONVERSATIONS, filters.PERSONAS, filters.REPLICAS, filters.DOCUMENTS)
    for (model, filterset), table in zip(VIEWS.values(), tables, strict=True):
        assert filterset._meta.model is model
        assert list(filterset.base_filters) == list(table)


def test_a_form_says_what_its_fields_are(rows):
    form = filtersets.ConversationFilterSet({"status": "x"}, Conversation.objects.all()).form
    assert form.errors == {"status": ["Must be one of: queued, launching, active, ended, failed."]}
    assert "Created before this moment." in form.as_p()
