from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from django_tavus.models import Document, Persona, Replica
from django_tavus.services import syncing
from django_tavus.testing import make_persona

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_second_sync_updates_and_doubles_nothing(tavus_sandbox):
    row = make_persona(tavus_id="pmine", persona_name="Old", default_replica=None)
    tavus_sandbox.add_persona(persona_id="pmine", persona_name="New", system_prompt="x")
    created_at = row.created_at
    for _ in range(2):
        syncing.sync_objects("personas")
    row.refresh_from_db()
    assert (row.persona_name, row.created_at) == ("New", created_at)
    assert Persona.objects.filter(tavus_id="pmine").count() == 1


def test_secrets_in_layers_are_not_mirrored(tavus_sandbox):
    layers = {"llm": {"model": "x", "base_url": "https://llm.example", "api_key": "sk-very-secret"}}
    tavus_sandbox.add_persona(
        persona_id="pmine", persona_name="Mine", system_prompt="x", layers=layers
    )
    syncing.sync_objects("personas")
    row = Persona.objects.get(tavus_id="pmine")
    assert "sk-very-secret" not in str(row.remote) + str(row.layers)
    assert row.layers["llm"]["base_url"] == "https://llm.example"


@pytest.mark.parametrize("kind", syncing.KINDS)
def test_a_page_costs_a_bounded_number_of_statements(
    kind, tavus_sandbox, django_assert_max_num_queries
):
    plan = syncing.KINDS[kind]
    bodies = [{plan.id_key: f"x{n:03}", "default_replica_id": "r1"} for n in range(100)]
    for page in (bodies[:10], bodies):
        with django_assert_max_num_queries(12):
            syncing.store_page(plan, page, {}, syncing.SyncReport())


@pytest.mark.parametrize(
    "body",
    [
        {"persona_id": "p1"},
        {"persona_id": "p1", "persona_name": None, "layers": None, "document_ids": None},
        {"persona_id": "p1", "persona_name": 7, "layers": [], "document_ids": "d1"},
        {"persona_id": "p1", "persona_name": "x" * 5000, "system_prompt": "a\x00b"},
    ],
)
def test_odd_bodies_are_mirrored_as_far_as_they_go(body):
    report = syncing.SyncReport()
    syncing.store_page(syncing.KINDS["personas"], [body], {}, report)
    assert (report.stored, Persona.objects.count()) == (1, 1)


def test_a_body_without_id_is_named_and_the_rest_is_stored():
    report = syncing.SyncReport()
    bodies = [{"persona_name": "lost"}, {"persona_id": "p1"}]
    syncing.store_page(syncing.KINDS["personas"], bodies, {}, report)
    assert report.stored == 1
    assert "lost" in report.failed[0]


def test_the_command_syncs_all_kinds(tavus_sandbox):
    out = io.StringIO()
    call_command("tavus_sync", stdout=out)
    assert f"personas: {Persona.objects.count()}" in out.getvalue()
    assert Replica.objects.filter(status="ready").exists()


def test_the_command_fails_loudly(tavus_sandbox):
    with pytest.raises(CommandError, match="kittens"):
        call_command("tavus_sync", "kittens")
    tavus_sandbox.faults.add("status:500", times=9)
    err = io.StringIO()
    with pytest.raises(CommandError, match="documents"):
        call_command("tavus_sync", "documents", stderr=err)
    assert "500" in err.getvalue()
