"""Every endpoint x {anonymous, other user, owner, staff without permission, staff with it}."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from django_tavus.api.urls import router
from django_tavus.models import Conversation, Document, Persona, Replica, WebhookEvent
from django_tavus.services import end_conversation
from django_tavus.testing.factories import make_conversation, make_document

# endpoint: (method, permission, anonymous, other user, owner, staff without, staff with it)
MATRIX: dict[str, tuple[str, str, int, int, int, int, int]] = {
    "conversation-list": ("get", "view_conversation", 403, 200, 200, 200, 200),
    "conversation-list create": ("post", "launch_conversation", 403, 202, 202, 202, 202),
    "conversation-detail": ("get", "view_conversation", 403, 404, 200, 404, 200),
    "conversation-detail delete": ("delete", "delete_conversation", 403, 404, 403, 404, 204),
    "conversation-detail erase": ("delete", "erase_conversation", 403, 404, 403, 404, 202),
    "conversation-end": ("post", "end_conversation", 403, 404, 202, 404, 204),
    "conversation-transcript": ("get", "view_transcript", 403, 404, 200, 404, 200),
    "conversation-events": ("get", "view_webhookevent", 403, 404, 403, 404, 200),
    "persona-list": ("get", "view_persona", 403, 200, 200, 200, 200),
    "persona-detail": ("get", "view_persona", 403, 200, 200, 200, 200),
    "replica-list": ("get", "view_replica", 403, 200, 200, 200, 200),
    "replica-detail": ("get", "view_replica", 403, 200, 200, 200, 200),
    "document-list": ("get", "view_document", 403, 403, 403, 403, 200),
    "document-detail": ("get", "view_document", 403, 403, 403, 403, 200),
    "persona-list create": ("post", "add_persona", 403, 403, 403, 403, 202),
    "persona-detail update": ("patch", "change_persona", 403, 403, 403, 403, 202),
    "persona-detail delete": ("delete", "delete_persona", 403, 403, 403, 403, 202),
    "persona-resolve": ("post", "change_persona", 403, 403, 403, 403, 202),
    "replica-list create": ("post", "add_replica", 403, 403, 403, 403, 202),
    "replica-detail update": ("patch", "change_replica", 403, 403, 403, 403, 202),
    "replica-detail delete": ("delete", "delete_replica", 403, 403, 403, 403, 202),
    "replica-resolve": ("post", "change_replica", 403, 403, 403, 403, 202),
    "document-list create": ("post", "add_document", 403, 403, 403, 403, 202),
    "document-detail update": ("patch", "change_document", 403, 403, 403, 403, 202),
    "document-detail delete": ("delete", "delete_document", 403, 403, 403, 403, 202),
    "document-resolve": ("post", "change_document", 403, 403, 403, 403, 202),
    "document-recrawl": ("post", "change_document", 403, 403, 403, 403, 202),
    "usage-list": ("get", "view_conversation", 403, 403, 403, 403, 200),
}
BODIES: dict[str, dict[str, Any]] = {
    "persona-list create": {"persona_name": "Coach", "system_prompt": "Be kind."},
    "persona-detail update": {"persona_name": "Coach"},
    "replica-list create": {"train_video_url": "https://example.com/me.mp4"},
    "replica-detail update": {"replica_name": "Anna"},
    "document-list create": {"document_url": "https://example.com/prices.pdf"},
    "document-detail update": {"document_name": "Prices"},
    **{f"{kind}-resolve": {"keep": "ours"} for kind in ("persona", "replica", "document")},
}
# Both sides are of the names that the columns and bodies of all three kinds know nothing of.
CONFLICTS = [{"path": "/x", "base": "a", "ours": "b", "theirs": "c"}]
VIEWERS = ("anonymous", "other", "owner", "staff", "permitted")


@pytest.fixture
def viewers(owner, make_user, make_staff):
    def find(name: str, permission: str) -> Any:
        return {
            "anonymous": lambda: None,
            "other": lambda: make_user("other"),
            "owner": lambda: owner,
            "staff": make_staff,
            "permitted": lambda: make_staff(permission),
        }[name]()

    return find


def url_of(endpoint: str, conversation: Conversation) -> str:
    name = endpoint.split()[0]
    if name.endswith("-list"):
        return reverse(f"django_tavus:{name}")
    if name.startswith("conversation"):
        url = reverse(f"django_tavus:{name}", kwargs={"pk": conversation.pk})
        return f"{url}?hard=true" if endpoint.endswith(" erase") else url
    row = {
        "persona": conversation.persona,
        "replica": conversation.persona.default_replica,
        "document": conversation.documents.get(),
    }[name.split("-")[0]]
    return reverse(f"django_tavus:{name}", kwargs={"key": row.tavus_id})


def test_matrix_knows_every_route_and_method():
    routes = {
        (f"{pattern.name}", method)
        for pattern in router.urls
        for method in pattern.callback.actions
        if method != "head"
    }
    assert routes == {(name.split()[0], row[0]) for name, row in MATRIX.items()}


@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize("endpoint", MATRIX)
def test_permission_matrix(viewers, as_user, owner, endpoint, viewer):
    method, permission, *statuses = MATRIX[endpoint]
    status = "ended" if method == "delete" else "active"
    conversation = make_conversation(owner=owner, status=status)
    conversation.documents.add(make_document(crawl={"depth": 1}))
    if endpoint.endswith("-resolve"):
        for model in (Persona, Replica, Document):
            model.objects.update(sync_state="failed", conflicts=CONFLICTS)
    client = as_user(viewers(viewer, permission))
    body = BODIES.get(endpoint)
    if endpoint == "conversation-list create":
        body = {"persona_id": conversation.persona.tavus_id}
    answer = getattr(client, method)(url_of(endpoint, conversation), body, format="json")
    assert answer.status_code == statuses[VIEWERS.index(viewer)]
    assert answer["Cache-Control"] == "private, no-store"
    if answer.status_code in (403, 404):
        assert str(conversation.tavus_id) not in answer.content.decode()


@pytest.mark.parametrize(
    ("viewer", "count"),
    [("other", 0), ("owner", 1), ("staff", 0), ("permitted", 1)],
)
def test_list_holds_only_what_the_viewer_may_see(viewers, as_user, owner, viewer, count):
    make_conversation(owner=owner)
    client = as_user(viewers(viewer, "view_conversation"))
    assert len(client.get(reverse("django_tavus:conversation-list")).json()["results"]) == count


def test_permission_without_staff_does_not_open_others(make_user, as_user, owner):
    conversation = make_conversation(owner=owner)
    client = as_user(make_user("curious", "view_conversation", "view_transcript"))
    assert client.get(url_of("conversation-detail", conversation)).status_code == 404
    assert client.get(url_of("conversation-transcript", conversation)).status_code == 404


def test_viewing_does_not_include_reading_or_ending(make_staff, as_user, owner):
    conversation = make_conversation(owner=owner)
    client = as_user(make_staff("view_conversation"))
    assert client.get(url_of("conversation-transcript", conversation)).status_code == 403
    assert client.get(url_of("conversation-events", conversation)).status_code == 403
    assert client.post(url_of("conversation-end", conversation)).status_code == 403
    assert client.delete(url_of("conversation-detail", conversation)).status_code == 403


def test_conversation_without_owner_is_nobodys(api, as_user, make_user):
    conversation = make_conversation(owner=None)
    for client in (api, as_user(None)):
        assert client.get(url_of("conversation-detail", conversation)).status_code in (403, 404)
    staff = as_user(make_user("chief", is_superuser=True, is_staff=True))
    assert staff.get(url_of("conversation-detail", conversation)).status_code == 200


# --- ending and deleting ----------------------------------------------------------------------


def test_end_is_stored_and_may_be_repeated(api, owner, worker):
    conversation = make_conversation(owner=owner)
    for _ in range(2):
        answer = api.post(url_of("conversation-end", conversation))
        assert answer.status_code == 202
        assert answer.json()["status"] == "active"
    worker.commit()
    assert set(worker.messages) == {("django_tavus.end_conversation", (str(conversation.pk),))}
    conversation.refresh_from_db()
    assert conversation.end_requested_at is not None


def test_end_of_a_queued_conversation_cancels_it(api, owner):
    conversation = make_conversation(owner=owner, status="queued")
    answer = api.post(url_of("conversation-end", conversation))
    assert answer.status_code == 200
    assert answer.json()["status"] == "ended"
    assert answer.json()["shutdown_reason"] == "cancelled"
    assert answer.json()["queue_position"] is None


def test_end_of_an_ended_conversation_is_fine(api, owner):
    conversation = make_conversation(owner=owner, status="ended")
    assert api.post(url_of("conversation-end", conversation)).status_code == 200


def test_end_of_a_conversation_that_vanishes_meanwhile_is_a_404(api, owner, monkeypatch):
    row = make_conversation(owner=owner, status="ended")

    def vanish(conversation: Conversation) -> None:
        Conversation.objects.filter(pk=conversation.pk).delete()
        end_conversation(conversation)

    monkeypatch.setattr("django_tavus.api.views.conversations.end_conversation", vanish)
    answer = api.post(url_of("conversation-end", row))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("status", ["queued", "launching", "active"])
def test_live_conversation_is_not_deleted(as_user, make_staff, owner, status):
    conversation = make_conversation(owner=owner, status=status)
    client = as_user(make_staff("delete_conversation"))
    answer = client.delete(url_of("conversation-detail", conversation))
    assert answer.status_code == 409
    assert answer.json()["code"] == "still_running"
    assert Conversation.objects.filter(pk=conversation.pk).exists()


def test_delete_takes_the_row(as_user, make_staff, owner):
    conversation = make_conversation(owner=owner, status="ended")
    client = as_user(make_staff("delete_conversation"))
    assert client.delete(url_of("conversation-detail", conversation)).status_code == 204
    assert not Conversation.objects.exists()


def test_delete_with_an_unknown_wish_does_nothing(as_user, make_staff, owner):
    conversation = make_conversation(owner=owner, status="ended")
    client = as_user(make_staff("delete_conversation"))
    answer = client.delete(url_of("conversation-detail", conversation) + "?harder=true")
    assert answer.status_code == 400
    assert list(answer.json()) == ["harder"]
    assert Conversation.objects.exists()


# --- erasing ----------------------------------------------------------------------------------


def test_hard_delete_is_stored_and_carried_out_by_a_task(as_user, make_staff, owner, worker):
    conversation = make_conversation(owner=owner, status="ended")
    client = as_user(make_staff("erase_conversation"))
    for _ in range(2):
        answer = client.delete(url_of("conversation-detail erase", conversation))
        assert answer.status_code == 202
    worker.commit()
    assert set(worker.messages) == {("django_tavus.erase_conversation", (str(conversation.pk),))}
    conversation.refresh_from_db()
    assert conversation.erase_requested_at is not None


@pytest.mark.parametrize("status", ["queued", "launching", "active"])
def test_live_conversation_is_not_erased(as_user, make_staff, owner, worker, status):
    conversation = make_conversation(owner=owner, status=status)
    client = as_user(make_staff("erase_conversation"))
    answer = client.delete(url_of("conversation-detail erase", conversation))
    assert answer.status_code == 409
    assert answer.json()["code"] == "still_running"
    conversation.refresh_from_db()
    assert conversation.erase_requested_at is None
    assert conversation.end_requested_at is None
    worker.commit()
    assert not worker.messages


def test_deleting_and_erasing_are_two_permissions(as_user, make_staff, owner):
    conversation = make_conversation(owner=owner, status="ended")
    plain = url_of("conversation-detail", conversation)
    hard = url_of("conversation-detail erase", conversation)
    viewing = "view_conversation"
    assert as_user(make_staff(viewing, "delete_conversation")).delete(hard).status_code == 403
    assert as_user(make_staff(viewing, "erase_conversation")).delete(plain).status_code == 403
    conversation.refresh_from_db()
    assert conversation.erase_requested_at is None


def test_hard_false_is_a_plain_delete(as_user, make_staff, owner):
    conversation = make_conversation(owner=owner, status="ended")
    client = as_user(make_staff("delete_conversation"))
    url = url_of("conversation-detail", conversation) + "?hard=false"
    assert client.delete(url).status_code == 204
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    "query", ["hard=yes", "hard=", "hard=TRUE%00", "hard=true&harder=true", "hard=false&hard=true"]
)
def test_hard_delete_with_an_unclear_wish_does_nothing(as_user, make_staff, owner, query):
    conversation = make_conversation(owner=owner, status="ended")
    client = as_user(make_staff("delete_conversation", "erase_conversation"))
    answer = client.delete(f"{url_of('conversation-detail', conversation)}?{query}")
    assert answer.status_code == 400
    conversation.refresh_from_db()
    assert conversation.erase_requested_at is None


def test_events_are_listed_newest_first(as_user, make_staff, owner):
    conversation = make_conversation(owner=owner)
    for number in range(3):
        WebhookEvent.objects.create(
            dedupe_key=str(number),
            source="callback",
            event_type="system.replica_joined",
            conversation=conversation,
            payload={"n": number},
        )
    client = as_user(make_staff("view_webhookevent"))
    answer = client.get(url_of("conversation-events", conversation), {"page_size": 2})
    assert [event["payload"] for event in answer.json()["results"]] == [{"n": 2}, {"n": 1}]
    assert answer.json()["next"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_conversations_are_not_edited(api, owner, method):
    conversation = make_conversation(owner=owner)
    assert getattr(api, method)(url_of("conversation-detail", conversation)).status_code == 405


@pytest.mark.parametrize("kind", ["persona", "replica", "document"])
def test_mirrors_are_never_replaced_whole(as_user, make_user, kind):
    client = as_user(make_user("chief", is_superuser=True))
    conversation = make_conversation()
    conversation.documents.add(make_document())
    assert client.put(url_of(f"{kind}-detail", conversation)).status_code == 405
    assert client.delete(url_of(f"{kind}-list", conversation)).status_code == 405
