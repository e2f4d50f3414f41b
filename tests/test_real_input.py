"""Every request example of the provider's file, launched over REST, and what it answers."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from django_tavus.client import parse_datetime
from django_tavus.models import Conversation
from django_tavus.services import syncing
from tests import openapi

pytestmark = pytest.mark.django_db

EXAMPLES = (
    "Required Parameters Only",
    "Full Customizations",
    "Audio Only",
    "Private Room",
    "Recording Storage - Amazon S3",
    "Recording Storage - Google Cloud Storage",
    "Recording Storage - Azure Blob Storage",
)


@pytest.fixture
def staff(django_user_model):
    user = django_user_model.objects.create_user("ada", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="launch_conversation"))
    client = Client()
    client.force_login(user)
    return client


def launch(client, body):
    return client.post("/tavus/api/conversations/", body, content_type="application/json")


def test_these_are_all_the_examples():
    operation = openapi.operations()["createConversation"]
    assert set(operation.request_examples) == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_reaches_tavus_unchanged(name, staff, tavus_sandbox, worker):
    operation = openapi.operations()["createConversation"]
    example = operation.request_examples[name]
    tavus_sandbox.add_replica(replica_id=example["replica_id"], replica_name="Anna")
    tavus_sandbox.add_persona(
        persona_id=example["persona_id"], persona_name="Coach", system_prompt="Secret."
    )
    syncing.sync_objects("replicas")
    syncing.sync_objects("personas")
    # Over REST nobody sets a callback URL: ours goes out.
    wish = {key: value for key, value in example.items() if key != "callback_url"}
    response = launch(staff, wish)
    assert response.status_code == 202, response.content
    worker.run()

    (request,) = [
        r for r in tavus_sandbox.requests if (r.method, r.path) == ("POST", "/v2/conversations")
    ]
    sent = request.body
    assert openapi.request_errors(operation, body=sent) == []
    assert sent.pop("callback_url").startswith("https://site.example/tavus/callbacks/")
    ours = {"participant_left_timeout": 30, **wish.get("properties", {})}
    assert sent == {**wish, "properties": ours}

    row = Conversation.objects.get(pk=response.json()["id"])
    room = tavus_sandbox.engine.conversations[row.tavus_id]
    assert row.status == "active"
    assert row.conversation_url == room.conversation_url
    assert row.conversation_name == room.conversation_name
    assert row.meeting_token == (room.meeting_token or "")
    assert row.remote["status"] == "active"
    assert row.launched_at == parse_datetime(row.remote["created_at"])
    documented = operation.response_schema(200)["properties"].keys() - {"meeting_token"}
    assert documented <= row.remote.keys()


def test_the_callback_url_of_the_example_goes_out_as_a_default(
    staff, tavus_sandbox, worker, settings
):
    example = openapi.operations()["createConversation"].request_examples["Full Customizations"]
    settings.TAVUS = {
        **settings.TAVUS,
        "CONVERSATION_DEFAULTS": {"callback_url": example["callback_url"]},
    }
    tavus_sandbox.add_replica(replica_id=example["replica_id"], replica_name="Anna")
    syncing.sync_objects("replicas")
    launch(staff, {"replica_id": example["replica_id"]})
    worker.run()
    assert tavus_sandbox.requests[-1].body["callback_url"] == example["callback_url"]
