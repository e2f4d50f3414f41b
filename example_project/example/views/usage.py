"""The usage page of the staff: how long was talked, and who talks now."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from django_tavus.models import Conversation
from django_tavus.services.access import is_staff_with, may_view_usage
from django_tavus.services.metering import usage
from example.charts import column_chart, shares
from example.rows import BULK, face_of, partner_of, with_people

PERIODS = {"7": 7, "30": 30, "90": 90}
USUAL = "30"
LIVE_SHOWN = 100


@login_required
@require_safe
def usage_page(request: HttpRequest) -> HttpResponse:
    """Show minutes by day, persona and owner, and the live calls, to those who may see them."""
    if not may_view_usage(request.user):
        raise PermissionDenied
    chosen = request.GET.get("days", USUAL)
    chosen = chosen if chosen in PERIODS else USUAL
    first = timezone.localdate() - timedelta(days=PERIODS[chosen] - 1)
    since = timezone.make_aware(datetime.combine(first, time()))
    days = every_day(usage(("day",), since=since), first)
    context = {
        "days": days,
        "chart": column_chart([row["minutes"] for row in days]),
        "minutes": sum(row["minutes"] for row in days),
        "conversations": sum(row["conversations"] for row in days),
        "tables": tables(since),
        "periods": PERIODS,
        "chosen": chosen,
        "since": first,
        "live": live_calls(),
        "may_end": is_staff_with(request.user, "end_conversation"),
    }
    return render(request, "example/usage.html", context)


def every_day(rows: list[dict[str, Any]], first: date) -> list[dict[str, Any]]:
    """Return a row for each day from ``first`` to today, also where nobody talked."""
    known = {row["day"]: row for row in rows}
    count = (timezone.localdate() - first).days + 1
    days = [first + timedelta(days=number) for number in range(count)]
    return [known.get(day, {"day": day, "conversations": 0, "minutes": 0.0}) for day in days]


def tables(since: datetime) -> list[dict[str, Any]]:
    """Return the tables by persona and by owner, most minutes first."""
    found = (("persona", "Persona", "persona_name"), ("owner", "Owner", "owner_name"))
    return [
        {
            "label": label,
            "rows": shares(usage((by,), since=since, with_names=True), name),
        }
        for by, label, name in found
    ]


def live_calls() -> list[dict[str, Any]]:
    """Return the calls that are not over, the longest first, with whom they are."""
    rows = with_people(Conversation.objects.live()).select_related("owner").defer(*BULK)
    now = timezone.now()
    return [
        {
            "conversation": row,
            "partner": partner_of(row),
            "face": face_of(row),
            "minutes": (now - (row.launched_at or row.created_at)) // timedelta(minutes=1),
        }
        for row in rows.order_by("created_at")[:LIVE_SHOWN]
    ]
