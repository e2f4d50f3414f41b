"""Usage: how long was talked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from django_tavus.api.schema import one_for_list
from django_tavus.services.metering import GROUPINGS


class UsageRowSerializer(serializers.Serializer[Any]):
    """One row: the members of what was asked for in `by`, and the figures."""

    day = serializers.DateField(
        required=False, format="iso-8601", help_text="By launch, in the site's time zone."
    )
    persona_id = serializers.CharField(required=False, allow_null=True, help_text="Tavus id.")
    persona_name = serializers.CharField(required=False, allow_null=True)
    owner = serializers.CharField(
        required=False, allow_null=True, help_text="The owner's key in the site's user table."
    )
    conversations = serializers.IntegerField()
    minutes = serializers.FloatField()

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members that the row has; DRF would make nulls of the others."""
        shown = super().to_representation(instance)
        return {name: value for name, value in shown.items() if name in instance}


@one_for_list
class UsageSerializer(serializers.Serializer[Any]):
    """What was told apart, and the rows."""

    by = serializers.ListField(child=serializers.ChoiceField(choices=GROUPINGS))
    results = UsageRowSerializer(many=True)
