"""Conversations: launched, watched, ended, read and deleted."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle

from django_tavus.api import filters
from django_tavus.api.deleting import is_hard
from django_tavus.api.errors import StillRunning, translated_errors
from django_tavus.api.etags import conditional
from django_tavus.api.idempotency import read_idempotency_key
from django_tavus.api.pagination import PARAMETERS
from django_tavus.api.permissions import HasAccount, MayAct
from django_tavus.api.policy import TavusViewSet, json_body
from django_tavus.api.preferences import preferred_wait, wait_for_launch
from django_tavus.api.renderers import (
    PlainJSONRenderer,
    TextTranscriptRenderer,
    WebVTTRenderer,
)
from django_tavus.api.schema import (
    ETAG,
    IF_NONE_MATCH,
    answered_header,
    described,
    header,
    query,
)
from django_tavus.api.serializers import (
    ConversationSerializer,
    EventSerializer,
    LaunchSerializer,
    TranscriptSerializer,
)
from django_tavus.api.throttling import LaunchThrottle
from django_tavus.models import Conversation, ConversationDocument
from django_tavus.models.conversation import ConversationQuerySet
from django_tavus.services import access, end_conversation, retention
from django_tavus.services.launch_fields import read_launch
from django_tavus.services.requesting import store_conversation

# What the answers do not show: bodies and prompts of many kilobytes.
BULK = (
    "remote",
    "perception_analysis",
    "replica__remote",
    "persona__remote",
    "persona__system_prompt",
    "persona__context",
    "persona__greeting",
    "persona__layers",
    "persona__default_replica__remote",
)
ACT_OF_ACTION = {
    "destroy": "delete",
    "end": "end",
    "events": "events",
    "transcript": "transcript",
}
IDEMPOTENCY_KEY = {"type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"}
ONE = (ConversationSerializer, "The conversation.")


def with_what_is_shown(rows: ConversationQuerySet) -> ConversationQuerySet:
    """Return ``rows`` with everything that ``ConversationSerializer`` reads: two queries."""
    documents = ConversationDocument.objects.select_related("document").order_by("position")
    documents = documents.only("position", "conversation", "document__tavus_id")
    return (
        rows.with_queue_position()
        .select_related("replica", "persona__default_replica")
        .defer(*BULK)
        .prefetch_related(Prefetch("conversation_documents", documents))
    )


class ConversationViewSet(TavusViewSet[Conversation]):
    """The conversations of the user who asks; staff see others' with ``view_conversation``."""

    queryset = Conversation.objects.all()
    serializer_class = ConversationSerializer
    permission_classes = [HasAccount, MayAct]
    filters = filters.CONVERSATIONS
    page_ordering = ("-created_at", "-id")
    lookup_value_converter = "str"  # so that what is no UUID is a 404 of ours, in JSON

    @property
    def act(self) -> str:
        """The key of ``services.access.ACTS`` that the request is measured by."""
        if self.action == "destroy" and is_hard(self.request):
            return "erase"
        return ACT_OF_ACTION.get(self.action, "view")

    @property
    def named_pk(self) -> uuid.UUID:
        """The key in the path.

        Raises:
            Http404: it is none.
        """
        try:
            return uuid.UUID(self.kwargs["pk"])
        except ValueError:
            raise Http404 from None

    def get_throttles(self) -> list[BaseThrottle]:
        """Return the throttle of launches; nothing else is throttled."""
        return [LaunchThrottle()] if self.action == "create" else []

    def get_queryset(self) -> ConversationQuerySet:
        """Return the conversations of which this user may know."""
        return access.reachable_conversations(self.request.user, self.act)

    def get_object(self) -> Conversation:
        """Return the conversation that the path names.

        Raises:
            Http404: there is none, or it is somebody else's.
            PermissionDenied: it is known to this user, who may not do this to it.
        """
        conversation = get_object_or_404(self.get_queryset(), pk=self.named_pk)
        self.check_object_permissions(self.request, conversation)
        return conversation

    def get_serializer_context(self) -> dict[str, Any]:
        """Return DRF's context and who is looking."""
        return {**super().get_serializer_context(), "user": self.request.user}

    def show(self, pk: uuid.UUID) -> BaseSerializer[Any]:
        """Return the conversation as it is now, for this viewer."""
        return self.get_serializer(
            get_object_or_404(with_what_is_shown(Conversation.objects.all()), pk=pk)
        )

    @described(
        "tavus_conversations_create",
        {
            202: (ConversationSerializer, "Stored; the launch is on its way."),
            201: (
                ConversationSerializer,
                "With `Prefer: wait`: launched, or failed (see `error`).",
            ),
            200: (ConversationSerializer, "This `Idempotency-Key` was here before."),
        },
        refused=(400, "LaunchConflict", 413, 415, "LaunchLater"),
        parameters=(
            header("Prefer", "`wait=N`: hold the answer for up to N seconds (30 at most)."),
            header("Idempotency-Key", "One launch for each key.", IDEMPOTENCY_KEY),
            answered_header("Location", (200, 201, 202), "Path of the conversation."),
        ),
        request=LaunchSerializer,
    )
    def create(self, request: Request) -> Response:
        """Launch a conversation."""
        with translated_errors():
            wish = read_launch(request.user, json_body(request))
            key = read_idempotency_key(request)
            conversation, is_new = store_conversation(
                owner=request.user, idempotency_key=key, **wish
            )
        return self._launched(request, conversation, is_new=is_new)

    def _launched(self, request: Request, conversation: Conversation, *, is_new: bool) -> Response:
        seconds = preferred_wait(request)
        is_settled = seconds is not None and wait_for_launch(conversation.pk, seconds)
        code: int = status.HTTP_201_CREATED if is_settled else status.HTTP_202_ACCEPTED
        if not is_new:
            code = status.HTTP_200_OK
        headers = {"Location": self._location(request, conversation)}
        if seconds is not None:
            headers["Preference-Applied"] = f"wait={seconds}"
        return Response(self.show(conversation.pk).data, status=code, headers=headers)

    def _location(self, request: Request, conversation: Conversation) -> str:
        match = request.resolver_match
        return reverse(
            "django_tavus:conversation-detail",
            kwargs={"pk": conversation.pk},
            current_app=match.namespace if match else None,
        )

    @described(
        "tavus_conversations_list",
        {200: (ConversationSerializer(many=True), "A page.")},
        refused=(400, 404),
    )
    def list(self, request: Request) -> Response:
        """List conversations, newest first."""
        rows = self.filter_queryset(
            with_what_is_shown(access.reachable_conversations(request.user))
        )
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @described(
        "tavus_conversations_retrieve",
        {200: ONE, 304: (None, "Not changed for this viewer.")},
        refused=(404, 412),
        parameters=(IF_NONE_MATCH, ETAG),
    )
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Show one conversation."""
        rows = with_what_is_shown(access.reachable_conversations(request.user))
        conversation = get_object_or_404(rows, pk=self.named_pk)
        self.check_object_permissions(request, conversation)
        return conditional(request, Response(self.get_serializer(conversation).data))

    @described(
        "tavus_conversations_delete",
        {
            204: (None, "Deleted here; nothing is deleted at Tavus."),
            202: (None, "With `hard`: it is being erased at Tavus, and then here."),
        },
        refused=(400, 404, "StillRunning"),
        parameters=(query("hard", "Erase it at Tavus too, irrevocably.", {"type": "boolean"}),),
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a conversation that is over."""
        hard = is_hard(request)
        conversation = self.get_object()
        if hard:
            return self._erase(conversation)
        with translated_errors():
            conversation.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _erase(self, conversation: Conversation) -> Response:
        if not conversation.is_over:
            raise StillRunning
        retention.request_erasure(conversation)
        return Response(status=status.HTTP_202_ACCEPTED)

    @described(
        "tavus_conversations_end",
        {
            200: (ConversationSerializer, "It is over."),
            202: (ConversationSerializer, "Its end is on its way."),
            204: (None, "Its end is stored; you may end it but not view it."),
        },
        refused=(404,),
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """End a conversation; ending it again changes nothing."""
        conversation = self.get_object()
        with translated_errors():
            end_conversation(conversation)
        if not access.may_view(request.user, conversation):
            return Response(status=status.HTTP_204_NO_CONTENT)
        code = status.HTTP_200_OK if conversation.is_over else status.HTTP_202_ACCEPTED
        return Response(self.show(conversation.pk).data, status=code)

    @described(
        "tavus_conversations_transcript",
        {
            (200, PlainJSONRenderer.media_type): (TranscriptSerializer, "All turns."),
            (200, TextTranscriptRenderer.media_type): (str, "One paragraph for each turn."),
            (200, WebVTTRenderer.media_type): (str, "Captions."),
        },
        refused=(404,),
        parameters=(query("format", "Instead of `Accept`.", enum=("json", "txt", "vtt")),),
    )
    @action(
        detail=True,
        methods=["get"],
        renderer_classes=[PlainJSONRenderer, TextTranscriptRenderer, WebVTTRenderer],
    )
    def transcript(self, request: Request, pk: str) -> Response:
        """Return what was said, as JSON, text or WebVTT."""
        conversation = self.get_object()
        return Response(TranscriptSerializer(conversation).data)

    @described(
        "tavus_conversations_events",
        {200: (EventSerializer(many=True), "A page.")},
        refused=(400, 404),
        parameters=tuple(query(name, text, schema) for name, text, schema in PARAMETERS),
        filters=False,  # drf-spectacular would describe those of the list of conversations
    )
    @action(
        detail=True,
        methods=["get"],
        page_ordering=("-id",),
        filters={},
        serializer_class=EventSerializer,
    )
    def events(self, request: Request, pk: str) -> Response:
        """List what Tavus told about it, newest first; for staff."""
        events: Any = self.get_object().events.all()
        page: Any = self.paginate_queryset(events)
        return self.get_paginated_response(EventSerializer(page, many=True).data)
