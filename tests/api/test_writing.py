"""Personas, replicas and documents over REST: stored, answered with 202, published by a task."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from django_tavus.api.views.mirrors import MirrorViewSet
from django_tavus.models import Document, Persona, Replica
from django_tavus.services.clients import get_client
from django_tavus.services.publishing import edit
from django_tavus.services.syncing import sync_objects
from django_tavus.testing import make_document, make_persona, make_replica

KEY = "k-llm-0123456789-very-secret"
ROOT = "/tavus/api"


@pytest.fixture
def chief(make_user, as_user):
    return as_user(make_user("chief", is_superuser=True))


@pytest.fixture
def storage(monkeypatch):
    storage = InMemoryStorage(base_url="/media/")
    monkeypatch.setattr(Document._meta.get_field("file"), "storage", storage)
    return storage


def send(client: Any, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(f"{ROOT}/{path}", body, format="json")


def test_a_persona_is_stored_and_pushed_by_a_task(chief, worker):
    document, replica = make_document(), make_replica()
    body = {
        "persona_name": "Coach",
        "system_prompt": "Be kind.",
        "default_replica_id": replica.tavus_id,
        "document_ids": [document.tavus_id],
        "context": None,
    }
    answer = send(chief, "post", "personas/", body)
    row = Persona.objects.get()
    assert answer.status_code == 202
    assert answer["Location"] == f"{ROOT}/personas/{row.pk}/"
    shown = answer.json()
    assert shown["sync_state"] == "pending"
    assert {name: shown[name] for name in body if name != "context"} == {
        name: value for name, value in body.items() if name != "context"
    }
    worker.commit()
    assert ("django_tavus.push_object", ("persona", row.pk)) in worker.messages


def test_a_patch_changes_only_what_it_names(chief):
    draft = Document.objects.create(document_name="Draft", document_url="https://x.example/d")
    persona = make_persona(greeting="Hi")
    persona.documents.add(make_document(), draft)
    answer = send(
        chief, "patch", f"personas/{persona.tavus_id}/", {"greeting": None, "document_ids": []}
    )
    assert answer.status_code == 202
    persona.refresh_from_db()
    assert (persona.greeting, persona.persona_name) == ("", "Interview coach")
    assert list(persona.documents.all()) == [draft]


def test_secrets_are_accepted_and_never_answered(chief, caplog):
    persona = make_persona()
    path = f"personas/{persona.pk}/"
    layers = {"llm": {"model": "x", "base_url": "https://llm.example/v1", "api_key": KEY}}
    answer = send(chief, "patch", path, {"layers": layers})
    assert answer.status_code == 202
    again = send(chief, "patch", path, {"layers": answer.json()["layers"]})
    assert again.status_code == 202
    bad = send(chief, "patch", path, {"layers": {"llm": {"api_key": {"a": KEY}}}})
    assert bad.status_code == 400
    listed = send(chief, "get", "personas/")
    for one in (answer, again, bad, listed):
        assert KEY not in one.content.decode()
    assert KEY not in caplog.text
    assert KEY not in json.dumps(list(Persona.objects.values()), default=str)


@pytest.mark.parametrize(
    ("kind", "body", "name"),
    [
        ("personas", {"tavus_id": "p1"}, "tavus_id"),
        ("personas", {"default_replica": 1}, "default_replica"),
        ("personas", {"persona_name": 7}, "persona_name"),
        ("personas", {"persona_name": "x" * 256}, "persona_name"),
        ("personas", {"pipeline_mode": "warp"}, "pipeline_mode"),
        ("personas", {"pipeline_mode": ["full"]}, "pipeline_mode"),
        ("personas", {"default_replica_id": "nobody"}, "default_replica_id"),
        ("personas", {"document_ids": "d1"}, "document_ids"),
        ("personas", {"document_ids": ["nothing"]}, "document_ids"),
        ("personas", {"layers": []}, "layers"),
        ("personas", {"layers": {"llm": {"model": 1}}}, "layers"),
        ("personas", {"objectives_id": "x" * 129}, "objectives_id"),
        ("personas", {"guardrail_ids": [1]}, "guardrail_ids"),
        ("documents", {"document_url": "ftp://x.example/a"}, "document_url"),
        ("documents", {"document_url": "https://x.example/a", "crawl": []}, "crawl"),
        ("documents", {"document_url": "https://x.example/a", "crawl": {"depth": 11}}, "crawl"),
        ("documents", {"file": "x"}, "file"),
        ("documents", {"status": "ready"}, "status"),
        ("replicas", {}, "train_video_url"),
        ("replicas", {"train_video_url": "nowhere"}, "train_video_url"),
        ("replicas", {"train_image_url": "https://x.example/i.png"}, "voice_name"),
        ("replicas", {"train_video_url": "https://x.example/v", "model_name": 1}, "model_name"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(chief, worker, kind, body, name):
    defaults = {"system_prompt": "Be kind."} if kind == "personas" else {}
    answer = send(chief, "post", f"{kind}/", {**defaults, **body})
    assert answer.status_code == 400
    assert list(answer.json()) == [name]
    for model in (Persona, Document, Replica):
        assert not model.objects.exists()
    worker.commit()
    assert not worker.messages


@pytest.mark.parametrize("body", [[], "x", 1])
def test_a_body_must_be_an_object(chief, body):
    assert send(chief, "post", "personas/", body).status_code == 400


def test_the_source_of_a_published_document_stays(chief):
    document = make_document()
    body = {"document_url": "https://x.example/other"}
    answer = send(chief, "patch", f"documents/{document.pk}/", body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["document_url"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"persona_type": "system"}, "system"),
        ({"sync_state": "gone"}, "gone"),
        ({"delete_requested_at": timezone.now()}, "deleting"),
    ],
)
def test_what_cannot_be_changed_is_a_conflict(chief, values, code):
    persona = make_persona(**values)
    answer = send(chief, "patch", f"personas/{persona.pk}/", {"greeting": "Hi"})
    assert (answer.status_code, answer.json()["code"]) == (409, code)


def test_an_edit_of_an_older_version_is_refused(chief):
    path = f"{ROOT}/personas/{make_persona().pk}/"
    etag = chief.get(path)["ETag"]
    first = chief.patch(path, {"greeting": "Hi"}, format="json", headers={"If-Match": etag})
    second = chief.patch(path, {"greeting": "Ho"}, format="json", headers={"If-Match": etag})
    assert (first.status_code, second.status_code) == (202, 412)
    assert Persona.objects.get().greeting == "Hi"
    assert chief.delete(path, headers={"If-Match": etag}).status_code == 412
    assert Persona.objects.get().delete_requested_at is None


EDITS = [("patch", "", {"greeting": "Second."}), ("delete", "", None)]
EDITS += [("post", "resolve/", {"keep": "ours"})]


@pytest.mark.parametrize(("method", "tail", "body"), EDITS)
def test_of_two_edits_of_one_version_the_second_is_refused(
    chief, worker, monkeypatch, method, tail, body
):
    row = make_persona(conflicts=BOTH, greeting="Old.")
    url = f"{ROOT}/personas/{row.pk}/"
    etag = chief.get(url)["ETag"]
    check = MirrorViewSet.check_version

    def check_and_be_overtaken(view: Any, request: Any, seen: Any) -> None:
        check(view, request, seen)
        monkeypatch.setattr(MirrorViewSet, "check_version", check)
        edit(Persona.objects.get(pk=row.pk), greeting="First.")

    monkeypatch.setattr(MirrorViewSet, "check_version", check_and_be_overtaken)
    headers = {"If-Match": etag}
    answer = getattr(chief, method)(f"{url}{tail}", body, format="json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    row.refresh_from_db()
    assert (row.greeting, row.delete_requested_at) == ("First.", None)


# --- delete -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "hard"), [("", False), ("?hard=false", False), ("?hard=true", True)]
)
def test_delete_is_stored_and_the_row_stays(chief, query, hard):
    replica = make_replica()
    for _ in range(2):
        assert send(chief, "delete", f"replicas/{replica.pk}/{query}").status_code == 202
    replica.refresh_from_db()
    assert replica.delete_requested_at
    assert replica.delete_hard is hard


@pytest.mark.parametrize("query", ["hard=yes", "hard=", "harder=true", "hard=false&hard=true"])
def test_an_unclear_wish_deletes_nothing(chief, query):
    replica = make_replica()
    assert send(chief, "delete", f"replicas/{replica.pk}/?{query}").status_code == 400
    replica.refresh_from_db()
    assert replica.delete_requested_at is None


def test_only_replicas_are_erased(chief):
    persona = make_persona()
    answer = send(chief, "delete", f"personas/{persona.pk}/?hard=true")
    assert (answer.status_code, list(answer.json())) == (400, ["hard"])


# --- documents ----------------------------------------------------------------------------------


def upload(client: Any, name: str = "prices.pdf", content: bytes = b"%PDF", **fields: Any) -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(f"{ROOT}/documents/", {"file": file, **fields}, format="multipart")


def test_a_file_is_uploaded(chief, storage, worker):
    answer = upload(chief, document_name="Prices", tags=["a", "b"])
    assert answer.status_code == 202
    assert answer.json()["tags"] == ["a", "b"]
    assert storage.open(Document.objects.get().file.name).read() == b"%PDF"


@pytest.mark.parametrize(
    ("name", "content"), [("virus.exe", b"x"), ("empty.pdf", b""), ("none", b"x")]
)
def test_a_file_that_tavus_does_not_read_is_refused(chief, storage, name, content):
    answer = upload(chief, name, content)
    assert (answer.status_code, list(answer.json())) == (400, ["file"])
    assert not Document.objects.exists()
    assert storage.listdir("") == ([], [])


def test_a_file_that_is_too_large_is_refused(chief, storage, monkeypatch):
    monkeypatch.setattr("django_tavus.services.documents.MAX_BYTES", 3)
    answer = upload(chief)
    assert (answer.status_code, list(answer.json())) == (400, ["file"])


def test_an_upload_that_tavus_could_not_fetch_is_refused(chief, storage, settings):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    answer = upload(chief)
    assert (answer.status_code, list(answer.json())) == (400, ["file"])
    assert "PUBLIC_URL" in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"owner": "x"}, "owner"),
        ({"document_name": ["a", "b"]}, "document_name"),
        ({"document_name": "a\x00"}, "document_name"),
        ({"crawl": "{}"}, "crawl"),
        ({"document_url": "https://x.example/a"}, "document_url"),
    ],
)
def test_a_form_is_read_as_strictly_as_json(chief, storage, fields, name):
    answer = upload(chief, **fields)
    assert (answer.status_code, list(answer.json())) == (400, [name])


def test_other_forms_are_not_read(chief):
    body, kind = "document_url=https%3A%2F%2Fx", "application/x-www-form-urlencoded"
    assert chief.post(f"{ROOT}/documents/", body, content_type=kind).status_code == 415
    assert chief.post(f"{ROOT}/personas/", {}, format="multipart").status_code == 415
    document = make_document()
    url = f"{ROOT}/documents/{document.pk}/"
    assert chief.patch(url, {"document_name": "x"}, format="multipart").status_code == 415


# --- recrawl ------------------------------------------------------------------------------------


def test_a_website_is_crawled_again(chief, worker):
    document = make_document(crawl={"depth": 1})
    answer = send(chief, "post", f"documents/{document.pk}/recrawl/")
    assert answer.status_code == 202
    worker.commit()
    assert worker.messages == [("django_tavus.push_object", ("document", document.pk))]


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"last_crawled_at": timezone.now()}, 429, "cooldown"),
        ({"crawl": {}}, 409, "not_crawled"),
        ({"status": "processing"}, 409, "busy"),
        ({"tavus_id": None}, 409, "not_published"),
    ],
)
def test_a_recrawl_that_tavus_would_refuse_is_refused(chief, values, status, code):
    document = make_document(**{"crawl": {"depth": 1}, **values})
    answer = send(chief, "post", f"documents/{document.pk}/recrawl/")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status == 429:
        assert 0 < int(answer["Retry-After"]) <= timedelta(hours=1).total_seconds()
    document.refresh_from_db()
    assert document.recrawl_requested_at is None


def test_whoever_may_only_add_is_shown_no_more_than_a_gallery(make_user, as_user):
    client = as_user(make_user("writer", "add_persona"))
    answer = send(client, "post", "personas/", {"system_prompt": "Be kind."})
    assert answer.status_code == 202
    assert "system_prompt" not in answer.json()


# --- conflicts ----------------------------------------------------------------------------------

BOTH = [{"path": "/greeting", "base": "Hello.", "ours": "Hi.", "theirs": "Ho."}]


def conflicting(**values: Any) -> Persona:
    """A persona whose greeting was changed on both sides, as a push has found it."""
    remote = {"greeting": "Hello.", "system_prompt": "Be kind."}
    return make_persona(
        **{
            "greeting": "Hi.",
            "system_prompt": "Be kind.",
            "remote": remote,
            "sync_state": "failed",
            "sync_error": "x",
            "conflicts": BOTH,
            **values,
        }
    )


@pytest.mark.parametrize(("keep", "greeting"), [("ours", "Hi."), ("theirs", "Ho.")])
def test_a_conflict_is_settled_and_published(chief, worker, keep, greeting):
    row = conflicting()
    answer = send(chief, "post", f"personas/{row.tavus_id}/resolve/", {"keep": keep})
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["sync_state"], shown["conflicts"]) == ("pending", [])
    assert shown["greeting"] == greeting
    row.refresh_from_db()
    assert row.remote["greeting"] == "Ho."
    worker.commit()
    assert worker.messages == [("django_tavus.push_object", ("persona", row.pk))]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("keep", "greeting"), [("ours", "Ours."), ("theirs", "Theirs.")])
def test_what_was_kept_is_what_tavus_has_in_the_end(chief, worker, tavus_sandbox, keep, greeting):
    there = tavus_sandbox.add_persona(persona_name="Coach", system_prompt="x", greeting="Old.")
    sync_objects("personas")
    row = Persona.objects.get(tavus_id=there.id)
    send(chief, "patch", f"personas/{row.pk}/", {"greeting": "Ours."})
    get_client().personas.update(
        there.id, [{"op": "replace", "path": "/greeting", "value": "Theirs."}]
    )
    worker.run()
    url = f"personas/{row.pk}/"
    (conflict,) = send(chief, "get", url).json()["conflicts"]
    assert conflict == {"path": "/greeting", "base": "Old.", "ours": "Ours.", "theirs": "Theirs."}
    assert send(chief, "post", f"{url}resolve/", {"keep": keep}).status_code == 202
    worker.run()
    assert send(chief, "get", url).json()["sync_state"] == "in_sync"
    assert get_client().personas.get(there.id)["greeting"] == greeting


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, ["keep"]),
        ({"keep": "mine"}, ["keep"]),
        ({"keep": None}, ["keep"]),
        ({"keep": ["ours"]}, ["keep"]),
        ({"keep": "ours", "force": True}, ["force"]),
        ([], ["non_field_errors"]),
    ],
)
def test_an_unclear_word_settles_nothing(chief, worker, body, names):
    row = conflicting()
    answer = send(chief, "post", f"personas/{row.pk}/resolve/", body)
    assert (answer.status_code, list(answer.json())) == (400, names)
    row.refresh_from_db()
    assert row.conflicts == BOTH
    worker.commit()
    assert not worker.messages


@pytest.mark.parametrize("kind", ["persona", "replica", "document"])
def test_without_a_conflict_there_is_nothing_to_settle(chief, kind):
    row = {"persona": make_persona, "replica": make_replica, "document": make_document}[kind]()
    answer = send(chief, "post", f"{kind}s/{row.pk}/resolve/", {"keep": "ours"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_conflict")


def test_a_conflict_that_was_not_seen_is_not_settled(chief):
    row = conflicting()
    path = f"{ROOT}/personas/{row.pk}/"
    etag = chief.get(path)["ETag"]
    Persona.objects.update(conflicts=[{**BOTH[0], "theirs": "Another."}])
    headers = {"If-Match": etag}
    answer = chief.post(f"{path}resolve/", {"keep": "ours"}, format="json", headers=headers)
    assert answer.status_code == 412
    row.refresh_from_db()
    assert row.conflicts


# --- workers that are quick ---------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "make"),
    [("personas", make_persona), ("replicas", make_replica), ("documents", make_document)],
)
def test_a_delete_that_is_done_before_the_answer_is_a_202(chief, worker, monkeypatch, kind, make):
    row = make()
    monkeypatch.setattr(worker, "publish", lambda message: type(row).objects.all().delete())
    answer = send(chief, "delete", f"{kind}/{row.pk}/")
    assert (answer.status_code, answer.json()["id"]) == (202, row.pk)
    assert not type(row).objects.exists()


@pytest.mark.parametrize("kind", ["personas", "replicas", "documents"])
@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("delete", "", None),
        ("patch", "", {}),
        ("post", "resolve/", {"keep": "ours"}),
    ],
)
def test_a_row_that_vanishes_meanwhile_is_a_404(chief, monkeypatch, kind, method, tail, body):
    make = {"personas": make_persona, "replicas": make_replica, "documents": make_document}[kind]
    row = make(conflicts=BOTH)
    names = {"personas": "persona_name", "replicas": "replica_name", "documents": "document_name"}
    body = {names[kind]: "x"} if body == {} else body
    monkeypatch.setattr(
        MirrorViewSet,
        "check_version",
        lambda view, request, seen: type(row).objects.filter(pk=row.pk).delete(),
    )
    answer = send(chief, method, f"{kind}/{row.pk}/{tail}", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
