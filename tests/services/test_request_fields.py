from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from django_tavus.services.request_fields import merge_defaults, validate_request_fields


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("conversation_name", 7),
        ("conversation_name", "x" * 256),
        ("audio_only", "false"),
        ("audio_only", 1),
        ("max_participants", 1),
        ("max_participants", True),
        ("max_participants", "2"),
        ("max_participants", 2**40),
        ("memory_stores", "anna"),
        ("memory_stores", [1]),
        ("document_tags", [""]),
        ("document_retrieval_strategy", "fast"),
        ("callback_url", "ftp://example.com"),
        ("conversation_name", "a\x00b"),
        ("custom_greeting", "\ud800"),
        ("memory_stores", ["a\x00"]),
        ("reference", 42),
        ("reference", "x" * 256),
        ("metadata", []),
        ("metadata", {"a": "\x00"}),
        ("metadata", {"a": float("nan")}),
        ("metadata", {"a": object()}),
        ("properties", []),
        ("properties", {"pipeline_mode": "echo"}),
        ("properties", {"language": "en"}),
        ("properties", {"language": "pt-BR"}),
        ("properties", {"max_call_duration": 0}),
        ("properties", {"enable_recording": "true"}),
        ("properties", {"recording_storage": {}}),
        ("properties", {"recording_storage": {"provider": "ftp"}}),
        ("properties", {"recording_storage": {"provider": "s3", "secret": "x"}}),
    ],
)
def test_a_wrong_value_names_its_field(field, value):
    with pytest.raises(ValidationError) as caught:
        validate_request_fields({field: value})
    assert list(caught.value.message_dict) == [field]


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(ValidationError) as caught:
        validate_request_fields({"audio_only": 1, "max_participants": 1})
    assert set(caught.value.message_dict) == {"audio_only", "max_participants"}


def test_right_values_pass():
    validate_request_fields(
        {
            "conversation_name": "Improve",
            "audio_only": True,
            "max_participants": 2,
            "memory_stores": ["anna"],
            "properties": {
                "language": "multilingual",
                "max_call_duration": 60,
                "recording_storage": {"provider": "gcs", "bucket_name": "b"},
            },
        }
    )


def test_defaults_are_merged_under_and_properties_key_by_key():
    defaults = {"audio_only": True, "properties": {"language": "spanish", "max_call_duration": 60}}
    given = {"audio_only": False, "properties": {"language": "german"}}
    assert merge_defaults(defaults, given) == {
        "audio_only": False,
        "properties": {"language": "german", "max_call_duration": 60},
    }
