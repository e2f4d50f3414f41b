from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from django_tavus.client import MASK, redact
from django_tavus.client.redaction import secret_values
from tests.client.sizes import few

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJyIjoiYzEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"layers": {"llm": {"api_key": "x"}}}, {"layers": {"llm": {"api_key": MASK}}}),
        ({"X-Api-Key": "x"}, {"X-Api-Key": MASK}),
        ({"Authorization": "Basic x"}, {"Authorization": MASK}),
        ({"meeting_token": "x"}, {"meeting_token": MASK}),
        ({"headers": {"X-Mine": "x"}}, {"headers": {"X-Mine": MASK}}),
        ({"auth": {"type": "hmac", "n": 1}}, {"auth": {"type": MASK, "n": MASK}}),
        ({"oauth_client_secret": "x"}, {"oauth_client_secret": MASK}),
        ({"api_key": ["a", "b"]}, {"api_key": [MASK, MASK]}),
        (
            {"api_key": None, "token": "", "secret": False},
            {"api_key": None, "token": "", "secret": False},
        ),
        (
            {"s3_key": "a", "max_tokens": 5, "key": "b"},
            {"s3_key": "a", "max_tokens": 5, "key": "b"},
        ),
        (
            {"callback_url": "https://me:pw@site.test/tavus/callbacks/aB:cD:eF/?k=v#f"},
            {"callback_url": f"https://site.test/tavus/callbacks/{MASK}/?k={MASK}"},
        ),
        (
            {"webhook_url": "https://site.test/hook/0123456789abcdef0"},
            {"webhook_url": f"https://site.test/hook/{MASK}"},
        ),
        (
            {"webhook_url": "https://site.test/hook/v1/"},
            {"webhook_url": "https://site.test/hook/v1/"},
        ),
        ({"callback_url": "", "webhook_url": None}, {"callback_url": "", "webhook_url": None}),
        ({"webhook_url": "http://[bad"}, {"webhook_url": MASK}),
        (f"see {JWT}!", f"see {MASK}!"),
        (f"https://tavus.daily.co/c1?t={JWT}", f"https://tavus.daily.co/c1?t={MASK}"),
        ("Bearer abcdefgh", f"Bearer {MASK}"),
        ("POST /tavus/callbacks/abc/ failed", f"POST /tavus/callbacks/{MASK}/ failed"),
        ("bad key sk-abcdefghijk", f"bad key {MASK}"),
        (
            [{"op": "add", "path": "/layers/llm/api_key", "value": "x"}],
            [{"op": "add", "path": "/layers/llm/api_key", "value": MASK}],
        ),
        (
            [{"op": "add", "path": "/layers/llm/headers", "value": {"A": "x"}}],
            [{"op": "add", "path": "/layers/llm/headers", "value": {"A": MASK}}],
        ),
        (
            [{"op": "add", "path": "/layers/llm", "value": {"api_key": "x", "model": "m"}}],
            [{"op": "add", "path": "/layers/llm", "value": {"api_key": MASK, "model": "m"}}],
        ),
        (5, 5),
        (None, None),
    ],
)
def test_masked(value: Any, wanted: Any) -> None:
    before = copy.deepcopy(value)
    assert redact(value) == wanted
    assert value == before


def test_given_secrets_are_masked_wherever_they_stand() -> None:
    value = {"error": "key abcd-1 is bad", "abcd-1": ["xabcd-1x"]}
    assert redact(value, secrets=["abcd-1"]) == {
        "error": f"key {MASK} is bad",
        MASK: [f"x{MASK}x"],
    }


def test_a_secret_that_holds_another_leaves_no_rest() -> None:
    assert redact("token-long", secrets=["token", "token-long"]) == MASK


def test_short_values_are_not_searched_for() -> None:
    assert redact("a cab", secrets=["a", ""]) == "a cab"


def test_secret_values_are_those_masked_by_name() -> None:
    value = {
        "layers": {"llm": {"api_key": "llm-1", "headers": {"A": "head-1"}, "model": "model"}},
        "ops": [{"op": "add", "path": "/layers/tts/api_key", "value": "tts-1"}],
    }
    assert secret_values(value) == {"llm-1", "head-1", "tts-1"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@few
@given(json_values)
def test_redaction_is_stable(value: Any) -> None:
    assert redact(redact(value)) == redact(value)


@few
@given(json_values, st.sampled_from(["api_key", "meeting_token", "Authorization", "password"]))
def test_a_secret_is_found_at_any_depth(value: Any, name: str) -> None:
    assert "hidden-value" not in repr(redact([{"a": {"b": [value, {name: "hidden-value"}]}}]))


NAMES = ("api_key", "auth", "headers", "callback_url", "op", "path", "value", "a", "known-value")
holding_a_secret = st.recursive(
    st.none() | st.sampled_from(("known-value", "/layers/llm/api_key", "https://a.example/b")),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=10,
)


@few
@given(holding_a_secret)
@example({"api_key": {"known-value": None}})
@example({"op": "add", "path": "/layers/llm/headers", "value": {"known-value": "x"}})
@example({"op": "add", "path": "/a", "known-value": "x"})
def test_a_given_secret_is_nowhere(value: Any) -> None:
    assert "known-value" not in repr(redact(value, secrets=["known-value"]))
