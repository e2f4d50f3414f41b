"""Bulk actions that ask first: what is chosen, what will happen, and a second POST that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from django_tavus.admin.displays import clock, conversation_badge
from django_tavus.admin.object_tools import AnyModelAdmin
from django_tavus.models import Conversation
from django_tavus.services import end_conversation, retention

MOST = 500
"""Rows of one selection: Django takes 1000 form fields at most, and each row is one."""

WAY_BACK = gettext_lazy("Select at most %(most)d at a time.")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One chosen conversation on the page that asks."""

    pk: str
    name: str
    badge: SafeString
    owner: str
    length: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """The page that asks.

    Attributes:
        action: name of the bulk action that the answer goes to.
        title: what will be done.
        text: what that means.
        label: what stands on the button.
        lines: the rows that it will be done to.
        notes: what else is to be known.
        typed: whether their number has to be typed.
        error: what was wrong with the answer.
    """

    action: str
    title: str
    text: str
    label: str
    lines: Sequence[Line]
    notes: Sequence[str] = field(default_factory=list)
    typed: bool = False
    error: str = ""


def chosen(
    model_admin: AnyModelAdmin, request: HttpRequest, queryset: QuerySet[Conversation]
) -> list[Conversation]:
    """Return the selected rows; none, and a message, if they are too many."""
    rows = list(queryset.select_related("owner")[: MOST + 1])
    if len(rows) > MOST:
        model_admin.message_user(request, WAY_BACK % {"most": MOST}, messages.ERROR)
        return []
    return rows


def ask(model_admin: AnyModelAdmin, request: HttpRequest, question: Question) -> HttpResponse:
    """Return the page that asks."""
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question.title,
        "opts": model_admin.opts,
        "question": question,
        "count": len(question.lines),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "back": request.get_full_path(),
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/django_tavus/confirm_selection.html", context)


def line(row: Conversation) -> Line:
    """Return what the page says of ``row``."""
    until = row.ended_at or timezone.now()
    seconds = None if row.launched_at is None else (until - row.launched_at).total_seconds()
    return Line(
        pk=str(row.pk),
        name=str(row),
        badge=conversation_badge(row),
        owner=str(row.owner or ""),
        length=clock(seconds),
    )


# --- end --------------------------------------------------------------------------------------


def end_selected(
    model_admin: AnyModelAdmin, request: HttpRequest, queryset: QuerySet[Conversation]
) -> HttpResponse | None:
    """End the live ones of a selection, after a page that lists them."""
    rows = chosen(model_admin, request, queryset)
    live = [row for row in rows if not row.is_over and row.end_requested_at is None]
    if not live or "confirm" in request.POST:
        end_all(model_admin, request, live, others=len(rows) - len(live))
        return None
    others = len(rows) - len(live)
    return ask(
        model_admin,
        request,
        Question(
            action="end_selected",
            title=ngettext("End %(n)d conversation?", "End %(n)d conversations?", len(live))
            % {"n": len(live)},
            text=_("Everybody in these rooms is put out, and those that wait are canceled."),
            label=_("End now"),
            lines=[line(row) for row in live],
            notes=[_left_alone(others)] if others else [],
        ),
    )


def _left_alone(n: int) -> str:
    text = ngettext(
        "%(n)d is over or being ended already.", "%(n)d are over or being ended already.", n
    )
    return text % {"n": n}


def end_all(
    model_admin: AnyModelAdmin, request: HttpRequest, live: Sequence[Conversation], *, others: int
) -> None:
    """End each of ``live``, and say what became of them."""
    canceled = 0
    for row in live:
        end_conversation(row)
        canceled += row.is_over
        model_admin.log_change(
            request, row, _("Canceled.") if row.is_over else _("Requested its end.")
        )
    ending = len(live) - canceled
    told = [
        ngettext("%(n)d is being ended.", "%(n)d are being ended.", ending) % {"n": ending}
        if ending
        else "",
        ngettext("%(n)d was canceled.", "%(n)d were canceled.", canceled) % {"n": canceled}
        if canceled
        else "",
        _left_alone(others) if others else "",
    ]
    if text := " ".join(filter(None, told)):
        model_admin.message_user(request, text, messages.SUCCESS if live else messages.WARNING)


# --- erase ------------------------------------------------------------------------------------


def erase_selected(
    model_admin: AnyModelAdmin, request: HttpRequest, queryset: QuerySet[Conversation]
) -> HttpResponse | None:
    """Erase a selection here and at Tavus once its number was typed; nothing if any is live."""
    rows = chosen(model_admin, request, queryset)
    if live := [row for row in rows if not row.is_over]:
        model_admin.message_user(request, _still_running(live), messages.ERROR)
        return None
    if not rows:
        return None
    typed = request.POST.get("typed")
    if typed is not None and typed.strip() == str(len(rows)):
        erase_all(model_admin, request, rows)
        return None
    error = "" if typed is None else _("That is not the number. Nothing was erased.")
    return ask(model_admin, request, _erase_question(rows, error))


def _still_running(live: Sequence[Conversation]) -> str:
    names = ", ".join(f"“{row}”" for row in live[:3]) + (" …" if len(live) > 3 else "")
    text = ngettext(
        "Nothing was erased: %(n)d conversation is not over (%(names)s). End it first.",
        "Nothing was erased: %(n)d conversations are not over (%(names)s). End them first.",
        len(live),
    )
    return text % {"n": len(live), "names": names}


def _erase_question(rows: Sequence[Conversation], error: str) -> Question:
    title = ngettext(
        "Erase %(n)d conversation here and at Tavus?",
        "Erase %(n)d conversations here and at Tavus?",
        len(rows),
    )
    return Question(
        action="erase_selected",
        title=title % {"n": len(rows)},
        text=_(
            "Transcripts, recordings kept by Tavus, events and the figures of usage go with them. "
            "This cannot be undone."
        ),
        label=_("Erase for good"),
        lines=[line(row) for row in rows],
        typed=True,
        error=error,
    )


def erase_all(
    model_admin: AnyModelAdmin, request: HttpRequest, rows: Sequence[Conversation]
) -> None:
    """Have each of ``rows`` erased, and say so."""
    for row in rows:
        retention.request_erasure(row)
        model_admin.log_change(request, row, _("Requested its erasure here and at Tavus."))
    text = ngettext(
        "%(n)d conversation is being erased here and at Tavus.",
        "%(n)d conversations are being erased here and at Tavus.",
        len(rows),
    )
    model_admin.message_user(request, text % {"n": len(rows)}, messages.SUCCESS)
