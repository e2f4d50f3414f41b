"""Fields that do not follow the host's ``REST_FRAMEWORK``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from rest_framework import ISO_8601, serializers

from django_tavus.api.schema import typed
from django_tavus.client import redact


class MomentField(serializers.DateTimeField):
    """A moment in ISO 8601 and UTC, whatever the host's ``DATETIME_FORMAT`` and time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format=ISO_8601, **kwargs)

    def enforce_timezone(self, value: datetime) -> datetime:
        """Return ``value`` in UTC; without ``USE_TZ`` it has no zone to come from."""
        return value.astimezone(UTC) if timezone.is_aware(value) else value


class SettledBooleanField(serializers.BooleanField):
    """A boolean whose null (not set) reads as false, which is what Tavus takes it for."""

    def get_attribute(self, instance: Any) -> bool:
        """Return the value, or false."""
        return bool(super().get_attribute(instance))


class BlankAsNullField(serializers.CharField):
    """Text that is null until there is one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def get_attribute(self, instance: Any) -> str | None:
        """Return the text, or ``None`` where it is blank."""
        return super().get_attribute(instance) or None


class TavusIdsField(serializers.ListField):
    """The Tavus ids of related rows, which are loaded already."""

    child = serializers.CharField()

    def get_attribute(self, instance: Any) -> list[str]:
        """Return the ids; rows that are not at Tavus have none."""
        rows: Any = super().get_attribute(instance)
        return [row.tavus_id for row in rows.all() if row.tavus_id]


class RedactedJSONField(serializers.JSONField):
    """Any JSON value, of which the secrets are masked once more on their way out."""

    def to_representation(self, value: Any) -> Any:
        """Return ``value`` without its secrets."""
        return redact(value)


class NoTextField(serializers.CharField):
    """A member that is left out, or empty: it goes with another kind of body."""

    def __init__(self, **kwargs: Any) -> None:
        options = {"required": False, "allow_null": True, "allow_blank": True, **kwargs}
        super().__init__(max_length=0, **options)


@typed({"type": "string", "format": "binary"})
class UploadField(serializers.FileField):
    """A file in a form."""


class RedactedField(serializers.DictField):
    """JSON of which the secrets are masked once more on their way out."""

    def to_representation(self, value: Any) -> Any:
        """Return ``value`` without its secrets."""
        return redact(value)
