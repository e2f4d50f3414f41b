from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

CONFIGURE = """
import sys
for name in {blocked!r}:
    sys.modules[name] = None
import django
from django.conf import settings
from tests import settings as ours
values = {{k: v for k, v in vars(ours).items() if k.isupper()}}
values["INSTALLED_APPS"] = [*values["INSTALLED_APPS"], *{apps!r}]
values["REST_FRAMEWORK"] = {rest!r}
# Migrated by the script itself: never the database that the other tests stand on.
values["DATABASES"] = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
settings.configure(**values)
django.setup()
"""
OPERATIONS = {
    "tavus_conversations_create",
    "tavus_conversations_delete",
    "tavus_conversations_end",
    "tavus_conversations_events",
    "tavus_conversations_list",
    "tavus_conversations_retrieve",
    "tavus_conversations_transcript",
    "tavus_documents_create",
    "tavus_documents_delete",
    "tavus_documents_list",
    "tavus_documents_recrawl",
    "tavus_documents_resolve",
    "tavus_documents_retrieve",
    "tavus_documents_update",
    "tavus_personas_create",
    "tavus_personas_delete",
    "tavus_personas_list",
    "tavus_personas_resolve",
    "tavus_personas_retrieve",
    "tavus_personas_update",
    "tavus_replicas_create",
    "tavus_replicas_delete",
    "tavus_replicas_list",
    "tavus_replicas_resolve",
    "tavus_replicas_retrieve",
    "tavus_replicas_update",
    "tavus_usage_list",
}


def run(script: str, **values: Any) -> str:
    values = {"blocked": [], "apps": [], "rest": {}, **values}
    done = subprocess.run(
        [sys.executable, "-c", CONFIGURE.format(**values) + script],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_schema_is_made_without_a_warning():
    pytest.importorskip("drf_spectacular")
    out = run(
        """
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
schema = SchemaGenerator().get_schema(request=None, public=True)
assert not GENERATOR_STATS, (GENERATOR_STATS._warn_cache, GENERATOR_STATS._error_cache)
validate_schema(schema)
for path, methods in schema["paths"].items():
    for operation in methods.values():
        print(operation["operationId"])
launch = schema["paths"]["/tavus/api/conversations/"]["post"]
names = {p["name"] for p in launch["parameters"]}
assert names == {"Prefer", "Idempotency-Key"}, names
listed = {p["name"] for p in schema["paths"]["/tavus/api/conversations/"]["get"]["parameters"]}
assert {"status", "persona_id", "reference", "created_after", "created_before", "search",
        "cursor", "page_size"} == listed, listed
events = schema["paths"]["/tavus/api/conversations/{id}/events/"]["get"]
assert {p["name"] for p in events["parameters"]} == {"id", "cursor", "page_size"}
persona = schema["components"]["schemas"]["Persona"]
assert "system_prompt" in persona["properties"]
assert "system_prompt" not in persona["required"]
""",
        apps=["drf_spectacular"],
    )
    assert set(out.split()) == OPERATIONS


def test_api_works_without_the_extras():
    out = run(
        """
from django.core.management import call_command
from django.test.utils import setup_test_environment
setup_test_environment()
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
from rest_framework.test import APIClient
from django_tavus.testing.factories import make_conversation
user = User.objects.create_user("owner")
row = make_conversation(owner=user, reference="a")
make_conversation(owner=user, reference="b")
client = APIClient()
client.force_login(user)
listed = client.get("/tavus/api/conversations/", {"reference": "a", "status": "active"})
assert [one["id"] for one in listed.json()["results"]] == [str(row.pk)]
assert client.get("/tavus/api/conversations/", {"status": "x"}).status_code == 400
print("fine")
""",
        blocked=["django_filters", "drf_spectacular", "drf_spectacular.utils"],
    )
    assert out == "fine\n"


def test_answers_are_what_the_schema_says():
    pytest.importorskip("drf_spectacular")
    out = run(
        """
from django.core.management import call_command
from django.test.utils import setup_test_environment
from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS30Validator
setup_test_environment()
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
from rest_framework.test import APIClient
from django_tavus.models import Utterance, WebhookEvent
from django_tavus.testing.factories import make_conversation, make_document
schema = SchemaGenerator().get_schema(request=None, public=True)

def resolved(value):
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return resolved(schema["components"]["schemas"][value["$ref"].rsplit("/", 1)[1]])
    return {key: resolved(item) for key, item in value.items()}

plain = User.objects.create_user("owner")
chief = User.objects.create_superuser("chief")
row = make_conversation(owner=plain, error_code="x", error_message="y")
row.documents.add(make_document())
row.persona.documents.add(make_document())
Utterance.objects.create(conversation=row, position=0, role="user", content="Hi")
WebhookEvent.objects.create(dedupe_key="k", source="callback", conversation=row)
keys = {"conversations": row.pk, "personas": row.persona_id, "documents": row.documents.get().pk,
        "replicas": row.persona.default_replica_id, "usage": ""}
for user in (plain, chief):
    client = APIClient()
    client.force_login(user)
    for path, methods in schema["paths"].items():
        if "get" not in methods:
            continue
        url = path.replace("{id}", "{key}").replace("{key}", str(keys[path.split("/")[3]]))
        answer = client.get(url)
        responses = methods["get"]["responses"]
        content = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
        OAS30Validator(resolved(content)).validate(answer.json())
        print(user.username, answer.status_code, path)
""",
        apps=["drf_spectacular"],
        rest={"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"},
    )
    answers = [line.split() for line in out.splitlines()]
    assert len(answers) == 2 * 11
    assert {status for user, status, _path in answers if user == "chief"} == {"200"}
