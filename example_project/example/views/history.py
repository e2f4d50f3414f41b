"""What was talked about: the list, and one conversation to look back on."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from django_tavus.models import Conversation
from django_tavus.models.choices import UtteranceRole
from django_tavus.rooms.phases import phase_of
from django_tavus.services import end_conversation
from django_tavus.services.access import may_delete, may_end, reachable_conversations
from example.rows import own_conversations, row_of, rows_of, with_people

PAGE_SIZE = 20


@login_required
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show all of a person's conversations: those that are open, then page by page the others."""
    own = own_conversations(request.user)
    page = Paginator(own.over(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": rows_of(page.object_list), "live": rows_of(own.live())}
    return render(request, "example/history.html", context)


@login_required
@require_safe
def review(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one conversation afterwards: who said what, how much, and what the camera saw."""
    conversation = own_conversation(request, pk)
    row = row_of(conversation)
    context = {
        "row": row,
        "conversation": conversation,
        "turns": [t for t in conversation.utterances.all() if t.role != UtteranceRole.TOOL],
        "pending": conversation.is_over and phase_of(conversation).poll_seconds is not None,
        "may_delete": conversation.is_over and may_delete(request.user, conversation),
    }
    return render(request, "example/review.html", context)


@login_required
@require_POST
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a conversation here; owning it is not enough."""
    conversation = own_conversation(request, pk)
    if not may_delete(request.user, conversation):
        raise PermissionDenied
    try:
        conversation.delete()
    except ProtectedError:
        messages.error(request, "It is still running: end it first.")
        return redirect("review", pk=pk)
    messages.success(request, "The conversation was deleted here. Tavus keeps its own copy.")
    return redirect("history")


@login_required
@require_POST
def end(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """End a call and go back to where the button was."""
    conversation = get_object_or_404(reachable_conversations(request.user, "end"), pk=pk)
    if not may_end(request.user, conversation):
        raise PermissionDenied
    end_conversation(conversation)
    messages.success(request, "The call is being ended.")
    return redirect(_way_back(request))


def own_conversation(request: HttpRequest, pk: uuid.UUID) -> Conversation:
    """Return a conversation of whoever is signed in; somebody else's is not found."""
    own = with_people(Conversation.objects.for_user(request.user))
    return get_object_or_404(own.prefetch_related("utterances"), pk=pk)


def _way_back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    known = {request.get_host()}
    if url_has_allowed_host_and_scheme(target, known, require_https=request.is_secure()):
        return target
    return "history"
