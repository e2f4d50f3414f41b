from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_tavus.models import Conversation, Document, Persona, Replica
from django_tavus.services import importing, mapping, mirroring, publishing, syncing, tokens
from django_tavus.services.editable import DOCUMENT, PERSONA, REPLICA
from django_tavus.services.mirroring import Owners
from django_tavus.services.mirroring.relations import Relations
from django_tavus.services.reports import SyncReport
from django_tavus.testing import make_conversation, make_persona

pytestmark = pytest.mark.django_db(transaction=True)

BEYOND = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")


def statements(context):
    return [q["sql"] for q in context.captured_queries if not q["sql"].startswith(BEYOND)]


def store(kind, bodies, owners=None):
    report = SyncReport()
    mirroring.store_page(kind, bodies, report, owners)
    return report


def test_everything_is_mirrored_the_first_page_of_zero_based_resources_too(tavus_sandbox):
    for n in range(250):
        tavus_sandbox.add_document(
            document_id=f"d{n:03}", document_url=f"https://x.example/{n}", document_name=str(n)
        )
    report = syncing.sync_objects("documents")
    assert report.stored == Document.objects.count() == len(tavus_sandbox.engine.documents)
    assert Document.objects.filter(tavus_id="d000").exists()


def test_user_and_system_objects_are_told_apart_by_the_query_that_found_them(tavus_sandbox):
    tavus_sandbox.add_persona(persona_id="pmine", persona_name="Mine", system_prompt="x")
    syncing.sync_objects("personas")
    assert Persona.objects.get(tavus_id="pmine").persona_type == "user"
    assert Persona.objects.filter(persona_type="system").exists()


def both_sweeps(users, system):
    owners = Owners()
    for owners.asked, ids in (("user", users), ("system", system)):
        store(PERSONA, [{"persona_id": tavus_id} for tavus_id in ids], owners)
    return owners, dict(Persona.objects.values_list("tavus_id", "persona_type"))


def test_a_filter_that_is_not_heeded_types_nothing_new():
    _, types = both_sweeps(["p1", "p2"], ["p1", "p2"])
    assert types == {"p1": "", "p2": ""}


def test_a_filter_that_is_not_heeded_leaves_known_types_alone():
    both_sweeps(["p1"], ["p2"])
    owners, types = both_sweeps(["p1", "p2"], ["p1", "p2"])
    assert types == {"p1": "user", "p2": "system"}
    assert not owners.proven_users


def test_a_wrong_type_is_mended_by_a_sync_that_shows_both_kinds(tavus_sandbox):
    tavus_sandbox.add_persona(persona_id="pmine", persona_name="Mine", system_prompt="x")
    syncing.sync_objects("personas")
    Persona.objects.filter(persona_type="system").update(persona_type="user")
    Persona.objects.filter(tavus_id="pmine").update(persona_type="system")
    syncing.sync_objects("personas")
    assert Persona.objects.get(tavus_id="pmine").persona_type == "user"
    assert Persona.objects.filter(persona_type="user").count() == 1


def test_a_row_that_tells_its_type_is_believed():
    store(REPLICA, [{"replica_id": "r1", "replica_type": "system'"}])
    assert Replica.objects.get().replica_type == "system"


def test_a_persona_brings_its_replica_and_documents(tavus_sandbox):
    tavus_sandbox.add_replica(replica_id="rmine", replica_name="Anna")
    tavus_sandbox.add_document(document_id="dmine", document_url="https://x.example/1")
    tavus_sandbox.add_persona(
        persona_id="pmine",
        persona_name="Mine",
        system_prompt="Secret.",
        default_replica_id="rmine",
        document_ids=["dmine"],
    )
    syncing.sync_objects("personas")
    persona = Persona.objects.get(tavus_id="pmine")
    assert persona.system_prompt == "Secret."
    assert persona.default_replica.tavus_id == "rmine"  # a stub: replicas were not synced
    assert [d.tavus_id for d in persona.documents.all()] == ["dmine"]
    syncing.sync_objects("replicas")
    assert Replica.objects.get(tavus_id="rmine").replica_name == "Anna"


def test_links_follow_the_body(tavus_sandbox):
    body = {"persona_id": "p1", "document_ids": ["d1", "d2"], "default_replica_id": "r1"}
    store(PERSONA, [body])
    store(PERSONA, [{**body, "document_ids": ["d2", "d3"], "default_replica_id": None}])
    persona = Persona.objects.get()
    assert {d.tavus_id for d in persona.documents.all()} == {"d2", "d3"}
    assert persona.default_replica is None


def test_a_second_sync_updates_and_doubles_nothing(tavus_sandbox):
    row = make_persona(tavus_id="pmine", persona_name="Old", default_replica=None)
    tavus_sandbox.add_persona(persona_id="pmine", persona_name="New", system_prompt="x")
    created_at = row.created_at
    for _ in range(2):
        report = syncing.sync_objects("personas")
    row.refresh_from_db()
    assert (row.persona_name, row.created_at) == ("New", created_at)
    assert Persona.objects.filter(tavus_id="pmine").count() == 1
    assert report.written == 0


def test_without_changes_only_synced_at_moves(tavus_sandbox):
    syncing.sync_objects("personas")
    before = {row["id"]: row for row in Persona.objects.values()}
    syncing.sync_objects("personas")
    for row in Persona.objects.values():
        old = before[row["id"]]
        assert row.pop("synced_at") > old.pop("synced_at")
        assert row == old


def test_what_a_list_leaves_out_stays(tavus_sandbox):
    store(PERSONA, [{"persona_id": "p1", "persona_name": "A", "greeting": "Hi", "context": "c"}])
    store(PERSONA, [{"persona_id": "p1", "persona_name": "B"}])
    row = Persona.objects.get()
    assert (row.persona_name, row.greeting, row.context) == ("B", "Hi", "c")
    assert row.remote["greeting"] == "Hi"


def test_secrets_in_layers_are_not_mirrored(tavus_sandbox):
    layers = {"llm": {"model": "x", "base_url": "https://llm.example", "api_key": "sk-very-secret"}}
    tavus_sandbox.add_persona(
        persona_id="pmine", persona_name="Mine", system_prompt="x", layers=layers
    )
    syncing.sync_objects("personas")
    row = Persona.objects.get(tavus_id="pmine")
    assert "sk-very-secret" not in str(Persona.objects.values().get(pk=row.pk))
    assert row.layers["llm"]["base_url"] == "https://llm.example"


# --- statements ---------------------------------------------------------------------------------


def page_of(kind, size, start=0):
    return [
        {
            kind.id_key: f"x{n:04}",
            f"{kind.name}_name": f"Name {n}",
            "default_replica_id": "r1",
            "document_ids": ["d1", "d2"],
        }
        for n in range(start, start + size)
    ]


def needs_one_statement(size):
    """Whether the database takes so many rows at once (SQLite limits the parameters)."""
    fields = Persona._meta.concrete_fields
    return connection.ops.bulk_batch_size(fields, [None] * size) >= size


@pytest.mark.parametrize("kind", [REPLICA, DOCUMENT, PERSONA], ids=lambda kind: kind.name)
@pytest.mark.parametrize("size", [5, 20])
def test_a_page_costs_at_most_four_statements(kind, size):
    assert needs_one_statement(size)
    store(REPLICA, [{"replica_id": "r1"}])
    store(DOCUMENT, [{"document_id": "d1"}, {"document_id": "d2"}])
    with CaptureQueriesContext(
        connection,
    ) as new:
        store(kind, page_of(kind, size))
    with CaptureQueriesContext(connection) as unchanged:
        store(kind, page_of(kind, size))
    changed_page = [{**body, f"{kind.name}_name": "Other"} for body in page_of(kind, size)]
    with CaptureQueriesContext(connection) as changed:
        store(kind, changed_page)
    counts = [len(statements(context)) for context in (new, unchanged, changed)]
    allowed = 4 if connection.features.can_return_rows_from_bulk_insert else 5
    assert counts[0] <= allowed, statements(new)
    assert counts[1] == 2, statements(unchanged)
    assert counts[2] <= 4, statements(changed)


@pytest.mark.parametrize("size", [5, 15])
def test_a_page_of_conversations_costs_at_most_four_statements(size):
    bodies = [
        {"conversation_id": f"c{n}", "status": "active", "persona_id": "p1", "replica_id": "r1"}
        for n in range(size)
    ]
    store(PERSONA, [{"persona_id": "p1", "default_replica_id": "r1"}])
    for _ in range(2):
        with CaptureQueriesContext(connection) as context:
            importing.store_page(bodies, SyncReport())
        assert len(statements(context)) <= 4, statements(context)
    assert Conversation.objects.count() == size


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"persona_id": "p1"},
        {"persona_id": "p1", "persona_name": None, "layers": None, "document_ids": None},
        {"persona_id": "p1", "persona_name": 7, "layers": [], "document_ids": "d1"},
        {"persona_id": "p1", "persona_name": "x" * 5000, "system_prompt": "a\x00b\ud800"},
        {"persona_id": "p1", "extra": {"\x00": [float("nan"), {"deep": [1, "\udfff"]}]}},
        {"persona_id": "p1", "default_replica_id": ["r"], "document_ids": [1, None, "x" * 999]},
    ],
)
def test_odd_bodies_are_mirrored_as_far_as_they_go(body):
    for _ in range(2):
        assert store(PERSONA, [body]).stored == 1
    assert Persona.objects.count() == 1


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "bad",
    [
        {"persona_name": "lost"},
        {"persona_id": 7, "persona_name": "lost"},
        {"persona_id": "x" * 200, "persona_name": "lost"},
        {"unreadable": "lost"},
        {"persona_id": "lost", "layers": {"deep": nested(2000)}},
    ],
)
def test_a_bad_body_is_named_and_the_rest_is_stored(bad):
    report = store(PERSONA, [{"persona_id": "p1"}, bad, {"persona_id": "p2"}])
    assert report.stored == Persona.objects.count() == 2
    assert "lost" in report.failed[0]


def test_a_body_that_no_column_holds_costs_only_itself(monkeypatch):
    monkeypatch.setitem(
        mapping.PERSONA_COLUMNS, "persona_name", mapping.Column("persona_name", lambda v: v)
    )
    bodies = [{"persona_id": f"p{n}", "persona_name": "x"} for n in range(3)]
    report = store(PERSONA, [*bodies, {"persona_id": "pbad", "persona_name": None}])
    assert (report.stored, report.failed) == (3, ["pbad"])


def test_strange_rows_of_a_list_are_named_and_cost_nobody_else(tavus_sandbox):
    tavus_sandbox.add_persona(persona_id="p1", persona_name=7, system_prompt=["x"])
    tavus_sandbox.add_persona(persona_id="p2", persona_name="Fine", system_prompt="x")
    tavus_sandbox.add_persona(persona_id=99, persona_name="No text id", system_prompt="x")
    report = syncing.sync_objects("personas", prune=True)
    assert report.failed == ["No text id"]
    assert Persona.objects.get(tavus_id="p2").persona_name == "Fine"
    assert Persona.objects.get(tavus_id="p1").persona_name == ""


def test_an_unknown_status_survives(tavus_sandbox):
    tavus_sandbox.add_replica(replica_id="r1", status="hibernating")
    assert syncing.sync_objects("replicas").is_complete
    assert Replica.objects.get(tavus_id="r1").status == "hibernating"


# --- edits --------------------------------------------------------------------------------------


def test_a_pull_does_not_overwrite_an_edit():
    body = {"persona_id": "p1", "persona_name": "A", "system_prompt": "x", "greeting": "Hi"}
    store(PERSONA, [body])
    row = Persona.objects.get()
    publishing.edit(row, persona_name="Mine")
    store(PERSONA, [{**body, "greeting": "Hello"}])
    row.refresh_from_db()
    assert (row.persona_name, row.greeting, row.sync_state) == ("Mine", "Hello", "pending")
    assert row.remote["persona_name"] == "A"


def test_a_pull_leaves_a_conflict_to_the_push():
    body = {"persona_id": "p1", "persona_name": "A", "system_prompt": "x"}
    store(PERSONA, [body])
    row = Persona.objects.get()
    publishing.edit(row, persona_name="Mine")
    store(PERSONA, [{**body, "persona_name": "Theirs"}])
    row.refresh_from_db()
    assert (row.persona_name, row.remote["persona_name"]) == ("Mine", "A")


def test_an_edit_that_comes_between_reading_and_writing_survives(monkeypatch):
    body = {"persona_id": "p1", "persona_name": "A", "system_prompt": "x"}
    store(PERSONA, [body])
    original, edits = Relations.look_up, iter([1])

    def edited_meanwhile(*args):
        for _ in edits:
            publishing.edit(Persona.objects.get(), persona_name="Mine")
        return original(*args)

    monkeypatch.setattr(Relations, "look_up", edited_meanwhile)
    store(PERSONA, [{**body, "context": "c"}])
    row = Persona.objects.get()
    assert (row.persona_name, row.context, row.sync_state) == ("Mine", "c", "pending")


# --- prune --------------------------------------------------------------------------------------


def test_what_vanished_is_marked_and_comes_back(tavus_sandbox):
    persona = tavus_sandbox.add_persona(persona_id="p1", persona_name="A", system_prompt="x")
    syncing.sync_objects("personas")
    tavus_sandbox.engine.personas.remove("p1")
    assert syncing.sync_objects("personas").gone == 0
    assert syncing.sync_objects("personas", prune=True).gone == 1
    assert Persona.objects.get(tavus_id="p1").sync_state == "gone"
    tavus_sandbox.engine.personas.put(persona)
    syncing.sync_objects("personas")
    assert Persona.objects.get(tavus_id="p1").sync_state == "in_sync"


def test_an_edit_is_not_pruned(tavus_sandbox):
    row = make_persona(tavus_id="p1", default_replica=None)
    publishing.edit(row, persona_name="Mine")
    syncing.sync_objects("personas", prune=True)
    row.refresh_from_db()
    assert row.sync_state == "pending"


def test_an_incomplete_sweep_prunes_nothing_and_keeps_its_pages(tavus_sandbox):
    vanished = make_persona(tavus_id="pgone", default_replica=None)
    for n in range(250):
        tavus_sandbox.add_persona(persona_id=f"p{n}", persona_name=str(n), system_prompt="x")
    pages = iter([False, False, True, True, True, True, True])
    listed = syncing.get_client().personas.list

    class Failing:
        personas = syncing.get_client().personas

    def fail_on_the_third(**query):
        if next(pages):
            tavus_sandbox.faults.add("status:500", times=9)
        return listed(**query)

    Failing.personas.list = fail_on_the_third
    report = syncing.sync_objects("personas", Failing, prune=True)
    vanished.refresh_from_db()
    assert vanished.sync_state == "in_sync"
    assert (report.stored, report.gone, report.error.status) == (200, 0, 500)
    assert Persona.objects.filter(persona_type="user").count() == 201


def test_a_sweep_with_bad_objects_prunes_nothing(tavus_sandbox):
    make_persona(tavus_id="pgone", default_replica=None)
    tavus_sandbox.add_persona(persona_id=99, persona_name="Bad", system_prompt="x")
    assert syncing.sync_objects("personas", prune=True).gone == 0


# --- conversations ------------------------------------------------------------------------------


def conversation_body(**values):
    return {
        "conversation_id": "c1",
        "conversation_name": "Call",
        "status": "active",
        "conversation_url": "https://tavus.daily.co/c1",
        "callback_url": "",
        "persona_id": "p1",
        "replica_id": "r1",
        "created_at": "2026-01-01T10:00:00.000000Z",
        "updated_at": "2026-01-01T10:05:00.000000Z",
        **values,
    }


def import_one(**values):
    report = SyncReport()
    importing.store_page([conversation_body(**values)], report)
    return report


def test_a_foreign_conversation_is_imported_without_owner():
    import_one(status="ended")
    row = Conversation.objects.get()
    assert (row.owner, row.status, row.attempts) == (None, "ended", 0)
    assert (row.persona.tavus_id, row.replica.tavus_id) == ("p1", "r1")
    assert row.duration == 300


def test_an_imported_call_that_runs_is_not_ended_by_our_clock(worker):
    from django_tavus.services.reconciling import reconcile

    import_one()
    reconcile(timezone.now() + timedelta(days=2))
    row = Conversation.objects.get()
    assert (row.status, row.end_requested_at) == ("active", None)
    import_one(status="ended")
    row.refresh_from_db()
    assert (row.status, row.duration) == ("ended", 300)


def test_our_own_conversation_is_completed_and_never_moved_back():
    row = make_conversation(tavus_id="c1", status="ended", conversation_url="", persona=None)
    import_one()
    row.refresh_from_db()
    assert (row.status, row.conversation_url) == ("ended", "https://tavus.daily.co/c1")
    assert row.persona.tavus_id == "p1"
    assert Conversation.objects.count() == 1


def test_our_own_conversation_that_ended_is_ended_and_looked_at(signals_sent):
    row = make_conversation(tavus_id="c1")
    import_one(status="ended")
    row.refresh_from_db()
    assert row.status == "ended"
    assert row.next_check_at <= timezone.now()
    assert [name for name, _ in signals_sent] == ["conversation_ended"]


@pytest.mark.parametrize("deleted", [False, True])
def test_a_room_of_ours_is_left_to_its_launch(deleted):
    row = make_conversation(
        status="launching", tavus_id=None, attempts=1, attempted_at=timezone.now()
    )
    url = tokens.callback_url(row)
    if deleted:
        Conversation.objects.filter(pk=row.pk).update(status="failed")
        row.delete()
    import_one(callback_url=url)
    assert not Conversation.objects.filter(tavus_id="c1").exists()


def test_a_room_that_may_be_ours_is_left_to_its_launch():
    persona = make_persona(tavus_id="p1", default_replica=None)
    row = make_conversation(
        status="launching",
        persona=persona,
        conversation_name="Call",
        attempts=1,
        attempted_at=timezone.now(),
        callback_url="https://elsewhere.example/",
    )
    at = timezone.now().isoformat()
    import_one(created_at=at, callback_url="https://elsewhere.example/")
    assert Conversation.objects.get() == row


@pytest.mark.parametrize("status", ["", None, 7, "exploded"])
def test_a_conversation_with_an_unknown_status_is_over(status):
    import_one(status=status)
    assert Conversation.objects.get().status == "ended"


def test_conversations_of_the_sandbox_are_synced(tavus_sandbox):
    client = syncing.get_client()
    for _ in range(3):
        client.conversations.create(persona_id="pcb7a34da5fe")
    report = syncing.sync_objects("conversations")
    assert report.stored == Conversation.objects.count() == 3


# --- keep ---------------------------------------------------------------------------------------


SECRETS = [
    {"layers": {"llm": {"api_key": "k" * 9, "headers": {"X-Any": "v"}}}},
    {"callback_url": "https://x.example/a/0123456789abcdef0?x=y"},
    {"note": "key is sk-abcdefghijkl, Bearer abcdefgh"},
    {"url": "https://x.example/?token=abc"},
    {"url": "https://x.example/callbacks/abc/"},
    {"jwt": "eyJhbGciOi.eyJzdWIiOi.abcdef"},
    {"deep": [{"a": [{"password": "x"}]}]},
    {"operation": {"op": "add", "path": "/api_key", "value": "x"}},
    {"op": "add", "path": "/api_key", "value": "x"},
    {"Api-Key": "x", "X-API-KEY": "y", "openai_api_key": 5},
]


@pytest.mark.parametrize("body", SECRETS, ids=json.dumps)
def test_what_is_kept_is_what_redacting_everything_would_keep(body):
    assert mapping.keep(body) == mapping.redact(mapping.clean_json(body)) != body


# --- the command --------------------------------------------------------------------------------


def test_the_command_syncs_all_kinds(tavus_sandbox):
    out = io.StringIO()
    call_command("tavus_sync", stdout=out)
    assert f"personas: {Persona.objects.count()}" in out.getvalue()
    assert "conversations: 0" in out.getvalue()
    assert Replica.objects.filter(status="ready").exists()


def test_the_command_draws_a_bar_on_a_terminal_only(tavus_sandbox):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen, file = Terminal(), io.StringIO()
    for out in (screen, file):
        call_command("tavus_sync", "documents", stdout=out)
    assert "0/1" in screen.getvalue()
    assert "\r" not in file.getvalue()


def test_the_command_fails_loudly_and_goes_on(tavus_sandbox):
    with pytest.raises(CommandError, match="kittens"):
        call_command("tavus_sync", "kittens")
    tavus_sandbox.faults.add("status:500", path="/documents", times=9)
    err, out = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="mirrored: documents"):
        call_command("tavus_sync", "documents", "personas", "--prune", stderr=err, stdout=out)
    assert "500" in err.getvalue()
    assert "personas: 4" in out.getvalue()
