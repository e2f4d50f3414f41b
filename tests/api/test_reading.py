from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_tavus.api.urls import router
from django_tavus.models import (
    Conversation,
    ConversationDocument,
    Utterance,
    WebhookEvent,
)
from django_tavus.testing.factories import (
    make_conversation,
    make_document,
    make_persona,
    make_replica,
)
from tests.api.conftest import CONVERSATIONS, ROOT


def path(row: Conversation, tail: str = "") -> str:
    return f"{CONVERSATIONS}{row.pk}/{tail}"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


# --- what is shown ----------------------------------------------------------------------------


@pytest.fixture
def private_room(owner):
    return make_conversation(
        owner=owner, meeting_token="secret-token", conversation_url="https://room.example/c1"
    )


def test_owner_is_given_the_room(api, private_room):
    for shown in (
        api.get(path(private_room)).json(),
        api.get(CONVERSATIONS).json()["results"][0],
    ):
        assert shown["conversation_url"] == "https://room.example/c1"
        assert shown["meeting_token"] == "secret-token"


@pytest.mark.parametrize(
    ("codenames", "is_shown"),
    [(["view_conversation"], False), (["view_conversation", "launch_conversation"], True)],
)
def test_staff_are_given_the_room_if_they_may_launch(
    as_user, make_staff, private_room, codenames, is_shown
):
    client = as_user(make_staff(*codenames))
    for answer in (client.get(path(private_room)), client.get(CONVERSATIONS)):
        assert (b"secret-token" in answer.content) is is_shown
        assert (b"room.example" in answer.content) is is_shown
        assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("status", ["queued", "launching", "ended", "failed"])
def test_room_is_shown_only_while_it_is_open(api, private_room, status):
    Conversation.objects.update(status=status)
    answer = api.get(path(private_room))
    assert answer.json()["conversation_url"] is None
    assert b"secret-token" not in answer.content


def test_replica_in_use_is_its_own_or_the_default(api, owner):
    replica = make_replica()
    own = make_conversation(owner=owner, replica=replica)
    default = make_conversation(owner=owner)
    assert api.get(path(own)).json()["replica_id"] == replica.tavus_id
    assert api.get(path(default)).json()["replica_id"] == default.persona.default_replica.tavus_id
    bare = make_conversation(owner=owner, persona=None)
    assert api.get(path(bare)).json()["replica_id"] is None


def test_documents_keep_their_order(api, owner):
    conversation = make_conversation(owner=owner)
    documents = [make_document() for _ in range(3)]
    for position, document in enumerate(reversed(documents)):
        ConversationDocument.objects.create(
            conversation=conversation, document=document, position=position
        )
    shown = api.get(path(conversation)).json()["document_ids"]
    assert shown == [document.tavus_id for document in reversed(documents)]


def test_queue_position_counts_from_one(api, owner):
    first = make_conversation(owner=owner, status="queued")
    second = make_conversation(owner=owner, status="queued")
    assert api.get(path(first)).json()["queue_position"] == 1
    assert api.get(path(second)).json()["queue_position"] == 2


def test_callback_url_is_never_shown(api, owner):
    conversation = make_conversation(
        owner=owner,
        callback_url="https://hook.example/",
        remote={"callback_url": "https://hook.example/"},
    )
    assert b"hook.example" not in api.get(path(conversation)).content


# --- conditional GET --------------------------------------------------------------------------


def test_unchanged_conversation_is_304(api, owner):
    conversation = make_conversation(owner=owner)
    etag = api.get(path(conversation))["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}'):
        answer = api.get(path(conversation), headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
    Conversation.objects.update(shutdown_reason="x")
    assert api.get(path(conversation), headers={"If-None-Match": etag}).status_code == 200


def test_etag_is_of_what_this_viewer_sees(api, as_user, make_staff, private_room):
    etag = api.get(path(private_room))["ETag"]
    staff = as_user(make_staff("view_conversation"))
    answer = staff.get(path(private_room), headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert answer["ETag"] != etag


def test_etag_changes_when_the_line_moves(api, owner):
    first = make_conversation(owner=owner, status="queued")
    second = make_conversation(owner=owner, status="queued")
    etag = api.get(path(second))["ETag"]
    Conversation.objects.filter(pk=first.pk).update(status="failed")
    assert api.get(path(second), headers={"If-None-Match": etag}).status_code == 200


# --- lists ------------------------------------------------------------------------------------


@pytest.fixture
def some(owner):
    persona = make_persona(persona_name="Sales coach")
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    return [
        make_conversation(
            owner=owner,
            status=status,
            persona=chosen,
            reference=reference,
            conversation_name=name,
            created_at=now + timedelta(days=day),
        )
        for day, (status, chosen, reference, name) in enumerate(
            [
                ("active", persona, "lead:1", "Alpha"),
                ("ended", persona, "lead:10", "Béta É"),
                ("failed", None, "", "Gamma"),
            ]
        )
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [2, 1, 0]),
        ({"status": "active"}, [0]),
        ({"status": "active,ended"}, [1, 0]),
        ({"status": ""}, [2, 1, 0]),
        ({"persona_id": "PERSONA"}, [1, 0]),
        ({"persona_id": "p-unknown"}, []),
        ({"reference": "lead:1"}, [0]),
        ({"created_after": "2026-05-02T12:00:00Z"}, [2, 1]),
        ({"created_after": "2026-05-02T14:00:00+02:00"}, [2, 1]),
        ({"created_after": "2026-05-02T14:00:00 02:00"}, [2, 1]),
        ({"created_after": "2026-05-03T08:17:00+20:17"}, [2, 1]),  # PostgreSQL has no such zone
        ({"created_before": "2026-05-02T12:00:00Z"}, [0]),
        ({"created_before": "2026-05-02"}, [0]),
        ({"search": "ALPH"}, [0]),
        ({"search": "sales"}, [1, 0]),
        ({"search": "lead:10"}, [1]),
        ({"search": "%"}, []),
        ({"search": "_"}, []),
        ({"search": "É"}, [1]),
        ({"search": "\\"}, []),
        ({"status": "active", "search": "lead:10"}, []),
        ({"nonsense": "x"}, [2, 1, 0]),
    ],
)
def test_list_is_narrowed(api, some, query, found):
    query = {k: v.replace("PERSONA", some[0].persona.tavus_id) for k, v in query.items()}
    assert ids(api.get(CONVERSATIONS, query)) == [str(some[index].pk) for index in found]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "running"),
        ("status", "active,"),
        ("created_after", "yesterday"),
        ("created_after", "2026-13-01"),
        ("created_after", "0001-01-01T00:00:00+14:00"),
        ("created_before", "9999-12-31T23:59:59-14:00"),
        ("search", "x" * 256),
        ("search", "a\x00b"),
        ("reference", "\x00"),
        ("persona_id", "\x00"),
        ("page_size", "many"),
        ("page_size", "0"),
        ("page_size", "-1"),
        ("page_size", "²"),
    ],
)
def test_unreadable_parameter_is_named(api, some, name, value):
    answer = api.get(CONVERSATIONS, {name: value})
    assert answer.status_code == 400
    assert list(answer.json()) == [name]


def test_pages_follow_each_other(api, owner):
    rows = [make_conversation(owner=owner, persona=None) for _ in range(5)]
    seen: list[str] = []
    url = f"{CONVERSATIONS}?page_size=2&status=active"
    while url:
        answer = api.get(url)
        seen += ids(answer)
        url = answer.json()["next"]
        assert not url or "status=active" in url
    assert seen == [str(row.pk) for row in reversed(rows)]


def test_page_size_is_the_setting_and_at_most_100(api, owner, settings):
    Conversation.objects.bulk_create(Conversation(owner=owner) for _ in range(103))
    assert len(ids(api.get(CONVERSATIONS))) == 25
    settings.TAVUS = {**settings.TAVUS, "API_PAGE_SIZE": 3}
    assert len(ids(api.get(CONVERSATIONS))) == 3
    assert len(ids(api.get(CONVERSATIONS, {"page_size": 1000}))) == 100
    assert len(ids(api.get(CONVERSATIONS, {"page_size": 10**40}))) == 100


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ä",
        "",
        base64.b64encode(b"p=yesterday").decode(),
        base64.b64encode(b"p=2026-01-01 00:00:00").decode(),
        base64.b64encode(b"p=0001-01-01 00:00:00%2B14:00").decode(),
        base64.b64encode(b"p=%00").decode(),
        base64.b64encode(b"o=-1").decode(),
        base64.b64encode(b"r=x").decode(),
    ],
)
@pytest.mark.filterwarnings("error")
def test_invented_cursor_is_404(api, owner, cursor):
    make_conversation(owner=owner)
    assert api.get(CONVERSATIONS, {"cursor": cursor}).status_code in (
        [200, 404] if not cursor else [404]
    )
    assert api.get(f"{ROOT}/personas/", {"cursor": cursor}).status_code < 500


def test_invented_key_cursor_is_404(api, db):
    for position in (b"p=abc", b"p=1e5", b"p=%00"):
        cursor = base64.b64encode(position).decode()
        assert api.get(f"{ROOT}/personas/", {"cursor": cursor}).status_code == 404
    huge = base64.b64encode(b"p=" + b"9" * 30).decode()
    assert api.get(f"{ROOT}/personas/", {"cursor": huge}).status_code == 200


# --- transcripts ------------------------------------------------------------------------------


@pytest.fixture
def told(owner):
    conversation = make_conversation(owner=owner, status="ended")
    turns = [
        ("replica", "Hello <you> & all", 0.5, 1.5),
        ("user", "Line one\n\nline --> two", None, None),
        ("user", "  ", 4.0, 1.0),
        ("replica", "Bye", 3725.25, 0.1),
    ]
    Utterance.objects.bulk_create(
        Utterance(
            conversation=conversation,
            position=position,
            role=role,
            content=content,
            seconds_from_start=start,
            duration=length,
        )
        for position, (role, content, start, length) in enumerate(turns)
    )
    return conversation


def test_transcript_is_json(api, told):
    answer = api.get(path(told, "transcript/"))
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["id"] == str(told.pk)
    assert answer.json()["conversation_id"] == told.tavus_id
    assert answer.json()["transcript"][0] == {
        "position": 0,
        "role": "replica",
        "content": "Hello <you> & all",
        "spoken_at": None,
        "seconds_from_start": 0.5,
        "duration": 1.5,
    }
    assert [turn["position"] for turn in answer.json()["transcript"]] == [0, 1, 2, 3]


TEXT = """\
[00:00:00] replica: Hello <you> & all
user: Line one

line --> two
[01:02:05] replica: Bye
"""
VTT = """\
WEBVTT

1
00:00:00.500 --> 00:00:02.000
<v replica>Hello &lt;you&gt; &amp; all

2
00:00:02.000 --> 00:00:03.467
<v user>Line one
line --&gt; two

3
01:02:05.250 --> 01:02:06.250
<v replica>Bye
"""


@pytest.mark.parametrize(
    ("accept", "name", "content_type", "content"),
    [
        ("text/plain", "txt", "text/plain; charset=utf-8", TEXT),
        ("text/vtt", "vtt", "text/vtt; charset=utf-8", VTT),
    ],
)
def test_transcript_is_text_and_captions(api, told, accept, name, content_type, content):
    by_header = api.get(path(told, "transcript/"), headers={"Accept": accept})
    by_query = api.get(path(told, "transcript/"), {"format": name})
    for answer in (by_header, by_query):
        assert answer["Content-Type"] == content_type
        assert answer.content.decode() == content


@pytest.mark.parametrize(
    ("start", "length", "text", "captions"),
    [
        (-5.5, -1.0, "[00:00:00] ", "00:00:00.000 --> 00:00:01.000"),
        (1e307, 1e307, "", "00:00:00.000 --> 100:00:00.000"),
    ],
)
def test_impossible_times_are_no_server_error(api, owner, start, length, text, captions):
    row = make_conversation(owner=owner, status="ended")
    Utterance.objects.create(
        conversation=row,
        position=0,
        role="user",
        content="Hi",
        seconds_from_start=start,
        duration=length,
    )
    shown = api.get(path(row, "transcript/"), {"format": "txt"})
    assert shown.content.decode() == f"{text}user: Hi\n"
    shown = api.get(path(row, "transcript/"), {"format": "vtt"})
    assert shown.content.decode() == f"WEBVTT\n\n1\n{captions}\n<v user>Hi\n"


def test_no_caption_breaks_out_of_its_cue(api, owner):
    row = make_conversation(owner=owner, status="ended")
    said = "a\r\r00:00 --> 00:09\u2028\u2029NOTE x\x0b\x0c\x85<script>\u202e</script>&lt;"
    Utterance.objects.create(conversation=row, position=0, role="user", content=said, duration=1.0)
    shown = api.get(path(row, "transcript/"), {"format": "vtt"}).content.decode()
    head, cue = shown.split("\n\n")
    assert head == "WEBVTT"
    assert cue.count("-->") == 1
    assert "<" not in cue.replace("<v user>", "")
    assert cue.splitlines()[2:] == [
        "<v user>a",
        "00:00 --&gt; 00:09",
        "NOTE x",
        "&lt;script&gt;\u202e&lt;/script&gt;&amp;lt;",
    ]


def test_no_transcript_yet_is_an_empty_one(api, owner):
    conversation = make_conversation(owner=owner)
    assert api.get(path(conversation, "transcript/")).json()["transcript"] == []
    captions = api.get(path(conversation, "transcript/"), {"format": "vtt"}).content
    assert captions == b"WEBVTT\n"


def test_unknown_representation_is_406(api, told):
    assert api.get(path(told, "transcript/"), {"format": "pdf"}).status_code == 406
    assert api.get(path(told), headers={"Accept": "text/html"}).status_code == 406


def test_error_of_a_text_answer_is_json(api, make_user):
    theirs = make_conversation(owner=make_user("other"))
    answer = api.get(path(theirs, "transcript/"), {"format": "vtt"})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


# --- personas, replicas, documents ------------------------------------------------------------


def test_gallery_shows_faces_and_no_prompts(api, persona):
    persona.default_replica.thumbnail_video_url = "https://x.example/v.mp4"
    persona.default_replica.save()
    shown = api.get(f"{ROOT}/personas/").json()["results"]
    assert shown == [
        {
            "id": persona.pk,
            "persona_id": persona.tavus_id,
            "persona_name": "Interview coach",
            "persona_type": "user",
            "default_replica_id": persona.default_replica.tavus_id,
            "default_replica": {
                "id": persona.default_replica.pk,
                "replica_id": persona.default_replica.tavus_id,
                "replica_name": "Anna",
                "status": "ready",
                "thumbnail_video_url": "https://x.example/v.mp4",
            },
        }
    ]
    assert b"rutabaga" not in api.get(f"{ROOT}/personas/{persona.pk}/").content


def test_view_permission_shows_all_but_secrets(as_user, make_user, persona):
    document = make_document()
    persona.documents.add(document)
    persona.layers = {"llm": {"model": "x", "api_key": "sk-123"}}
    persona.save()
    client = as_user(make_user("editor", "view_persona"))
    for answer in (client.get(f"{ROOT}/personas/"), client.get(f"{ROOT}/personas/{persona.pk}/")):
        shown = answer.json().get("results", [answer.json()])[0]
        assert "rutabaga" in shown["system_prompt"]
        assert shown["context"] == ""
        assert shown["document_ids"] == [document.tavus_id]
        assert shown["layers"]["llm"]["model"] == "x"
        assert b"sk-123" not in answer.content


def test_replica_shows_training_with_permission(api, as_user, make_user):
    replica = make_replica(voice_name="Anna's", training_progress=40)
    plain = api.get(f"{ROOT}/replicas/{replica.pk}/").json()
    assert plain.keys() == {
        "id",
        "replica_id",
        "replica_name",
        "status",
        "replica_type",
        "thumbnail_video_url",
    }
    full = as_user(make_user("editor", "view_replica")).get(f"{ROOT}/replicas/{replica.pk}/")
    assert (full.json()["voice_name"], full.json()["training_progress"]) == ("Anna's", 40)


@pytest.mark.parametrize("kind", ["personas", "replicas", "documents"])
def test_key_is_ours_or_tavus(as_user, make_user, kind):
    client = as_user(make_user("editor", "view_document"))
    make = {"personas": make_persona, "replicas": make_replica, "documents": make_document}[kind]
    row = make()
    for key in (row.pk, row.tavus_id):
        answer = client.get(f"{ROOT}/{kind}/{key}/")
        assert answer.json()["id"] == row.pk
        known = {"If-None-Match": answer["ETag"]}
        assert client.get(f"{ROOT}/{kind}/{key}/", headers=known).status_code == 304
    for key in ("99999", "9" * 18, "9" * 40, "p-unknown", "%00", "a%00b", "%ff", "x" * 500):
        assert client.get(f"{ROOT}/{kind}/{key}/").status_code == 404


@pytest.mark.parametrize("hidden", [{"tavus_id": None}, {"sync_state": "gone"}])
def test_gallery_leaves_out_what_is_not_at_tavus(api, as_user, make_user, hidden):
    persona = make_persona(**hidden)
    assert ids(api.get(f"{ROOT}/personas/")) == []
    assert api.get(f"{ROOT}/personas/{persona.pk}/").status_code == 404
    editor = as_user(make_user("editor", "view_persona"))
    assert ids(editor.get(f"{ROOT}/personas/")) == [persona.pk]


@pytest.mark.parametrize(
    ("kind", "make", "query", "count"),
    [
        ("personas", lambda: make_persona(persona_name="Alpha"), {"search": "alp"}, 1),
        ("personas", lambda: make_persona(persona_type="system"), {"persona_type": "system"}, 1),
        ("personas", lambda: make_persona(), {"persona_type": "system"}, 0),
        ("replicas", lambda: make_replica(status="training"), {"status": "training"}, 1),
        ("replicas", lambda: make_replica(status="ready"), {"status": "training"}, 0),
        ("replicas", lambda: make_replica(), {"replica_type": "user"}, 1),
        ("documents", lambda: make_document(document_name="Prices"), {"search": "PRI"}, 1),
        ("documents", lambda: make_document(), {"status": "error"}, 0),
    ],
)
def test_mirrors_are_narrowed(as_user, make_user, kind, make, query, count):
    make()
    client = as_user(make_user("editor", "view_document"))
    assert len(ids(client.get(f"{ROOT}/{kind}/", query))) == count


# --- query counts -----------------------------------------------------------------------------

AUTHENTICATION = ("django_session", "auth_user", "auth_permission")


def queries_of(client: Any, url: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as context:
        assert client.get(url).status_code == 200
    queries = [query["sql"] for query in context.captured_queries]
    ours = [
        sql
        for sql in queries
        if not any(f'FROM "{t}"' in sql or f"FROM `{t}`" in sql for t in AUTHENTICATION)
    ]
    assert not any("SAVEPOINT" in sql for sql in ours)
    return ours


def fill(owner: Any, count: int) -> Conversation:
    persona = make_persona()
    for number in range(count):
        document, status = make_document(), ("queued", "active", "ended")[number % 3]
        conversation = make_conversation(
            owner=owner, status=status, persona=make_persona(), replica=make_replica()
        )
        ConversationDocument.objects.create(conversation=conversation, document=document)
        make_persona().documents.add(document)
    last = make_conversation(owner=owner, persona=persona, status="ended")
    Utterance.objects.bulk_create(
        Utterance(conversation=last, position=n, role="user", content="x") for n in range(count)
    )
    WebhookEvent.objects.bulk_create(
        WebhookEvent(dedupe_key=str(n), source="callback", conversation=last) for n in range(count)
    )
    return last


ALL = (
    "view_conversation",
    "launch_conversation",
    "view_transcript",
    "view_webhookevent",
    "view_persona",
    "view_replica",
    "view_document",
)


LISTS_AND_DETAILS = {
    "conversations/?page_size=100": 3,
    "conversations/?search=x&persona_id=p1": 3,
    "conversations/{c}/": 2,
    "conversations/{c}/transcript/": 2,
    "personas/?page_size=100": 3,
    "personas/{p}/": 2,
    "replicas/?page_size=100": 3,
    "replicas/{r}/": 2,
}
FOR_STAFF = {
    "conversations/{c}/events/?page_size=100": 3,
    "documents/?page_size=100": 3,
    "documents/{d}/": 2,
    "usage/": 1,
    "usage/?by=day,persona,owner&since=2020-01-01": 1,
}


READ = (*LISTS_AND_DETAILS, *FOR_STAFF)


def test_queries_are_counted_on_every_route_that_reads():
    counted = [url.format(c="c", p="p", r="r", d="d").partition("?")[0] for url in READ]
    shapes = {re.sub(r"(?<=/)[cprd](?=/)", "*", url) for url in counted}
    routes = {
        re.sub("<[^>]+>", "*", str(pattern.pattern))
        for pattern in router.urls
        if "get" in pattern.callback.actions
    }
    assert shapes == routes


@pytest.mark.parametrize(
    ("viewer", "url", "most"),
    [("owner", url, most) for url, most in LISTS_AND_DETAILS.items()]
    + [("staff", url, most) for url, most in (LISTS_AND_DETAILS | FOR_STAFF).items()],
)
def test_queries_do_not_grow_with_the_rows(as_user, owner, make_staff, viewer, url, most):
    client = as_user(owner if viewer == "owner" else make_staff(*ALL))
    counts = []
    for size in (1, 50):
        Conversation.objects.live().update(status="ended")
        Conversation.objects.all().delete()
        WebhookEvent.objects.all().delete()
        last = fill(owner, size)
        document = make_document()
        target = f"{ROOT}/" + url.format(
            c=last.pk, p=last.persona_id, r=last.persona.default_replica_id, d=document.pk
        )
        counts.append(len(queries_of(client, target)))
    assert counts[0] == counts[1] <= most


def test_list_reads_no_prompts_and_no_remote_bodies(api, owner):
    make_conversation(owner=owner)
    (sql,) = [sql for sql in queries_of(api, CONVERSATIONS) if "queue_position" in sql]
    assert "conversation_url" in sql
    for column in ("remote", "system_prompt", "perception_analysis", "layers"):
        assert column not in sql
