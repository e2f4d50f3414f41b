"""Usage: minutes by day, persona and owner, for staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from django_tavus.api.errors import bad_parameter
from django_tavus.api.filters import COMMAS, MOMENT, end_of, list_of, moment, one_of, only_value
from django_tavus.api.permissions import HasAccount, MayViewUsage
from django_tavus.api.policy import TavusViewSet
from django_tavus.api.renderers import PlainJSONRenderer, UsageCSVRenderer
from django_tavus.api.schema import described, query
from django_tavus.api.serializers import UsageSerializer
from django_tavus.models import Conversation
from django_tavus.services.metering import GROUPINGS, usage

READERS = {"by": one_of(*GROUPINGS), "since": moment, "until": end_of}


class UsageViewSet(TavusViewSet[Conversation]):
    """How long was talked, from our own rows."""

    queryset = Conversation.objects.all()  # for permission classes of hosts that ask for a model
    permission_classes = [HasAccount, MayViewUsage]
    renderer_classes = [PlainJSONRenderer, UsageCSVRenderer]
    serializer_class = UsageSerializer
    pagination_class = None  # type: ignore[assignment]
    filter_backends = []

    @described(
        "tavus_usage_list",
        {
            (200, PlainJSONRenderer.media_type): (UsageSerializer, "The rows, sorted by `by`."),
            (200, UsageCSVRenderer.media_type): (str, "The same as a table."),
        },
        refused=(400,),
        parameters=(
            query(
                "by",
                "What is told apart; several with commas between. Default: day.",
                list_of(GROUPINGS),
                **COMMAS,
            ),
            query(
                "since", "Only calls launched on this day or later, or from this moment on.", MOMENT
            ),
            query(
                "until",
                "Only calls launched on this day or earlier, or before this moment.",
                MOMENT,
            ),
            query("format", "Instead of `Accept`.", enum=("json", "csv")),
        ),
    )
    def list(self, request: Request) -> Response:
        """Return conversations and minutes; a call that is running counts until now."""
        by = tuple(dict.fromkeys(self._read("by") or ["day"]))
        since: datetime | None = self._read("since")
        rows = usage(by, since=since, until=self._read("until"))
        response = Response(UsageSerializer({"by": by, "results": rows}).data)
        renderer: Any = getattr(request, "accepted_renderer", None)
        if isinstance(renderer, UsageCSVRenderer):
            response.headers["Content-Disposition"] = 'attachment; filename="usage.csv"'
        return response

    def _read(self, name: str) -> Any:
        """Return the parameter ``name``; ``None`` without it.

        Raises:
            ValidationError: it cannot be read.
        """
        values = self.request.query_params.getlist(name)
        try:
            value = only_value(values, takes_commas=name == "by")
            return READERS[name](value) if value else None
        except ValueError as error:
            raise bad_parameter(name, str(error)) from error
