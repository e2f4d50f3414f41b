"""Columns of lists, and read-only fields, that stand in more than one admin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_tavus.admin.displays import EMPTY, field_badge

Column = Callable[[Any, Any], SafeString | str]


def column(
    field: str, label: Any, show: Callable[[Any], SafeString | str], *, ordering: str | None = None
) -> Column:
    """Return a method of an admin that shows the value of ``field`` by means of ``show``."""

    @admin.display(description=label, ordering=ordering)
    def shown(model_admin: Any, obj: Any) -> SafeString | str:
        return show(getattr(obj, field))

    return shown


def or_dash(value: Any) -> str:
    """Return ``value`` as text; a dash where there is nothing."""
    return str(value or EMPTY)


def by_commas(values: Iterable[Any]) -> str:
    """Return ``values`` separated by commas; a dash for none."""
    return ", ".join(map(str, values)) or EMPTY


@admin.display(description=_("status"), ordering="status")
def status_badge(model_admin: Any, obj: Any) -> SafeString | str:
    """The status as shape, word and color."""
    return field_badge(obj, "status")


@admin.display(description=_("object"))
def subject(model_admin: Any, obj: Any) -> str:
    """What an event or a signal is about."""
    return str(obj.conversation or obj.document or obj.replica)
