"""Pages by cursor: a list that grows at its head shows no row twice."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Field, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from django_tavus.api.errors import bad_parameter
from django_tavus.conf import get_settings

MAX_PAGE_SIZE = 100
PARAMETERS = (
    ("cursor", "From the links `next` and `previous` of a page.", {"type": "string"}),
    (
        "page_size",
        "Rows on a page; more than 100 are cut to 100.",
        {"type": "integer", "minimum": 1},
    ),
)


class TavusCursorPagination(CursorPagination):
    """Newest first; ``?page_size=`` up to 100, ``TAVUS["API_PAGE_SIZE"]`` without it."""

    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE
    ordering = ("-id",)

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        """Return the view's order."""
        return tuple(getattr(view, "page_ordering", self.ordering))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the parameters for drf-spectacular."""
        return [
            {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
            for name, text, schema in PARAMETERS
        ]

    def get_page_size(self, request: Request) -> int:
        """Return the rows on a page.

        Raises:
            ValidationError: not a whole number from 1 on; more than 100 are cut to 100.
        """
        asked = request.query_params.get("page_size")
        if not asked:
            return get_settings().API_PAGE_SIZE
        if not (asked.isascii() and asked.isdigit() and int(asked[:9])):
            raise bad_parameter("page_size", _("Must be a whole number from 1 to 100."))
        return min(int(asked[:9]), MAX_PAGE_SIZE)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """Return the rows of the page.

        Raises:
            NotFound: the cursor was made up.
        """
        cursor = self.decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            name = self.get_ordering(request, queryset, view)[0].lstrip("-")
            self._check(queryset.model._meta.get_field(name), str(cursor.position))
        return super().paginate_queryset(queryset, request, view)

    def _check(self, field: Field[Any, Any], position: str) -> None:
        """Refuse a position that is no value of ``field``; DRF would pass it to the database."""
        try:
            value = field.to_python(position)
            if field.get_internal_type() == "DateTimeField":
                self._check_zone(value)
        except (ValueError, TypeError, OverflowError, ValidationError) as error:
            raise NotFound(self.invalid_cursor_message) from error

    def _check_zone(self, value: Any) -> None:
        if timezone.is_naive(value) == settings.USE_TZ:
            raise ValueError("a moment without its time zone, or with one")
        if settings.USE_TZ:
            timezone.localtime(value, timezone.get_fixed_timezone(0))
