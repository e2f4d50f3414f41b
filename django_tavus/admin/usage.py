"""The usage page: minutes by day, persona and owner, to look at and as CSV."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from django_tavus.admin.displays import EMPTY
from django_tavus.admin.object_tools import AnyModelAdmin, ObjectToolsMixin
from django_tavus.services.metering import FIGURES, GROUPINGS, as_csv, usage

PERIOD = timedelta(days=29)
"""Before today, where nobody chose: thirty days in all."""

GROUPING_LABELS = {"day": _("Day"), "persona": _("Persona"), "owner": _("Owner")}
# The columns of the page by grouping; the CSV has the ids too.
SHOWN = {"day": "day", "persona": "persona_name", "owner": "owner_name"}


# The ends of the calendar have no midnight in every time zone.
WITHIN_REASON = (MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31)))


class DayInput(forms.DateInput):
    """The browser's own date field, which needs no script."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class UsageForm(forms.Form):
    """What to tell apart, and from when to when, both days included."""

    since = forms.DateField(
        label=_("From"), widget=DayInput, required=False, validators=WITHIN_REASON
    )
    until = forms.DateField(
        label=_("To"), widget=DayInput, required=False, validators=WITHIN_REASON
    )
    by = forms.MultipleChoiceField(
        label=_("By"),
        choices=[(name, GROUPING_LABELS[name]) for name in GROUPINGS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


class UsagePage(ObjectToolsMixin):
    """Adds the page to the list of conversations."""

    def get_urls(self) -> list[URLPattern]:
        """Put the page before the stock URLs, whose last pattern takes everything."""
        view = self.admin_site.admin_view(self.usage_view)
        return [
            path("usage/", view, name="django_tavus_conversation_usage"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the way to the page."""
        url = reverse(f"{self.admin_site.name}:django_tavus_conversation_usage")
        return super().changelist_view(request, {"usage_url": url, **(extra_context or {})})

    @method_decorator(require_safe)
    def usage_view(self, request: HttpRequest) -> HttpResponse:
        """Answer the page, or with ``format=csv`` the table."""
        if not request.user.has_perm("django_tavus.view_conversation"):
            raise PermissionDenied
        return _answer(self, request)


def _answer(model_admin: AnyModelAdmin, request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now) if timezone.is_aware(now) else now.date()
    initial = {"since": today - PERIOD, "until": today, "by": ["day", "persona"]}
    form = UsageForm(request.GET if set(request.GET) - {"format"} else initial)
    if not form.is_valid():
        return _page(model_admin, request, form, [], [])
    by = form.cleaned_data["by"] or ["day"]
    rows = usage(
        by,
        since=_midnight(form.cleaned_data["since"]),
        until=_midnight(form.cleaned_data["until"], timedelta(days=1)),
        with_names=True,
    )
    if request.GET.get("format") == "csv":
        return _csv(by, rows)
    return _page(model_admin, request, form, by, rows)


def _midnight(day: date | None, later: timedelta = timedelta()) -> datetime | None:
    if day is None:
        return None
    midnight = datetime.combine(day + later, time())
    return timezone.make_aware(midnight) if timezone.is_aware(timezone.now()) else midnight


def _csv(by: list[str], rows: list[dict[str, Any]]) -> HttpResponse:
    return HttpResponse(
        as_csv(by, rows),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="usage.csv"',
            "Cache-Control": "private, no-store",
        },
    )


def _page(
    model_admin: AnyModelAdmin,
    request: HttpRequest,
    form: UsageForm,
    by: list[str],
    rows: list[dict[str, Any]],
) -> HttpResponse:
    query = request.GET.copy()
    query["format"] = "csv"
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Usage"),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "form": form,
        "labels": [GROUPING_LABELS[name] for name in by],
        "rows": [_line(by, row) for row in rows],
        "total": {name: round(sum(row[name] for row in rows), 2) for name in FIGURES},
        "csv_query": query.urlencode(),
    }
    return TemplateResponse(request, "admin/django_tavus/conversation/usage.html", context)


def _line(by: list[str], row: dict[str, Any]) -> dict[str, Any]:
    return {
        "groups": [row[SHOWN[name]] or EMPTY for name in by],
        **{name: row[name] for name in FIGURES},
    }
