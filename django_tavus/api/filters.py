"""What lists can be narrowed by: a table for each list, read by one backend.

The same with and without django-filter, and described to drf-spectacular.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.db.models.lookups import IContains
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _, gettext_lazy
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from django_tavus.models.choices import ConversationStatus, ObjectType

WHEN = gettext_lazy("Must be a date, or a date and time, such as 2026-05-01T12:00:00Z.")

MAX_LENGTH = 255  # SQLite refuses LIKE patterns of 50,000 characters


def text(value: str) -> str:
    """Return ``value`` if a database can compare with it.

    Raises:
        ValueError: it is too long, or holds U+0000, which PostgreSQL refuses.
    """
    if len(value) > MAX_LENGTH or "\x00" in value:
        raise ValueError(_("Must be at most 255 printable characters."))
    return value


def only_value(values: Sequence[str], *, takes_commas: bool = False) -> str:
    """Return the value of a parameter that is given once, or not at all: then it is empty.

    Raises:
        ValueError: it is given twice; Django would take the last one, and drop the others.
    """
    if len(values) > 1:
        twice = _("Is given twice. Put commas between several values.")
        raise ValueError(twice if takes_commas else _("Is given twice."))
    return values[0] if values else ""


def one_of(*allowed: str) -> Callable[[str], list[str]]:
    """Return a reader for one of ``allowed``, or several with commas between."""

    def read(value: str) -> list[str]:
        chosen = [item.strip() for item in value.split(",")]
        if not set(chosen) <= set(allowed):
            raise ValueError(_("Must be one of: %(allowed)s.") % {"allowed": ", ".join(allowed)})
        return chosen

    return read


def moment(value: str) -> datetime:
    """Return the moment that ``value`` names: a date, or a date and time, in ISO 8601.

    Without a time zone it is meant in the current one.

    Raises:
        ValueError: it names none.
    """
    # "+00:00" arrives as " 00:00" from those who do not quote their URLs.
    for spelling in (value, value[:-6] + value[-6:].replace(" ", "+")):
        try:
            if found := parse_datetime(spelling) or _midnight(spelling):
                return _in_zone(found)
        except (ValueError, OverflowError):
            continue
    raise ValueError(WHEN)


def end_of(value: str) -> datetime:
    """Return the moment before which something lies that is not after ``value``.

    A date counts whole: its end is the next midnight. A date and time is that moment.

    Raises:
        ValueError: it names none.
    """
    try:
        day = parse_date(value)
        return moment(value) if day is None else _in_zone(_midnight_after(day))
    except (ValueError, OverflowError):
        raise ValueError(WHEN) from None


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())


def _midnight(value: str) -> datetime | None:
    day = parse_date(value)
    return None if day is None else datetime.combine(day, time())


def _in_zone(value: datetime) -> datetime:
    """Return ``value`` as columns hold it; moments beyond the calendar overflow here.

    In UTC, for PostgreSQL knows no time zone that is 16 hours or more away.
    """
    aware = timezone.make_aware(value) if timezone.is_naive(value) else value
    moment_in_utc = aware.astimezone(UTC)
    return moment_in_utc if settings.USE_TZ else timezone.make_naive(aware)


TEXT = {"type": "string", "maxLength": MAX_LENGTH}
MOMENT = {"anyOf": [{"type": "string", "format": kind} for kind in ("date-time", "date")]}


def list_of(allowed: Sequence[str]) -> dict[str, Any]:
    """Return the schema of one of ``allowed``, or several with commas between."""
    return {"type": "array", "items": {"type": "string", "enum": list(allowed)}}


@dataclass(frozen=True)
class Filter:
    """One query parameter: how it is read, and which rows it leaves."""

    read: Callable[[str], Any]
    rows: Callable[[Any], Q]
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: TEXT)

    @property
    def takes_commas(self) -> bool:
        """Whether it takes several values, with commas between."""
        return self.schema.get("type") == "array"

    def condition(self, values: Sequence[str]) -> Q:
        """Return which rows ``values`` leaves: all, if nothing is given, or something empty.

        Raises:
            ValueError: they cannot be read, or there are several.
        """
        value = only_value(values, takes_commas=self.takes_commas)
        return self.rows(self.read(value)) if value else Q()


def contains(*columns: str) -> Callable[[str], Q]:
    """Return a condition for rows that hold a text in one of ``columns``, whatever its case.

    Both sides are lowered by the database: on MariaDB ``icontains`` goes by the collation, and
    with ``utf8mb4_bin`` it would tell cases apart.
    """

    def rows(value: str) -> Q:
        wanted = Lower(Value(value))
        return Q(*(IContains(Lower(column), wanted) for column in columns), _connector=Q.OR)

    return rows


def search(*columns: str) -> Filter:
    """Return the ``search`` parameter over ``columns``."""
    return Filter(text, contains(*columns), "Text to look for.")


def object_type(column: str) -> Filter:
    """Return the parameter that tells the account's objects from Tavus's stock."""
    return Filter(
        one_of(*ObjectType.values),
        lambda value: Q(**{f"{column}__in": value}),
        "Whose it is: the account's (user), or Tavus's stock (system).",
        list_of(ObjectType.values),
    )


# What Tavus calls a status may be new to us: any text is compared.
STATUS = Filter(text, lambda value: Q(status=value), "Status.")

CONVERSATIONS: dict[str, Filter] = {
    "status": Filter(
        one_of(*ConversationStatus.values),
        lambda value: Q(status__in=value),
        "Status; several with commas between.",
        list_of(ConversationStatus.values),
    ),
    "persona_id": Filter(text, lambda value: Q(persona__tavus_id=value), "Tavus id of a persona."),
    "reference": Filter(text, lambda value: Q(reference=value), "The site's own key, exactly."),
    "created_after": Filter(
        moment, lambda value: Q(created_at__gte=value), "Created at this moment or later.", MOMENT
    ),
    "created_before": Filter(
        moment, lambda value: Q(created_at__lt=value), "Created before this moment.", MOMENT
    ),
    "search": search("conversation_name", "reference", "tavus_id", "persona__persona_name"),
}
PERSONAS: dict[str, Filter] = {
    "persona_type": object_type("persona_type"),
    "search": search("persona_name", "tavus_id"),
}
REPLICAS: dict[str, Filter] = {
    "status": STATUS,
    "replica_type": object_type("replica_type"),
    "search": search("replica_name", "tavus_id"),
}
DOCUMENTS: dict[str, Filter] = {
    "status": STATUS,
    "search": search("document_name", "document_url", "tavus_id"),
}


COMMAS = {"style": "form", "explode": False}


class TableFilter(BaseFilterBackend):
    """Narrows a list by the table in the view's ``filters``; other parameters are ignored."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        """Return the rows that every given parameter leaves; an empty one is not given.

        Raises:
            ValidationError: values that cannot be read; names their parameters.
        """
        errors: dict[str, list[str]] = {}
        for name, one in view.filters.items():
            try:
                queryset = queryset.filter(one.condition(request.query_params.getlist(name)))
            except ValueError as error:
                errors[name] = [str(error)]
        if errors:
            raise ValidationError(errors)
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the parameters for drf-spectacular."""
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": one.description,
                "schema": dict(one.schema),
                **(COMMAS if one.takes_commas else {}),
            }
            for name, one in view.filters.items()
        ]
