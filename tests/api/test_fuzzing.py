from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from django_tavus.services.launch_fields import LAUNCH_FIELDS
from django_tavus.services.request_fields import PROPERTIES
from tests.api.conftest import CONVERSATIONS, ROOT

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
PROPERTY_VALUES = st.dictionaries(st.sampled_from(sorted(PROPERTIES)) | st.text(), VALUES)
BODIES = st.dictionaries(st.sampled_from(sorted(LAUNCH_FIELDS)) | st.text(), VALUES, max_size=4)
PARAMETERS = st.sampled_from(
    (
        "status",
        "persona_id",
        "reference",
        "created_after",
        "created_before",
        "search",
        "cursor",
        "page_size",
        "format",
        "persona_type",
        "replica_type",
        "by",
        "since",
        "until",
    )
)

fuzzed = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def trusted(as_user, make_user):
    codenames = ("launch_conversation", "view_document", "view_conversation")
    return as_user(make_user("trusted", *codenames, is_staff=True))


@fuzzed
@given(
    body=BODIES,
    properties=PROPERTY_VALUES,
    headers=st.dictionaries(
        st.sampled_from(["Idempotency-Key"]),
        st.text(st.characters(max_codepoint=255), max_size=300),
    ),
)
def test_no_body_is_a_server_error(trusted, persona, body: dict[str, Any], properties, headers):
    wish = {"persona_id": persona.tavus_id, "properties": properties, **body}
    answer = trusted.post(
        CONVERSATIONS, json.dumps(wish), content_type="application/json", headers=headers
    )
    assert answer.status_code in (200, 202, 400, 409, 429)
    json.loads(answer.content)


@fuzzed
@given(name=PARAMETERS, value=st.text(st.characters(exclude_categories=["Cs"])))
@pytest.mark.parametrize("kind", ["conversations", "personas", "replicas", "documents", "usage"])
def test_no_parameter_is_a_server_error(trusted, kind, name, value):
    answer = trusted.get(f"{ROOT}/{kind}/", {name: value})
    assert answer.status_code in (200, 400, 404, 406)
