"""The gallery, and the interview that is set up for somebody."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from django_tavus.models import Conversation
from django_tavus.services import launch_conversation
from django_tavus.services.errors import IdempotencyConflictError, LaunchRefusedError
from example.cast import CAST, OTHER, gallery, part_of
from example.forms import InterviewForm, StartForm, faces
from example.interviews import DIFFICULTIES
from example.portraits import portrait as draw_portrait
from example.rows import own_conversations, rows_of


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the personas to talk to, or what this is about."""
    if not request.user.is_authenticated:
        return render(request, "example/welcome.html")
    people = [(persona, part_of(persona), StartForm(auto_id=False)) for persona in gallery()]
    roles = {part.role for _, part, _ in people}
    role = request.GET.get("role", "")
    context = {
        "people": [one for one in people if role not in roles or one[1].role == role],
        "parts": [part for part in (*CAST, OTHER) if part.role in roles],
        "role": role if role in roles else "",
        "replicas": faces(),
        "recent": rows_of(own_conversations(request.user)[:3]),
    }
    return render(request, "example/home.html", context)


@login_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Launch a conversation and go to its room, which shows the rest.

    What ``start.js`` does over REST where there are scripts.
    """
    form = StartForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Please choose one of the people on this page.")
        return redirect("home")
    return redirect(begin(request, form) or "home")


@never_cache
@login_required
def interview(request: HttpRequest) -> HttpResponse:
    """Set an interview up, and begin it."""
    form = InterviewForm(request.POST or None)
    if form.is_valid() and (conversation := begin(request, form)):
        return redirect(conversation)
    return render(
        request, "example/interview.html", {"form": form, "difficulties": DIFFICULTIES.values()}
    )


def begin(request: HttpRequest, form: StartForm | InterviewForm) -> Conversation | None:
    """Launch what a valid form asks for; where that is refused, say why."""
    wish = {**form.request_fields(), "owner": request.user, "idempotency_key": form.key}
    try:
        return launch_conversation(**wish)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except LaunchRefusedError as error:
        messages.error(request, error.message)
    except IdempotencyConflictError:
        messages.error(request, "This page has started a conversation already. Reload it first.")
    return None


@require_safe
@cache_control(public=True, max_age=86400)
def portrait(request: HttpRequest, seed: str) -> HttpResponse:
    """Draw the face of ``seed``: a picture of nobody, and no secret."""
    return HttpResponse(draw_portrait(seed), content_type="image/svg+xml")
