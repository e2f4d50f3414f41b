"""Recordings: told about only if they went to a bucket of the customer's."""

from __future__ import annotations

from typing import Any

URIS: dict[str, str] = {
    "s3": "s3://{bucket}/{key}",
    "gcs": "gs://{bucket}/{key}",
    "azure_blob": "https://{account}.blob.core.windows.net/{bucket}/{key}",
}


def bucket(properties: dict[str, Any]) -> str | None:
    """Where recordings of a conversation go, or None if they stay with Tavus."""
    storage = properties.get("recording_storage") or {}
    name = storage.get("container") or storage.get("bucket_name")
    return name or properties.get("recording_s3_bucket_name")


def ready(conversation_id: str, properties: dict[str, Any], seconds: int) -> dict[str, Any]:
    """The properties of ``application.recording_ready``; ``duration`` in whole seconds."""
    storage = properties.get("recording_storage") or {}
    provider = storage.get("provider", "s3")
    key = f"tavus/{conversation_id}/recording.mp4"
    place = bucket(properties)
    uri = URIS[provider].format(bucket=place, key=key, account=storage.get("storage_account"))
    return {
        "bucket_name": place,
        "s3_key": key,  # keeps this name for every provider
        "duration": seconds,
        "storage_provider": provider,
        "storage_uri": uri,
    }
