from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.utils import timezone

from django_tavus.models import Document, Persona, Replica
from django_tavus.services import documents, publishing, pushing, secrets, sweeping, syncing
from django_tavus.services.pushing import claiming, updating
from django_tavus.testing import make_conversation, make_document, make_persona, make_replica

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "k-llm-0123456789-very-secret"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No client waits between tries."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def bodies(sandbox, method, prefix=""):
    return [
        r.body for r in sandbox.requests if r.method == method and r.path.startswith(f"/v2{prefix}")
    ]


def later(row, **values):
    """Let every wait of a row be over."""
    type(row).objects.filter(pk=row.pk).update(
        push_due_at=timezone.now() - timedelta(seconds=60), pushing_until=None, **values
    )


def mirrored(sandbox, **values):
    body = {"persona_id": "p1", "persona_name": "Coach", "system_prompt": "Be kind.", **values}
    sandbox.add_persona(**body)
    syncing.sync_objects("personas")
    sandbox.requests.clear()
    return Persona.objects.get(tavus_id="p1")


def remote(sandbox, tavus_id="p1"):
    return sandbox.engine.personas[tavus_id].body


# --- create -------------------------------------------------------------------------------------


def test_a_persona_is_created(tavus_sandbox, worker):
    tavus_sandbox.add_replica(replica_id="r1")
    tavus_sandbox.add_document(document_id="d1")
    syncing.sync_objects("replicas")
    syncing.sync_objects("documents")
    row = publishing.create(
        Persona,
        persona_name="Coach",
        system_prompt="Be kind.",
        default_replica=Replica.objects.get(tavus_id="r1"),
        documents=list(Document.objects.filter(tavus_id="d1")),
        layers={"llm": {"model": "tavus-gpt-oss"}},
    )
    assert (row.sync_state, row.persona_type) == ("pending", "user")
    assert not bodies(tavus_sandbox, "POST")
    worker.run()
    row.refresh_from_db()
    (sent,) = bodies(tavus_sandbox, "POST")
    assert sent == {
        "persona_name": "Coach",
        "system_prompt": "Be kind.",
        "pipeline_mode": "full",
        "default_replica_id": "r1",
        "document_ids": ["d1"],
        "layers": {"llm": {"model": "tavus-gpt-oss"}},
    }
    assert (row.sync_state, row.sync_error, row.push_due_at) == ("in_sync", "", None)
    assert row.remote["system_prompt"] == "Be kind."
    assert not bodies(tavus_sandbox, "PATCH")


def test_a_task_that_comes_twice_creates_once(tavus_sandbox, worker):
    row = publishing.create(Persona, persona_name="Coach", system_prompt="x")
    worker.messages *= 3
    worker.run()
    pushing.push("persona", row.pk)
    assert len(bodies(tavus_sandbox, "POST")) == 1


def test_a_lost_message_is_found_by_the_sweep(tavus_sandbox, worker):
    row = publishing.create(Persona, persona_name="Coach", system_prompt="x")
    worker.commit()
    worker.messages.clear()
    sweeping.sweep(timezone.now() + timedelta(seconds=10))
    worker.run()
    row.refresh_from_db()
    assert row.tavus_id


@pytest.mark.parametrize("fault", ["cut_after", "garbled", "timeout_after", "status_after:502"])
@pytest.mark.parametrize("model", [Persona, Replica, Document])
def test_a_create_whose_answer_is_lost_is_found_and_not_made_again(
    fault, model, tavus_sandbox, worker
):
    values = {
        Persona: {"persona_name": "Coach", "system_prompt": "x"},
        Replica: {"replica_name": "Anna", "train_video_url": "https://x.example/v.mp4"},
        Document: {"document_name": "Prices", "document_url": "https://x.example/p.pdf"},
    }
    tavus_sandbox.faults.add(fault, method="POST")
    row = publishing.create(model, **values[model])
    worker.run()
    row.refresh_from_db()
    assert row.tavus_id is None
    assert (row.sync_state, row.sync_error[:15]) == ("pending", "outcome_unknown")
    kind = model._meta.model_name
    syncing.sync_objects(f"{kind}s")  # a mirror of it is made meanwhile, and taken in
    later(row)
    pushing.push(kind, row.pk)
    row.refresh_from_db()
    assert (row.sync_state, row.sync_error) == ("in_sync", "")
    assert len(bodies(tavus_sandbox, "POST")) == 1
    assert model.objects.filter(tavus_id=row.tavus_id).count() == 1


def test_a_create_that_came_to_nothing_is_left_to_a_person(tavus_sandbox, worker):
    tavus_sandbox.faults.add("status:500", method="POST")
    row = publishing.create(Persona, persona_name="Coach", system_prompt="x")
    worker.run()
    later(row)
    pushing.push("persona", row.pk)
    row.refresh_from_db()
    assert row.sync_state == "pending"  # too early to say
    later(row, create_attempted_at=timezone.now() - timedelta(hours=1))
    pushing.push("persona", row.pk)
    row.refresh_from_db()
    assert row.sync_state == "failed"
    assert row.sync_error.startswith("outcome_unknown")
    assert publishing.is_in_doubt(row)
    publishing.retry(row, create_again=True)
    worker.run()
    row.refresh_from_db()
    assert (row.sync_state, len(bodies(tavus_sandbox, "POST"))) == ("in_sync", 2)


def test_a_create_that_may_have_made_one_of_several_is_left_to_a_person(tavus_sandbox, worker):
    tavus_sandbox.faults.add("status_after:502", method="POST")
    row = publishing.create(Persona, persona_name="Coach", system_prompt="x")
    worker.run()
    tavus_sandbox.add_persona(persona_id="p2", persona_name="Coach", system_prompt="x")
    later(row)
    pushing.push("persona", row.pk)
    row.refresh_from_db()
    assert (row.sync_state, row.tavus_id) == ("failed", None)
    assert "several" in row.sync_error
    assert publishing.is_in_doubt(row)


def test_what_was_made_unnoticed_is_deleted_there_too(tavus_sandbox, worker):
    tavus_sandbox.faults.add("status_after:502", method="POST")
    row = publishing.create(Persona, persona_name="Coach", system_prompt="x")
    worker.run()
    made = list(tavus_sandbox.engine.personas)
    publishing.request_delete(row)
    worker.run()
    assert not Persona.objects.exists()
    assert len(bodies(tavus_sandbox, "DELETE")) == 1
    assert len(list(tavus_sandbox.engine.personas)) == len(made) - 1


def test_a_document_that_was_certainly_not_made_is_made_once_more(tavus_sandbox, worker):
    tavus_sandbox.faults.add("status:500", method="POST", times=2)
    row = publishing.create(Document, document_url="https://x.example/p.pdf")
    worker.run()
    for _ in range(2):
        later(row, create_attempted_at=timezone.now() - timedelta(hours=1))
        pushing.push("document", row.pk)
    row.refresh_from_db()
    assert (row.sync_state, len(bodies(tavus_sandbox, "POST"))) == ("failed", 2)


def test_what_tavus_refuses_is_told(tavus_sandbox, worker):
    row = publishing.create(Replica, train_image_url="https://x.example/a.png", voice_name="nobody")
    worker.run()
    row.refresh_from_db()
    assert (row.sync_state, row.push_due_at) == ("failed", None)
    assert "voice_name" in row.sync_error
    publishing.edit(row, voice_name="Anna")
    assert row.sync_state == "pending"


def test_what_passes_is_tried_again_ever_more_rarely_and_then_left(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox)
    tavus_sandbox.faults.add("status:503", method="GET", times=None)
    publishing.edit(row, greeting="Hi")
    worker.run()
    pauses = []
    for _ in range(claiming.MAX_ATTEMPTS - 1):
        row.refresh_from_db()
        assert row.sync_state == "pending"
        assert row.sync_error
        pauses.append(round((row.push_due_at - timezone.now()).total_seconds()))
        later(row)
        pushing.push("persona", row.pk)
    row.refresh_from_db()
    assert row.sync_state == "failed"
    assert pauses == sorted(pauses)
    tavus_sandbox.faults.clear()
    publishing.retry(row)
    worker.run()
    assert remote(tavus_sandbox)["greeting"] == "Hi"


def test_a_persona_waits_for_what_it_refers_to(tavus_sandbox, worker):
    document = publishing.create(Document, document_url="https://x.example/p.pdf")
    row = publishing.create(Persona, system_prompt="x", documents=[document])
    pushing.push("persona", row.pk)
    row.refresh_from_db()
    assert (row.sync_state, row.tavus_id) == ("pending", None)
    assert "Waits" in row.sync_error
    pushing.push("document", document.pk)
    later(row)
    pushing.push("persona", row.pk)
    document.refresh_from_db()
    (sent,) = bodies(tavus_sandbox, "POST", "/personas")
    assert sent["document_ids"] == [document.tavus_id]


# --- edit ---------------------------------------------------------------------------------------


def test_an_edit_is_a_minimal_patch(tavus_sandbox, worker):
    layers = {"stt": {"hotwords": "a, b", "stt_engine": "tavus-auto"}, "perception": {}}
    row = mirrored(tavus_sandbox, layers=layers, context="c")
    new = {"stt": {"hotwords": "a, b, c", "stt_engine": "tavus-auto"}}
    publishing.edit(row, greeting="Hi", layers=new)
    worker.run()
    row.refresh_from_db()
    (patch,) = bodies(tavus_sandbox, "PATCH")
    assert sorted(patch, key=str) == sorted(
        [
            {"op": "add", "path": "/greeting", "value": "Hi"},
            {"op": "replace", "path": "/layers/stt/hotwords", "value": "a, b, c"},
        ],
        key=str,
    )
    assert row.sync_state == "in_sync"
    assert remote(tavus_sandbox)["context"] == "c"
    assert syncing.sync_objects("personas").written == 1  # updated_at, which only Tavus knows


def test_an_edit_that_changes_nothing_sends_nothing(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox)
    publishing.edit(row, persona_name="Coach")
    worker.run()
    row.refresh_from_db()
    assert row.sync_state == "in_sync"
    assert not bodies(tavus_sandbox, "PATCH")


def test_a_304_is_success(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox)
    publishing.edit(row, greeting="Hi")
    tavus_sandbox.faults.add("status_after:304", method="PATCH")
    worker.run()
    row.refresh_from_db()
    assert row.sync_state == "in_sync"


def test_what_changed_on_both_sides_is_merged(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox, layers={"stt": {"hotwords": "a"}})
    publishing.edit(row, greeting="Hi")
    remote(tavus_sandbox).update(context="theirs", layers={"stt": {"hotwords": "b"}})
    worker.run()
    row.refresh_from_db()
    (patch,) = bodies(tavus_sandbox, "PATCH")
    assert [operation["path"] for operation in patch] == ["/greeting"]
    assert (row.context, row.greeting, row.layers["stt"]["hotwords"]) == ("theirs", "Hi", "b")
    assert row.sync_state == "in_sync"


@pytest.mark.parametrize("keep", ["ours", "theirs"])
def test_a_conflict_is_shown_and_settled(keep, tavus_sandbox, worker):
    row = mirrored(tavus_sandbox)
    publishing.edit(row, persona_name="Ours", greeting="Hi")
    remote(tavus_sandbox).update(persona_name="Theirs")
    worker.run()
    row.refresh_from_db()
    assert (row.sync_state, row.persona_name) == ("failed", "Ours")
    assert "/persona_name" in row.sync_error
    assert row.conflicts == [
        {"path": "/persona_name", "base": "Coach", "ours": "Ours", "theirs": "Theirs"}
    ]
    assert not bodies(tavus_sandbox, "PATCH")
    with pytest.raises(ValidationError):
        publishing.retry(row)
    publishing.resolve(row, keep=keep)
    worker.run()
    row.refresh_from_db()
    name = keep.title()
    assert (row.sync_state, row.persona_name, row.greeting) == ("in_sync", name, "Hi")
    assert (remote(tavus_sandbox)["persona_name"], remote(tavus_sandbox)["greeting"]) == (
        name,
        "Hi",
    )


def test_a_third_version_is_a_new_conflict(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox)
    publishing.edit(row, persona_name="Ours")
    remote(tavus_sandbox).update(persona_name="Theirs")
    worker.run()
    row.refresh_from_db()
    remote(tavus_sandbox).update(persona_name="Another")
    publishing.resolve(row, keep="ours")
    worker.run()
    row.refresh_from_db()
    assert row.conflicts[0]["theirs"] == "Another"
    assert remote(tavus_sandbox)["persona_name"] == "Another"


def test_unpublished_changes_in_the_editor_are_never_forced(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox)
    tavus_sandbox.engine.personas["p1"].maker_changes = True
    publishing.edit(row, greeting="Hi")
    worker.run()
    row.refresh_from_db()
    assert row.sync_state == "failed"
    assert "editor" in row.sync_error
    assert remote(tavus_sandbox).get("greeting") == ""


def test_an_edit_during_a_push_is_published_too(tavus_sandbox, worker, monkeypatch):
    row = mirrored(tavus_sandbox)
    publishing.edit(row, persona_name="First")
    remote(tavus_sandbox).update(context="theirs")
    original, edits = updating._send, iter([1])

    def edited_meanwhile(*args):
        for _ in edits:
            publishing.edit(Persona.objects.get(pk=row.pk), persona_name="Second", greeting="Hi")
        return original(*args)

    monkeypatch.setattr(updating, "_send", edited_meanwhile)
    worker.run()
    row.refresh_from_db()
    assert (row.sync_state, row.conflicts) == ("in_sync", [])
    body = remote(tavus_sandbox)
    assert (body["persona_name"], body["greeting"], body["context"]) == ("Second", "Hi", "theirs")
    assert row.context == "theirs"


def test_the_conferencing_layer_is_patched_alone(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox, layers={"stt": {"hotwords": "a"}})
    publishing.edit(
        row, greeting="Hi", layers={"stt": {"hotwords": "a"}, "conferencing": {"username": "u"}}
    )
    worker.run()
    row.refresh_from_db()
    assert (row.sync_state, row.sync_error) == ("in_sync", "")
    assert len(bodies(tavus_sandbox, "PATCH")) == 2


def test_a_document_and_a_replica_are_changed_in_their_own_ways(tavus_sandbox, worker):
    tavus_sandbox.add_document(document_id="d1", document_name="Old", tags=["a"])
    tavus_sandbox.add_replica(replica_id="r1", replica_name="Old")
    syncing.sync_objects("documents")
    syncing.sync_objects("replicas")
    publishing.edit(Document.objects.get(tavus_id="d1"), tags=["a", "b"])
    publishing.edit(Replica.objects.get(tavus_id="r1"), replica_name="New")
    worker.run()
    assert bodies(tavus_sandbox, "PATCH") == [{"tags": ["a", "b"]}, {"replica_name": "New"}]
    assert tavus_sandbox.engine.replicas["r1"].name == "New"
    assert not Document.objects.exclude(sync_state="in_sync").exists()


def test_what_vanished_meanwhile_is_gone(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox)
    publishing.edit(row, greeting="Hi")
    tavus_sandbox.engine.personas.remove("p1")
    worker.run()
    row.refresh_from_db()
    assert (row.sync_state, row.push_due_at) == ("gone", None)
    with pytest.raises(ValidationError):
        publishing.edit(row, greeting="Ho")


# --- delete -------------------------------------------------------------------------------------


def test_a_persona_is_deleted_there_and_here(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox)
    conversation = make_conversation(persona=row)
    publishing.request_delete(row)
    publishing.request_delete(row)
    assert Persona.objects.filter(pk=row.pk).exists()
    worker.run()
    assert not Persona.objects.filter(pk=row.pk).exists()
    assert "p1" not in tavus_sandbox.engine.personas
    conversation.refresh_from_db()
    assert conversation.persona is None


def test_a_replica_is_erased(tavus_sandbox, worker):
    tavus_sandbox.add_replica(replica_id="r1")
    row = make_replica(tavus_id="r1")
    publishing.request_delete(row, hard=True)
    worker.run()
    (request,) = [r for r in tavus_sandbox.requests if r.method == "DELETE"]
    assert "hard=true" in str(request.query) or "true" in str(request.query)
    assert not Replica.objects.filter(pk=row.pk).exists()


def test_what_tavus_never_had_and_what_is_gone_there_is_deleted_here(tavus_sandbox, worker):
    new = publishing.create(Persona, system_prompt="x")
    gone = make_persona(tavus_id="pgone", sync_state="gone", default_replica=None)
    publishing.request_delete(new)
    publishing.request_delete(gone)
    worker.run()
    assert not Persona.objects.exists()
    assert not bodies(tavus_sandbox, "POST")


def test_a_delete_that_fails_stays_owed(tavus_sandbox, worker):
    row = mirrored(tavus_sandbox)
    tavus_sandbox.faults.add("status:500", method="DELETE", times=3)
    publishing.request_delete(row)
    worker.run()
    row.refresh_from_db()
    assert row.sync_state == "pending"
    later(row)
    pushing.push("persona", row.pk)
    assert not Persona.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("make", [make_persona, make_replica])
def test_stock_cannot_be_touched(make):
    row = make(**{f"{make.__name__[5:]}_type": "system"})
    for act in (publishing.publish, publishing.request_delete, publishing.edit):
        with pytest.raises(ValidationError, match="stock"):
            act(row)


# --- rules --------------------------------------------------------------------------------------

URL = "https://x.example/a"


@pytest.mark.parametrize(
    ("model", "values", "field"),
    [
        (Persona, {}, "system_prompt"),
        (Persona, {"pipeline_mode": "echo", "system_prompt": "x"}, "system_prompt"),
        (Persona, {"pipeline_mode": "echo", "context": "x"}, "context"),
        (Persona, {"pipeline_mode": "loud", "system_prompt": "x"}, "pipeline_mode"),
        (Persona, {"system_prompt": "x", "layers": []}, "layers"),
        (Persona, {"system_prompt": "x", "layers": {"llm": {"model": 7}}}, "layers"),
        (Persona, {"system_prompt": "x", "layers": {"llm": {"api_key": 7}}}, "layers"),
        (Persona, {"system_prompt": "x", "layers": {"llm": {"api_key": "********"}}}, "layers"),
        (Persona, {"system_prompt": "x", "guardrail_ids": "g"}, "guardrail_ids"),
        (Document, {}, "document_url"),
        (Document, {"document_url": "ftp://x.example/a"}, "document_url"),
        (Document, {"document_url": "javascript:alert(1)"}, "document_url"),
        (Document, {"document_url": "http://[bad"}, "document_url"),
        (Document, {"document_url": URL, "crawl": {"depth": 11}}, "crawl"),
        (Document, {"document_url": URL, "crawl": {"max_pages": 0}}, "crawl"),
        (Document, {"document_url": URL, "crawl": {"depth": True}}, "crawl"),
        (Document, {"document_url": URL, "crawl": {"speed": 1}}, "crawl"),
        (Document, {"document_url": URL, "tags": [""]}, "tags"),
        (
            Document,
            {"file": SimpleUploadedFile("a.pdf", b"x"), "document_url": URL},
            "document_url",
        ),
        (Document, {"file": SimpleUploadedFile("a.pdf", b"")}, "file"),
        (Document, {"file": SimpleUploadedFile("a.exe", b"x")}, "file"),
        (Replica, {}, "train_video_url"),
        (Replica, {"train_video_url": URL, "train_image_url": URL}, "train_video_url"),
        (Replica, {"train_image_url": URL}, "voice_name"),
        (Replica, {"train_video_url": "file:///x"}, "train_video_url"),
    ],
)
def test_what_tavus_would_refuse_is_refused_naming_the_field(model, values, field):
    with pytest.raises(ValidationError) as caught:
        publishing.create(model, **values)
    assert field in caught.value.error_dict
    assert not model.objects.exists()


def test_a_file_of_51_mb_is_refused():
    file = SimpleUploadedFile("a.pdf", b"x")
    file.size = 51 * 1024 * 1024
    with pytest.raises(ValidationError, match="50 MB"):
        publishing.create(Document, file=file)


def test_fields_that_cannot_be_changed_are_a_type_error():
    with pytest.raises(TypeError, match="document_url"):
        publishing.edit(make_document(), document_url=URL)


def test_unknown_layers_are_kept_and_warned_about(tavus_sandbox):
    layers = {"llm": {"model": "tavus-x", "new": 1}, "smell": {"a": 1}}
    row = Persona(system_prompt="x")
    assert publishing.prepare(row, layers=layers) == ["smell", "llm.new"]
    assert row.layers == layers


# --- files --------------------------------------------------------------------------------------


@pytest.fixture
def storage(monkeypatch):
    """Uploaded documents lie in memory, at ``/media/``."""
    storage = InMemoryStorage(base_url="/media/")
    monkeypatch.setattr(Document._meta.get_field("file"), "storage", storage)
    return storage


def test_an_uploaded_file_is_given_to_tavus_by_its_url(storage, tavus_sandbox, worker):
    row = publishing.create(Document, file=ContentFile(b"%PDF-", name="a.pdf"), tags=["x"])
    worker.run()
    row.refresh_from_db()
    (sent,) = bodies(tavus_sandbox, "POST")
    assert sent["document_url"] == f"https://site.example/media/{row.file.name}"
    assert sent["callback_url"].startswith("https://site.example/tavus/callbacks/")
    assert row.sync_state == "in_sync"
    publishing.request_delete(row)
    name = row.file.name
    worker.run()
    assert not storage.exists(name)


def test_a_storage_without_a_reachable_url_is_named(storage, tavus_sandbox, worker, settings):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    row = publishing.create(Document, file=ContentFile(b"%PDF-", name="a.pdf"))
    worker.run()
    row.refresh_from_db()
    assert row.sync_state == "failed"
    assert row.sync_error.startswith("file: ")
    assert "PUBLIC_URL" in row.sync_error
    assert documents.storage_problem()


def test_a_storage_without_urls_is_named(storage, monkeypatch):
    def url(name):
        raise NotImplementedError

    monkeypatch.setattr(storage, "url", url)
    assert "no URLs" in documents.storage_problem()
    with pytest.raises(ValidationError, match="no address"):
        documents.source_url(Document(file="a.pdf"))


# --- recrawl ------------------------------------------------------------------------------------


def crawled(sandbox, worker, **values):
    row = publishing.create(Document, document_url="https://x.example", crawl={"depth": 1})
    worker.run()
    sandbox.advance(600)
    syncing.sync_objects("documents")
    Document.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()
    return row


def test_a_recrawl_is_asked_for_by_a_task(tavus_sandbox, worker):
    row = crawled(tavus_sandbox, worker, last_crawled_at=None)
    documents.recrawl(row)
    with pytest.raises(documents.RecrawlRefusedError) as caught:
        documents.recrawl(row)
    assert caught.value.code == "busy"
    worker.run()
    row.refresh_from_db()
    assert (row.status, row.sync_state, row.recrawl_requested_at) == ("recrawling", "in_sync", None)
    assert documents.recrawl_wait(row) > timedelta(minutes=59)


def test_the_cooldown_is_told_before_tavus_is_asked(tavus_sandbox, worker):
    row = crawled(tavus_sandbox, worker, last_crawled_at=timezone.now() - timedelta(minutes=15))
    with pytest.raises(documents.RecrawlRefusedError, match="45 minutes") as caught:
        documents.recrawl(row)
    assert caught.value.code == "cooldown"
    assert 2690 < caught.value.retry_after <= 2700


def test_the_cooldown_that_tavus_tells_is_remembered(tavus_sandbox, worker):
    row = crawled(tavus_sandbox, worker, last_crawled_at=None)
    tavus_sandbox.engine.documents[row.tavus_id].recrawl_requested_at = (
        tavus_sandbox.now() - timedelta(minutes=20)
    )
    documents.recrawl(row)
    worker.run()
    row.refresh_from_db()
    assert "wait 40 minutes" in row.sync_error
    assert timedelta(minutes=39) < documents.recrawl_wait(row) <= timedelta(minutes=40)


def test_only_a_crawled_website_can_be_crawled_again():
    with pytest.raises(documents.RecrawlRefusedError) as caught:
        documents.recrawl(make_document())
    assert caught.value.code == "not_crawled"


# --- secrets ------------------------------------------------------------------------------------


def dump():
    """Every value of every row of every model, but for the one write-only column."""
    from django.apps import apps

    rows = []
    for model in apps.get_models():
        names = [f.attname for f in model._meta.concrete_fields if f.attname != "layer_secrets"]
        rows += [str(row) for row in model._default_manager.values(*names)]
    return "\n".join(rows)


LAYERS = {
    "llm": {
        "model": "mine",
        "base_url": "https://llm.example",
        "api_key": KEY,
        "headers": {"X-Tenant": f"{KEY}-header"},
    },
    "tts": {"tts_engine": "cartesia", "api_key": f"{KEY}-tts"},
}


def test_a_key_is_nowhere_but_in_the_write_only_column(tavus_sandbox, worker, caplog):
    caplog.set_level(logging.DEBUG)
    row = publishing.create(Persona, persona_name="A", system_prompt="x", layers=LAYERS)
    worker.run()
    assert remote(tavus_sandbox, Persona.objects.get().tavus_id)["layers"] == LAYERS
    row.refresh_from_db()
    publishing.edit(row, layers={**row.layers, "tts": {**row.layers["tts"], "voice_settings": {}}})
    tavus_sandbox.faults.add("status:400", method="PATCH")
    worker.run()
    syncing.sync_objects("personas")
    row.refresh_from_db()
    assert KEY not in dump()
    assert KEY not in caplog.text
    assert KEY not in row.layer_secrets  # sealed
    assert secrets.unseal(row.layer_secrets)["values"]["/llm/api_key"] == KEY
    assert KEY not in repr(row.__dict__)


def test_an_error_that_quotes_a_key_is_masked(tavus_sandbox, worker, monkeypatch):
    from django_tavus.client import InvalidRequest
    from django_tavus.client.resources.personas import Personas

    def refuse(self, **fields):
        raise InvalidRequest(f"The key {fields['layers']['llm']['headers']['X-Tenant']} is bad.")

    monkeypatch.setattr(Personas, "create", refuse)
    row = publishing.create(Persona, system_prompt="x", layers=LAYERS)
    worker.run()
    row.refresh_from_db()
    assert row.sync_state == "failed"
    assert row.sync_error == "The key ******** is bad."


def test_the_keys_of_a_patched_layer_are_sent_again(tavus_sandbox, worker):
    row = publishing.create(Persona, persona_name="A", system_prompt="x", layers=LAYERS)
    worker.run()
    row.refresh_from_db()
    del remote(tavus_sandbox, row.tavus_id)["layers"]["llm"]["api_key"]  # Tavus does not show it
    row.remote["layers"]["llm"].pop("api_key")
    row.save()
    changed = {**row.layers, "llm": {**row.layers["llm"], "model": "other"}}
    publishing.edit(row, layers=changed)
    worker.run()
    (patch,) = bodies(tavus_sandbox, "PATCH")
    sent = {operation["path"]: operation["value"] for operation in patch}
    assert sent["/layers/llm/model"] == "other"
    assert sent["/layers/llm/api_key"] == KEY
    assert sent["/layers/llm/headers/X-Tenant"] == f"{KEY}-header"
    assert not [path for path in sent if path.startswith("/layers/tts")]


def test_a_new_key_alone_is_sent(tavus_sandbox, worker):
    row = publishing.create(Persona, persona_name="A", system_prompt="x", layers=LAYERS)
    worker.run()
    row.refresh_from_db()
    publishing.edit(row, layers={**row.layers, "tts": {**row.layers["tts"], "api_key": "new-key"}})
    worker.run()
    row.refresh_from_db()
    assert bodies(tavus_sandbox, "PATCH") == [
        [{"op": "add", "path": "/layers/tts/api_key", "value": "new-key"}]
    ]
    publishing.edit(row, greeting="Hi")
    worker.run()
    assert len(bodies(tavus_sandbox, "PATCH")[1]) == 1


def test_a_mask_cannot_be_moved_to_another_tool():
    tools = [{"url": "https://a.example", "api_key": "one-key"}, {"url": "https://b.example"}]
    row = Persona(system_prompt="x")
    publishing.prepare(row, layers={"llm": {"tools": tools}})
    masked = row.layers["llm"]["tools"]
    publishing.prepare(row, layers={"llm": {"tools": masked}})
    moved = [{**masked[1], "api_key": "********"}, masked[0]]
    with pytest.raises(ValidationError, match="masked"):
        publishing.prepare(row, layers={"llm": {"tools": moved}})


def test_a_seal_is_opened_by_an_older_secret_key_and_by_no_other(settings):
    sealed = secrets.seal({"values": {"/a": KEY}})
    assert secrets.seal({"values": {"/a": KEY}}) != sealed
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    assert secrets.unseal(sealed) == {}
    settings.SECRET_KEY_FALLBACKS = [old]
    assert secrets.unseal(sealed)["values"] == {"/a": KEY}
    assert secrets.unseal(sealed[:-8] + "AAAAAAA=") == {}
    assert secrets.unseal("garbage") == {} == secrets.unseal("")


def test_nothing_is_sent_within_a_request_or_a_transaction(tavus_sandbox):
    row = mirrored(tavus_sandbox)
    publishing.edit(row, greeting="Hi")
    publishing.request_delete(row)
    assert not tavus_sandbox.requests
    assert isinstance(Persona._meta.get_field("layer_secrets"), models.TextField)
    assert not connection.in_atomic_block
    assert json.dumps(row.conflicts) == "[]"
