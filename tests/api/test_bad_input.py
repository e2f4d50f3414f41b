"""What is wrong with a request is answered as 4xx, and the field is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_tavus.models import Conversation, Document, Persona, Replica
from django_tavus.services.launch_fields import LAUNCH_FIELDS
from django_tavus.services.request_fields import PROPERTIES, RECORDING_STORAGE
from django_tavus.testing import make_document, make_persona, make_replica
from tests.api.conftest import CONVERSATIONS, ROOT

MIRRORS = {"personas": Persona, "replicas": Replica, "documents": Document}
MAKERS = {"personas": make_persona, "replicas": make_replica, "documents": make_document}
ENOUGH: dict[str, dict[str, Any]] = {
    "personas": {"system_prompt": "Be kind."},
    "replicas": {"train_video_url": "https://x.example/v.mp4"},
    "documents": {"document_url": "https://x.example/d.pdf"},
}
TEXTS = {
    "personas": (
        *("persona_name", "system_prompt", "context", "greeting", "pipeline_mode"),
        *("default_replica_id", "objectives_id"),
    ),
    "replicas": (
        *("replica_name", "model_name", "train_video_url", "train_image_url", "voice_name"),
        "consent_video_url",
    ),
    "documents": ("document_name", "document_url"),
}
LISTS = {
    "personas": ("document_ids", "document_tags", "guardrail_ids"),
    "replicas": (),
    "documents": ("tags",),
}
OBJECTS = {"personas": ("layers",), "replicas": (), "documents": ("crawl",)}
WRONG: dict[str, tuple[Any, ...]] = {
    "text": (1, 1.5, True, [], {}, ["x"], 10**30),
    "list": (1, True, "x", {}, [1], [None], [[]], [""], ["a", {}]),
    "object": (1, True, "x", [], [{}]),
    "boolean": (0, 1, "true", "", [], {}),
    "integer": ("5", 5.5, True, [], {}, -1, 10**30, 2**31),
}
KINDS_OF_MEMBERS = (("text", TEXTS), ("list", LISTS), ("object", OBJECTS))
MEMBERS = [
    (kind, name, value)
    for type_name, members in KINDS_OF_MEMBERS
    for kind, names in members.items()
    for name in names
    for value in WRONG[type_name]
]
LAUNCH_TYPES = {
    **dict.fromkeys(("persona_id", "replica_id", "conversation_name", "reference"), "text"),
    **dict.fromkeys(("conversational_context", "custom_greeting"), "text"),
    "document_retrieval_strategy": "text",
    **dict.fromkeys(("audio_only", "test_mode", "require_auth"), "boolean"),
    "max_participants": "integer",
    **dict.fromkeys(("memory_stores", "document_ids", "document_tags"), "list"),
    **dict.fromkeys(("properties", "metadata"), "object"),
}
PROPERTY_TYPES = {
    **dict.fromkeys(
        ("max_call_duration", "participant_left_timeout", "participant_absent_timeout"), "integer"
    ),
    **dict.fromkeys(
        ("enable_recording", "enable_closed_captions", "apply_greenscreen", "require_auth"),
        "boolean",
    ),
    **dict.fromkeys(("language", "recording_s3_bucket_name"), "text"),
    **dict.fromkeys(("recording_s3_bucket_region", "aws_assume_role_arn"), "text"),
    "recording_storage": "object",
}


def wrong_values(types: dict[str, str]) -> list[tuple[str, Any]]:
    return [(name, value) for name, kind in types.items() for value in WRONG[kind]]


@pytest.fixture
def chief(make_user, as_user):
    return as_user(make_user("chief", is_superuser=True, is_staff=True))


def send(client: Any, path: str, body: bytes | str, method: str = "post") -> Any:
    return getattr(client, method)(path, body, content_type="application/json")


def refused(answer: Any, *names: str) -> dict[str, Any]:
    """Assert that the answer is a 400 which names these fields, with a sentence for each."""
    assert answer.status_code == 400, answer.content
    told = answer.json()
    assert sorted(told) == sorted(names)
    for sentences in told.values():
        assert sentences
        assert all(isinstance(one, str) and one for one in sentences)
    return told


# --- every field x every wrong type -------------------------------------------------------------


def test_the_tables_know_every_field():
    assert LAUNCH_TYPES.keys() == LAUNCH_FIELDS
    assert PROPERTY_TYPES.keys() == PROPERTIES.keys()


@pytest.mark.parametrize(
    ("name", "value"), [*wrong_values(LAUNCH_TYPES), ("max_participants", 32_768)]
)
def test_launch_names_a_field_of_the_wrong_type(chief, persona, name, value):
    body = {"persona_id": persona.tavus_id, name: value}
    refused(send(chief, CONVERSATIONS, json.dumps(body)), name)
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(("name", "value"), [*wrong_values(PROPERTY_TYPES), ("language", None)])
def test_launch_names_a_property_of_the_wrong_type(chief, persona, name, value):
    body = {"persona_id": persona.tavus_id, "properties": {name: value}}
    told = refused(send(chief, CONVERSATIONS, json.dumps(body)), "properties")
    assert all(sentence.startswith(f"{name}: ") for sentence in told["properties"])


@pytest.mark.parametrize("name", sorted(RECORDING_STORAGE))
@pytest.mark.parametrize("value", [None, 1, [], {}])
def test_launch_names_a_member_of_the_recording_storage(chief, persona, name, value):
    storage = {"provider": "s3", name: value}
    body = {"persona_id": persona.tavus_id, "properties": {"recording_storage": storage}}
    told = refused(send(chief, CONVERSATIONS, json.dumps(body)), "properties")
    assert told["properties"][0].startswith(f"recording_storage: {name}: ")


@pytest.mark.parametrize(("kind", "name", "value"), MEMBERS)
def test_mirrors_name_a_field_of_the_wrong_type(chief, kind, name, value):
    refused(send(chief, f"{ROOT}/{kind}/", json.dumps({**ENOUGH[kind], name: value})), name)
    assert not MIRRORS[kind].objects.exists()


@pytest.mark.parametrize("kind", MIRRORS)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_unknown_fields_are_named_all_of_them(chief, kind, method):
    path = f"{ROOT}/{kind}/"
    path += f"{MAKERS[kind]().pk}/" if method == "patch" else ""
    body = {**(ENOUGH[kind] if method == "post" else {}), "nonsense": 1, "id": 5}
    refused(send(chief, path, json.dumps(body), method), "nonsense", "id")


def test_the_largest_number_fits_its_column(chief, persona):
    body = {"persona_id": persona.tavus_id, "max_participants": 32_767}
    assert send(chief, CONVERSATIONS, json.dumps(body)).status_code == 202


# --- bodies that no database or other reader would take -----------------------------------------

PLACES = {
    "launch": (CONVERSATIONS, "metadata"),
    "personas": (f"{ROOT}/personas/", "layers"),
    "documents": (f"{ROOT}/documents/", "crawl"),
}
DEEP = '{"a":' * 50 + "1" + "}" * 50


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "value",
    [
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": [-Infinity]}',
        '{"a": 1e999}',
        '{"a": ' + "9" * 5000 + "}",
        '{"a": -' + "9" * 5000 + "}",
        '{"a": 1, "a": 1}',
        '{"a": {"b": 1, "b": 2}}',
        '{"a": "\\u0000"}',
        '{"a": "\\ud800"}',
        '{"\\udc00": 1}',
        DEEP,
        "[" * 30 + "]" * 30,
        "NaN",
    ],
    ids=lambda value: value[:24],
)
def test_a_value_that_cannot_be_stored_names_its_field(chief, place, value):
    path, name = PLACES[place]
    refused(send(chief, path, f'{{"{name}": {value}}}'), name)
    for model in (Conversation, *MIRRORS.values()):
        assert not model.objects.exists()


@pytest.mark.parametrize("path", [CONVERSATIONS, *(f"{ROOT}/{kind}/" for kind in MIRRORS)])
def test_a_key_that_is_given_twice_is_named(chief, path):
    told = refused(send(chief, path, '{"reference": "a", "reference": "a", "x": 1}'), "reference")
    assert told == {"reference": ["Is given twice."]}


def test_a_key_that_is_given_twice_inside_is_named_too(chief):
    told = refused(send(chief, CONVERSATIONS, '{"metadata": {"a": {"b": 1, "b": 2}}}'), "metadata")
    assert told == {"metadata": ["b: is given twice."]}


@pytest.mark.parametrize("path", [CONVERSATIONS, *(f"{ROOT}/{kind}/" for kind in MIRRORS)])
@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null", "true", "NaN", '["\\u0000"]'])
def test_a_body_that_is_no_object_is_refused(chief, path, body):
    refused(send(chief, path, body), "non_field_errors")


@pytest.mark.parametrize("body", ["{", "{'a': 1}", '{"a": 01}', "[" * 200_000, "\ufeff{}"])
def test_what_is_not_json_has_a_code(chief, body):
    answer = send(chief, CONVERSATIONS, body)
    assert answer.status_code == 400
    assert answer.json().keys() == {"detail", "code"}
    assert answer.json()["code"] == "parse_error"


# --- size and type ------------------------------------------------------------------------------

LARGE = b'{"reference": "' + b"x" * 5 * 1024 * 1024 + b'"}'


@pytest.mark.parametrize("path", [CONVERSATIONS, *(f"{ROOT}/{kind}/" for kind in MIRRORS)])
def test_five_megabytes_are_413(chief, path):
    answer = send(chief, path, LARGE)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("kind", MIRRORS)
def test_five_megabytes_of_an_edit_are_413(chief, kind):
    row = MAKERS[kind]()
    for path, method in ((f"{row.pk}/", "patch"), (f"{row.pk}/resolve/", "post")):
        answer = send(chief, f"{ROOT}/{kind}/{path}", LARGE, method)
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


TYPES = ("text/plain", "application/xml", "application/x-www-form-urlencoded", "text/json", "x")


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("kind", MIRRORS)
def test_another_content_type_is_415(chief, kind, content_type):
    row = MAKERS[kind]()
    for path, method in (("", "post"), (f"{row.pk}/", "patch"), (f"{row.pk}/resolve/", "post")):
        url = f"{ROOT}/{kind}/{path}"
        answer = getattr(chief, method)(url, "{}", content_type=content_type)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=latin-1", "application/JSON"])
def test_json_is_read_as_utf_8_whatever_is_claimed(chief, persona, content_type):
    body = json.dumps({"persona_id": persona.tavus_id, "reference": "é"}, ensure_ascii=False)
    answer = chief.post(CONVERSATIONS, body.encode(), content_type=content_type)
    assert (answer.status_code, answer.json()["reference"]) == (202, "é")


# --- paths, parameters, headers -----------------------------------------------------------------


@pytest.mark.parametrize("key", ["1", "x", "null", "0b6c8f7e", "%00", "a%00b", "\u0665", "-" * 300])
@pytest.mark.parametrize("tail", ["", "transcript/", "events/"])
def test_what_is_no_uuid_is_a_404_of_ours(chief, key, tail):
    answer = chief.get(f"{CONVERSATIONS}{key}/{tail}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["usage/?format=csv", "conversations/{c}/transcript/?format=vtt"])
def test_options_are_json_whatever_is_asked_for(chief, persona, path):
    conversation = Conversation.objects.create(persona=persona)
    answer = chief.options(f"{ROOT}/{path.format(c=conversation.pk)}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["renders"]


@pytest.mark.parametrize("etag", ["abc", '"abc', "W/", '"other"', 'W/"x"', ""])
@pytest.mark.parametrize("kind", MIRRORS)
def test_an_edit_of_no_version_that_there_is_is_412(chief, kind, etag):
    path = f"{ROOT}/{kind}/{MAKERS[kind]().pk}/"
    for method, url in (("patch", path), ("delete", path)):
        answer = getattr(chief, method)(url, {}, format="json", headers={"If-Match": etag})
        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")


def test_a_transcript_without_a_word_still_has_a_type(chief, persona):
    conversation = Conversation.objects.create(persona=persona)
    answer = chief.get(f"{CONVERSATIONS}{conversation.pk}/transcript/", {"format": "txt"})
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content == b"\n"


# --- more than Django reads -----------------------------------------------------------------------


def form(*parts: tuple[str, bytes]) -> bytes:
    head = b'--xx\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    return b"".join(head % (name.encode(), content) for name, content in parts) + b"--xx--\r\n"


@pytest.mark.parametrize("with_csrf", [False, True])  # Django's check reads forms before DRF does
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (form(("document_name", b"x" * 3_000_000)), 413),
        (form(*[("tags", b"x")] * 1001), 400),
        (form(*[('file"; filename="a.pdf', b"x")] * 101), 400),
    ],
    ids=["bytes", "fields", "files"],
)
def test_a_form_of_more_than_django_reads_is_refused_in_json(chief, body, status, with_csrf):
    headers = {}
    if with_csrf:
        chief.handler.enforce_csrf_checks = True
        chief.cookies["csrftoken"] = headers["X-CSRFToken"] = "a" * 32
    answer = chief.post(
        f"{ROOT}/documents/", body, content_type="multipart/form-data; boundary=xx", headers=headers
    )
    assert answer.status_code == status
    shown = {"detail", "code"} if status == 413 else {"non_field_errors"}
    assert answer.json().keys() == shown
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["conversations/", "usage/", "personas/"])
def test_more_parameters_than_django_reads_are_refused_in_json(chief, path):
    answer = chief.get(f"{ROOT}/{path}?" + "a=1&" * 1001)
    assert (answer.status_code, list(answer.json())) == (400, ["non_field_errors"])


# --- parameters that are given twice --------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name", "values"),
    [
        ("conversations/", "status", ("active", "ended")),
        ("conversations/", "search", ("a", "b")),
        ("replicas/", "status", ("ready", "error")),
        ("usage/", "by", ("day", "owner")),
        ("usage/", "since", ("2026-05-01", "2026-05-02")),
    ],
)
def test_a_parameter_that_is_given_twice_is_named(chief, path, name, values):
    answer = chief.get(f"{ROOT}/{path}", {name: values})
    assert (answer.status_code, list(answer.json())) == (400, [name])
    says_how = "commas" in answer.json()[name][0]
    assert says_how is ((path, name) in {("conversations/", "status"), ("usage/", "by")})
