"""The view that Tavus calls: stored, enqueued, answered. One INSERT, no read."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import Error, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import classonlymethod
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from django_tavus.callbacks.bodies import BodyTooLargeError, MalformedBodyError, read_body
from django_tavus.models import WebhookEvent
from django_tavus.responses import unlogged
from django_tavus.services import events, integrity, tokens
from django_tavus.services.enqueue import enqueue

logger = logging.getLogger("django_tavus.callbacks")


def answer(status: int, detail: str = "") -> HttpResponse:
    """Return a JSON answer that ``django.request`` does not log: its path holds a token."""
    content = json.dumps({"detail": detail} if detail else {})
    return unlogged(HttpResponse(content, content_type="application/json", status=status))


class CallbackView(View):
    """Take in one callback about the object of the token.

    200: stored, or stored before. 404: not our token, or its object was erased. 400: malformed.
    413: too large. 503: the database is away. Each step is a method to override.
    """

    http_method_names = ["post"]

    @classonlymethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:  # noqa: N805
        """Return the view function: outside CSRF, login middleware and ``ATOMIC_REQUESTS``."""
        view = transaction.non_atomic_requests(super().as_view(**initkwargs))
        return csrf_exempt(login_not_required(view))

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Verify, read, store, enqueue, answer."""
        subject = tokens.read_callback_token(token)
        if subject is None:  # forged, or signed with a SECRET_KEY that this process has not
            logger.warning("A callback was refused: its token is not known here")
            return answer(404, "Unknown.")
        try:
            body = read_body(request)
        except BodyTooLargeError:
            logger.warning("A callback was refused: it is larger than CALLBACK_MAX_BYTES")
            return answer(413, "Too large.")
        except MalformedBodyError as error:
            logger.warning("A callback was refused: %s", error)
            return answer(400, str(error))
        return self.store(subject, body)

    def store(self, subject: tokens.Subject, body: dict[str, Any]) -> HttpResponse:
        """Store the event and enqueue its processing."""
        try:
            event = events.record(subject, body)
        except Error as error:
            return self.refuse(error)
        self.enqueue(event)
        return answer(200)

    def refuse(self, error: Error) -> HttpResponse:
        """Answer what the database refused: known already, about an erased object, or anything."""
        match integrity.reason(error):
            case "duplicate":
                return answer(200)
            case "missing":
                return answer(404, "Unknown.")
        logger.error("A callback could not be stored", exc_info=error)
        return answer(503, "Try again.")

    def enqueue(self, event: WebhookEvent) -> None:
        """Ask for processing; the sweep does, should this come to nothing."""
        enqueue("process_event", event.pk)

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Answer 405 without Django's log line, which would hold the token."""
        response = answer(405, "POST only.")
        response["Allow"] = "POST"
        return response
