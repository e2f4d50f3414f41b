"""The filters of our lists as FilterSets, for the views of hosts that use django-filter.

Made of the same tables as the lists of this API, so that they answer alike::

    class Calls(ListAPIView):
        filter_backends = [django_filters.rest_framework.DjangoFilterBackend]
        filterset_class = ConversationFilterSet

Needs the extra ``[filters]``; the API itself does not.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from django_tavus.api import filters
from django_tavus.models import Conversation, Document, Persona, Replica


class AllValues(forms.TextInput):
    """Hands on every value of a parameter; Django's own would take the last one."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """Return what is given under ``name``."""
        if hasattr(data, "getlist"):
            return list(data.getlist(name))
        return [data[name]] if name in data else []

    def format_value(self, value: Any) -> str | None:
        """Return what the input shows: the last value."""
        given = value if isinstance(value, list) else [value]
        shown: str | None = super().format_value(given[-1] if given else None)
        return shown


class TableField(forms.Field):
    """One parameter, read by the table alone, so that it says the same in both places."""

    widget = AllValues

    def __init__(self, *args: Any, one: filters.Filter, **kwargs: Any) -> None:
        self.one = one
        super().__init__(*args, help_text=one.description, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return the condition that the values stand for."""
        try:
            return self.one.condition(value)
        except ValueError as error:
            raise ValidationError(str(error), code="invalid") from error


class TableFilter(django_filters.Filter):  # type: ignore[misc]
    """One row of a table."""

    field_class = TableField

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Return the rows that the condition leaves."""
        return qs if value is None else qs.filter(value)


def filterset_of(model: type[Any], table: dict[str, filters.Filter]) -> Any:
    """Return a FilterSet class for ``model`` with the parameters of ``table``."""
    declared = {name: TableFilter(one=one, label=name) for name, one in table.items()}
    meta = type("Meta", (), {"model": model, "fields": []})
    name = f"{model.__name__}FilterSet"
    doc = f"Narrows {model._meta.model_name}s as the API does."
    return type(name, (django_filters.FilterSet,), {**declared, "Meta": meta, "__doc__": doc})


ConversationFilterSet = filterset_of(Conversation, filters.CONVERSATIONS)
PersonaFilterSet = filterset_of(Persona, filters.PERSONAS)
ReplicaFilterSet = filterset_of(Replica, filters.REPLICAS)
DocumentFilterSet = filterset_of(Document, filters.DOCUMENTS)
