"""The room page, what its script polls, and the beacon that a closing page sends."""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.utils.http import quote_etag
from django.views import View
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

from django_tavus.models import Conversation
from django_tavus.responses import unlogged
from django_tavus.rooms.phases import describe, phase_of
from django_tavus.services import end_conversation, leaving, tokens
from django_tavus.services.access import may_end, may_join

logger = logging.getLogger("django_tavus.rooms")


def find_room(user: Any, pk: uuid.UUID) -> Conversation:
    """Return the conversation ``pk`` for someone who may enter its room.

    Raises:
        Http404: there is none, or it is somebody else's: that it exists is not told.
    """
    rows = Conversation.objects.with_queue_position()
    conversation = rows.select_related("persona__default_replica", "replica").filter(pk=pk).first()
    if conversation is None or not may_join(user, conversation):
        raise Http404("No such room.")
    return conversation


# The page asks for its own login, so that it works with and without LoginRequiredMiddleware.
# No transaction around: on SQLite a read cannot be followed by a write in one.
@method_decorator(
    [
        login_not_required,
        transaction.non_atomic_requests,
        cache_control(private=True, no_store=True),
    ],
    name="dispatch",
)
class RoomView(View):
    """The page of one conversation, from the queue to the transcript; POST ends it.

    Override ``template_name``, one of the templates, or one of their blocks.
    """

    http_method_names = ["get", "head", "post", "options"]
    template_name = "django_tavus/room.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send strangers to the login page, and keep tokens out of ``Referer`` and caches."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        response = super().dispatch(request, *args, **kwargs)
        response["Referrer-Policy"] = "same-origin"
        return response

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Show the room as it is now."""
        conversation = find_room(request.user, pk)
        leaving.record_poll(conversation)
        return render(request, self.template_name, self.get_context(conversation))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """End the call: what the *Leave* button does, with and without a script."""
        conversation = find_room(request.user, pk)
        if not may_end(request.user, conversation):
            raise PermissionDenied
        end_conversation(conversation)
        return redirect(conversation)

    def get_context(self, conversation: Conversation) -> dict[str, Any]:
        """Return the context of the page."""
        return {
            "conversation": conversation,
            "phase": phase_of(conversation),
            "may_end": may_end(self.request.user, conversation) and not conversation.is_over,
        }


@method_decorator(
    [
        login_not_required,
        transaction.non_atomic_requests,
        cache_control(private=True, no_store=True),
    ],
    name="dispatch",
)
class StatusView(View):
    """What the room's script polls: JSON with an ``ETag``, 304 while nothing has changed.

    Not the REST API: that may be set up for tokens that a page does not have, and only a poll
    from a room's page says that somebody is still there.
    """

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase | None:
        """Answer the state of the room."""
        conversation = find_room(request.user, pk)
        leaving.record_poll(conversation)
        content = json.dumps(describe(conversation), sort_keys=True)
        etag = quote_etag(hashlib.sha256(content.encode()).hexdigest()[:32])
        response = HttpResponse(content, content_type="application/json", headers={"ETag": etag})
        return get_conditional_response(request, etag=etag, response=response)


@method_decorator(
    [
        csrf_exempt,
        login_not_required,
        transaction.non_atomic_requests,
        cache_control(private=True, no_store=True),
    ],
    name="dispatch",
)
class LeaveView(View):
    """The beacon of a page that goes away; the signed token in its URL is the credential.

    204: noted. 404: forged, expired or erased. 503: the database is away. A beacon can set no
    header and comes as ``text/plain``; its body is not read.
    """

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: uuid.UUID, token: str) -> HttpResponse:
        """Store the moment."""
        if tokens.read_leave_token(token) != pk:
            return unlogged(HttpResponse(status=404))
        try:
            known = leaving.record_leave(pk)
        except DatabaseError:
            logger.exception("A departure could not be stored")
            return unlogged(HttpResponse(status=503))
        return unlogged(HttpResponse(status=204 if known else 404))

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Answer 405 without Django's log line, which would hold the token."""
        return unlogged(HttpResponse(status=405, headers={"Allow": "POST"}))
