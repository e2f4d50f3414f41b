"""docs/rest.md: its tables name everything there is, and its code runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import Permission
from django.core.files.storage import InMemoryStorage
from django.urls import path
from rest_framework.test import APIClient, RequestsClient

from django_tavus.api.filters import CONVERSATIONS, DOCUMENTS, PERSONAS, REPLICAS
from django_tavus.api.refusals import SENTENCES
from django_tavus.models import Document
from django_tavus.services.launching import REFUSALS
from django_tavus.testing import make_conversation
from tests.api.test_openapi import GOLDEN, operations

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rest.md").read_text()
LAUNCH, UPLOAD, FILTERS, SERVE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_every_endpoint_is_in_the_table():
    listed = set(re.findall(r"`([A-Z]+ api/[^`?]*)`", PAGE))
    described = {
        f"{method.upper()} {path.removeprefix('/tavus/')}"
        for path, method, _operation in operations(yaml.safe_load(GOLDEN.read_text()))
    }
    assert listed == described


@pytest.mark.parametrize("code", sorted({*SENTENCES, *(code for _, code, _ in REFUSALS)}))
def test_every_code_has_a_remedy(code):
    assert re.search(rf"^\|.*`{code}`.*\| .+ \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("conversations", CONVERSATIONS),
        ("personas", PERSONAS),
        ("replicas", REPLICAS),
        ("documents", DOCUMENTS),
    ],
)
def test_every_filter_is_in_the_table(name, table):
    (row,) = re.findall(rf"^\| {name} \| (.*) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == list(table)


@pytest.fixture
def names(owner, persona):
    """What the examples take for granted: somebody who is signed in, and a site."""
    client = APIClient()
    client.force_login(owner)
    session = RequestsClient()
    session.cookies.update({name: one.value for name, one in client.cookies.items()})
    session.headers["X-CSRFToken"] = session.cookies["csrftoken"] = "a" * 32
    session.headers["Referer"] = "http://testserver/"
    return {"session": session, "site": "http://testserver", "persona_id": persona.tavus_id}


def test_the_launch_runs(names):
    exec(LAUNCH.replace("wait=10", "wait=0"), names)
    assert names["answer"].status_code == 202
    assert names["conversation"]["reference"] == "lead:42"
    exec(LAUNCH.replace("wait=10", "wait=0"), names)
    assert names["answer"].status_code == 200


def test_the_upload_runs(names, owner, tmp_path, monkeypatch):
    owner.user_permissions.set(Permission.objects.filter(codename="add_document"))
    storage = InMemoryStorage(base_url="/media/")
    monkeypatch.setattr(Document._meta.get_field("file"), "storage", storage)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.pdf").write_bytes(b"%PDF")
    exec(UPLOAD, names)
    assert names["answer"].status_code == 202
    assert names["document"]["document_name"] == "Prices"
    row = Document.objects.get()
    assert row.tags == ["2026", "public"]
    assert storage.open(row.file.name).read() == b"%PDF"


def run(code: str) -> dict[str, Any]:
    """The names that code of the page defines, in a module of a host."""
    names: dict[str, Any] = {"__name__": "host"}
    exec(code, names)
    return names


class Routes:
    """A URLconf without a module."""

    def __init__(self, urlpatterns: list[Any]) -> None:
        self.urlpatterns = urlpatterns


def test_the_filterset_serves_a_view(owner, settings):
    pytest.importorskip("django_filters")
    make_conversation(owner=owner, reference="a")
    make_conversation(owner=owner, reference="b")
    view = run(FILTERS)["Transcripts"]
    settings.ROOT_URLCONF = Routes([path("mine/", view.as_view(pagination_class=None))])
    client = APIClient()
    client.force_login(owner)
    assert len(client.get("/mine/", {"reference": "a"}).json()) == 1
    assert client.get("/mine/", {"status": "x"}).status_code == 400


def test_the_schema_is_served(db, settings):
    pytest.importorskip("drf_spectacular")
    settings.ROOT_URLCONF = Routes(run(SERVE)["urlpatterns"])
    answer = APIClient().get("/schema/")
    assert answer.status_code == 200
    assert yaml.safe_load(answer.content)["paths"] == yaml.safe_load(GOLDEN.read_text())["paths"]
