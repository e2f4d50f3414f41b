"""The site's pages. Rules and calls are the app's: these only choose, start and show."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from django_tavus.models import Conversation, Persona, Replica
from django_tavus.models.choices import UtteranceRole
from django_tavus.rooms.phases import phase_of
from django_tavus.services import launch_conversation
from django_tavus.services.errors import LaunchRefusedError
from example.forms import StartForm

PAGE_SIZE = 20


def own_conversations(request: HttpRequest) -> QuerySet[Conversation]:
    """Return the conversations of whoever is signed in, newest first."""
    return Conversation.objects.for_user(request.user).select_related("persona", "replica")


def home(request: HttpRequest) -> HttpResponse:
    """Show the personas to talk to, or what this is about."""
    if not request.user.is_authenticated:
        return render(request, "example/welcome.html")
    context = {
        "personas": Persona.objects.known().select_related("default_replica"),
        "replicas": Replica.objects.ready(),
        "recent": own_conversations(request)[:3],
    }
    return render(request, "example/home.html", context)


@login_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Launch a conversation and go to its room, which shows the rest."""
    form = StartForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Please choose one of the people on this page.")
        return redirect("home")
    try:
        conversation = launch_conversation(**form.cleaned_data, owner=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("home")
    except LaunchRefusedError as error:
        messages.error(request, error.message)
        return redirect("home")
    return redirect(conversation)


@login_required
def history(request: HttpRequest) -> HttpResponse:
    """Show all of a person's conversations."""
    conversations = own_conversations(request).annotate(spoken=Count("utterances"))
    page = Paginator(conversations, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "example/history.html", {"page": page})


@login_required
def review(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one conversation afterwards: who said what, how much, and what the camera saw."""
    conversation = get_object_or_404(own_conversations(request), pk=pk)
    turns = list(conversation.utterances.exclude(role=UtteranceRole.TOOL))
    context = {
        "conversation": conversation,
        "turns": turns,
        "share": talk_share([(turn.role, turn.content) for turn in turns]),
        "pending": conversation.is_over and phase_of(conversation).poll_seconds is not None,
    }
    return render(request, "example/review.html", context)


def talk_share(turns: list[tuple[str, str]]) -> int | None:
    """Return the percentage of words that the person said; ``None`` if nobody said any."""
    words = {UtteranceRole.USER.value: 0, UtteranceRole.REPLICA.value: 0}
    for role, content in turns:
        words[role] = words.get(role, 0) + len(content.split())
    total = sum(words.values())
    return round(100 * words[UtteranceRole.USER.value] / total) if total else None
