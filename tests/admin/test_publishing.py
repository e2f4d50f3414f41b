"""Personas, documents and replicas in the admin: edited through the services, by who may."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import InMemoryStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from django_tavus.models import Document, Persona, Replica
from django_tavus.testing import make_document, make_persona, make_replica
from tests.admin.conftest import VIEW, Staff, changelist_url, counted, messages_of

KEY = "k-llm-0123456789-very-secret"
HOSTILE = "<script>alert(1)</script>"
MAKE = {Persona: make_persona, Document: make_document, Replica: make_replica}
FIXED: dict[str, Any] = {
    "gone": {"sync_state": "gone"},
    "deleting": {"delete_requested_at": timezone.now()},
}
CONFLICT = {"path": "/greeting", "base": "A", "ours": HOSTILE, "theirs": "C"}


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> InMemoryStorage:
    storage = InMemoryStorage(base_url="/media/")
    monkeypatch.setattr(Document._meta.get_field("file"), "storage", storage)
    return storage


def posted(page: Any, **changes: Any) -> dict[str, Any]:
    """What a browser would post from this page."""
    form = page.context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in {**data, **changes}.items() if value not in (None, "")}


def save(client: Staff, row: Any, **changes: Any) -> Any:
    url = client.page(row)
    return client.post(url, posted(client.get(url), **changes))


def delete_url(client: Staff, row: Any) -> str:
    return client.page(row).removesuffix("change/") + "delete/"


# --- personas -----------------------------------------------------------------------------------


def test_a_persona_is_added(boss: Staff, worker: Any) -> None:
    replica, document = make_replica(), make_document()
    data = {
        "persona_name": HOSTILE,
        "system_prompt": "One.\r\nTwo.\r\n",
        "pipeline_mode": "full",
        "default_replica": replica.pk,
        "documents": [document.pk],
        "document_tags": "a\r\n\r\nb",
        "layers": json.dumps({"llm": {"api_key": KEY}, "warp": {}}),
    }
    answer = boss.post(changelist_url(Persona) + "add/", data, follow=True)
    row = Persona.objects.get()
    assert (row.system_prompt, row.document_tags) == ("One.\nTwo.\n", ["a", "b"])
    assert list(row.documents.all()) == [document]
    assert (row.sync_state, row.persona_type, row.default_replica) == ("pending", "user", replica)
    assert any("warp" in message for message in messages_of(answer))
    assert "<script>alert" not in answer.content.decode()
    worker.commit()
    assert worker.messages == [("django_tavus.push_object", ("persona", row.pk))]


def test_saving_without_a_change_publishes_nothing(boss: Staff, worker: Any) -> None:
    persona = make_persona(system_prompt=" a\r\nb\n", layers={"llm": {"model": "x"}})
    persona.documents.add(make_document())
    assert save(boss, persona).status_code == 302
    worker.commit()
    assert not worker.messages
    persona.refresh_from_db()
    assert persona.system_prompt == " a\r\nb\n"


def test_only_what_was_changed_is_stored(boss: Staff, worker: Any) -> None:
    persona = make_persona(greeting="Hi")
    assert save(boss, persona, greeting="Ho").status_code == 302
    persona.refresh_from_db()
    assert (persona.greeting, persona.sync_state, persona.revision) == ("Ho", "pending", 1)


def test_a_page_that_is_out_of_date_overwrites_nothing(boss: Staff) -> None:
    persona = make_persona(greeting="Hi")
    data = posted(boss.get(boss.page(persona)), persona_name="Mine")
    Persona.objects.filter(pk=persona.pk).update(greeting="From Tavus")
    answer = boss.post(boss.page(persona), data)
    assert answer.status_code == 200
    assert "has changed since" in answer.content.decode()
    persona.refresh_from_db()
    assert (persona.greeting, persona.persona_name) == ("From Tavus", "Interview coach")


@pytest.mark.parametrize("layers", ['{"llm": {"api_key": "%s"}}', '{"llm": {"api_key": "%s"'])
def test_a_secret_is_not_shown_even_where_the_form_is_wrong(boss: Staff, layers: str) -> None:
    persona = make_persona()
    answer = save(boss, persona, layers=layers % KEY, system_prompt=" ")
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert KEY not in answer.content.decode()


def test_a_secret_goes_in_and_never_out(boss: Staff, caplog: pytest.LogCaptureFixture) -> None:
    persona = make_persona()
    layers = {"llm": {"model": "x", "base_url": "https://llm.example", "api_key": KEY}}
    assert save(boss, persona, layers=json.dumps(layers)).status_code == 302
    sealed = Persona.objects.get().layer_secrets
    assert save(boss, persona, greeting="Hi").status_code == 302
    assert Persona.objects.get().layer_secrets == sealed
    for url in (boss.page(persona), boss.page(persona)[:-7] + "history/", changelist_url(Persona)):
        assert KEY not in boss.get(url).content.decode()
    assert KEY not in caplog.text
    assert KEY not in json.dumps(list(Persona.objects.values()), default=str)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"system_prompt": ""}, "system_prompt"),
        ({"pipeline_mode": "echo"}, "system_prompt"),
        ({"layers": "[1]"}, "layers"),
        ({"layers": '{"a": "\\u0000"}'}, "layers"),
        ({"layers": '{"a": NaN}'}, "layers"),
        ({"layers": '{"llm": {"api_key": "********"}}'}, "layers"),
    ],
)
def test_errors_stand_at_their_field(
    changes: dict[str, str], field: str, boss: Staff, worker: Any
) -> None:
    persona = make_persona()
    answer = save(boss, persona, **changes)
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    worker.commit()
    assert not worker.messages


def test_a_mode_that_tavus_has_thought_of_since_is_kept(boss: Staff) -> None:
    persona = make_persona(pipeline_mode="telepathy")
    assert save(boss, persona, greeting="Hi").status_code == 302
    persona.refresh_from_db()
    assert persona.pipeline_mode == "telepathy"


# --- documents and replicas ---------------------------------------------------------------------


def test_a_document_is_uploaded(boss: Staff, storage: InMemoryStorage) -> None:
    file = SimpleUploadedFile("prices.pdf", b"%PDF")
    answer = boss.post(changelist_url(Document) + "add/", {"file": file, "tags": "a"})
    row = Document.objects.get()
    assert answer.status_code == 302
    assert storage.open(row.file.name).read() == b"%PDF"
    assert (row.tags, row.sync_state) == (["a"], "pending")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "document_url"),
        ({"document_url": "javascript:alert(1)"}, "document_url"),
        ({"document_url": "https://x.example", "crawl_depth": 11}, "crawl_depth"),
        ({"file": ("empty.pdf", b"")}, "file"),
        ({"file": ("virus.exe", b"x")}, "file"),
    ],
)
def test_a_wrong_document_is_refused(
    data: dict[str, Any], field: str, boss: Staff, storage: InMemoryStorage
) -> None:
    if "file" in data:
        data = {"file": SimpleUploadedFile(*data["file"])}
    answer = boss.post(changelist_url(Document) + "add/", data)
    assert field in answer.context["adminform"].form.errors
    assert not Document.objects.exists()


def test_an_upload_needs_an_address(boss: Staff, storage: Any, settings: Any) -> None:
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    data = {"file": SimpleUploadedFile("prices.pdf", b"%PDF")}
    answer = boss.post(changelist_url(Document) + "add/", data)
    assert "PUBLIC_URL" in str(answer.context["adminform"].form.errors["file"])


def test_a_website_is_crawled(boss: Staff) -> None:
    data = {"document_url": "https://x.example", "crawl_depth": 2, "crawl_max_pages": 5}
    assert boss.post(changelist_url(Document) + "add/", data).status_code == 302
    assert Document.objects.get().crawl == {"depth": 2, "max_pages": 5}


def test_a_replica_is_trained_and_renamed(boss: Staff) -> None:
    add = changelist_url(Replica) + "add/"
    image = {"train_image_url": "https://x.example/i.png"}
    assert "voice_name" in boss.post(add, image).context["adminform"].form.errors
    assert boss.post(add, {**image, "voice_name": "anna"}).status_code == 302
    replica = make_replica()
    assert save(boss, replica, replica_name="Berta").status_code == 302
    replica.refresh_from_db()
    assert (replica.replica_name, replica.sync_state) == ("Berta", "pending")


# --- who may, and when --------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["fine", *FIXED])
@pytest.mark.parametrize("word", ["view", "add", "change", "delete"])
@pytest.mark.parametrize("model", MAKE, ids=lambda model: model._meta.model_name)
def test_permissions_and_states(
    model: Any, word: str, state: str, staff: Callable[..., Staff]
) -> None:
    row = MAKE[model](**FIXED.get(state, {}))
    client = staff(*{*VIEW, f"{word}_{model._meta.model_name}"})
    assert client.get(client.page(row)).status_code == 200
    added = client.get(changelist_url(model) + "add/").status_code
    changed = client.post(client.page(row), {"edition": ""}).status_code
    gone = client.post(delete_url(client, row), {"post": "yes"}).status_code
    assert added == (200 if word == "add" else 403)
    assert (changed == 403) == (word != "change" or state != "fine")
    assert (gone == 302) == (word == "delete" and state != "deleting")
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("values", [{"persona_type": "system"}])
def test_the_stock_is_only_looked_at(values: dict[str, str], boss: Staff) -> None:
    persona = make_persona(**values)
    page = boss.get(boss.page(persona))
    assert 'name="_save"' not in page.content.decode()
    assert boss.post(boss.page(persona), {}).status_code == 403
    assert boss.post(delete_url(boss, persona), {"post": "yes"}).status_code == 403
    assert boss.tool(persona, "retry").status_code == 403
    data = {"action": "delete_selected", "_selected_action": [persona.pk], "post": "yes"}
    boss.post(changelist_url(Persona), data)
    persona.refresh_from_db()
    assert persona.delete_requested_at is None


# --- delete -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MAKE, ids=lambda model: model._meta.model_name)
def test_deleting_is_asked_for_and_the_row_stays(model: Any, boss: Staff, worker: Any) -> None:
    row, other = MAKE[model](), MAKE[model]()
    assert "will be deleted at Tavus" in boss.get(delete_url(boss, row)).content.decode()
    assert boss.post(delete_url(boss, row), {"post": "yes"}).status_code == 302
    data = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    boss.post(changelist_url(model), data)
    assert model.objects.filter(delete_requested_at__isnull=False).count() == 2
    assert not Replica.objects.filter(delete_hard=True).exists()
    assert "being deleted" in boss.get(boss.page(row)).content.decode()
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize(("typed", "erased"), [("Anna", True), ("anna", False), ("", False)])
def test_erasing_wants_the_name(typed: str, erased: bool, boss: Staff) -> None:
    replica = make_replica(replica_name="Anna")
    boss.post(delete_url(boss, replica), {"post": "yes", "hard": "1", "typed": typed})
    replica.refresh_from_db()
    assert (replica.delete_requested_at is not None, replica.delete_hard) == (erased, erased)


# --- tools --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tool", "greeting"), [("keep-ours", HOSTILE), ("take-theirs", "C")])
def test_a_conflict_is_shown_and_settled(tool: str, greeting: str, boss: Staff) -> None:
    persona = make_persona(greeting=HOSTILE, sync_state="failed", conflicts=[CONFLICT])
    page = boss.get(boss.page(persona))
    buttons = {button.name: button for button in page.context["tool_buttons"]}
    assert {"keep-ours", "take-theirs"} <= buttons.keys()
    assert "keep ours" in buttons["retry"].reason
    html = page.content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    boss.tool(persona, tool, confirm="1")
    persona.refresh_from_db()
    assert (persona.greeting, persona.conflicts, persona.sync_state) == (greeting, [], "pending")


def test_what_failed_is_tried_again(boss: Staff, viewer: Staff) -> None:
    document = make_document(sync_state="failed", sync_error=HOSTILE)
    assert viewer.tool(document, "retry").status_code == 403
    assert "<script>alert" not in boss.get(boss.page(document)).content.decode()
    boss.tool(document, "retry")
    document.refresh_from_db()
    assert (document.sync_state, document.sync_error) == ("pending", "")
    assert (
        "nothing to retry"
        in messages_of(boss.post(boss.page(make_document())[:-7] + "tools/retry/", follow=True))[-1]
    )


def test_the_cooldown_of_a_recrawl_is_said(boss: Staff, worker: Any) -> None:
    crawled = timezone.now() - timedelta(minutes=20)
    document = make_document(crawl={"depth": 1}, last_crawled_at=crawled)
    (button,) = boss.get(boss.page(document)).context["tool_buttons"]
    assert (button.name, "wait 40 minutes" in button.reason) == ("recrawl", True)
    Document.objects.update(last_crawled_at=None)
    boss.tool(document, "recrawl")
    document.refresh_from_db()
    assert document.recrawl_requested_at is not None


def test_a_page_takes_the_same_queries_at_two_sizes(boss: Staff) -> None:
    persona = make_persona()
    persona.documents.add(make_document())
    boss.get(boss.page(persona))
    with counted() as few:
        boss.get(boss.page(persona))
    persona.documents.add(*(make_document() for _ in range(12)))
    with counted() as many:
        boss.get(boss.page(persona))
    assert len(many) == len(few)
