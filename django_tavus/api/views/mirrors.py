"""Personas, replicas and documents: read by many, written with the model's permissions.

What is written is stored and answered with 202; a task tells Tavus. ``sync_state`` says how that
went.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from django_tavus.api import filters
from django_tavus.api.errors import bad_parameter, translated_errors
from django_tavus.api.etags import conditional
from django_tavus.api.parsers import StrictJSONParser
from django_tavus.api.permissions import HasAccount, MayViewDocuments, MayWrite
from django_tavus.api.policy import Row, TavusViewSet, json_body
from django_tavus.api.schema import (
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    answered_header,
    described,
    key,
    one_of,
    query,
)
from django_tavus.api.serializers import (
    DocumentSerializer,
    DocumentUploadSerializer,
    DocumentWriteSerializer,
    ImageReplicaSerializer,
    NewDocumentSerializer,
    PersonaSerializer,
    PersonaWriteSerializer,
    PromptedPersonaSerializer,
    PromptlessPersonaSerializer,
    ReplicaSerializer,
    ReplicaWriteSerializer,
    ResolveSerializer,
    VideoReplicaSerializer,
)
from django_tavus.api.uploads import MULTIPART, body_with_upload
from django_tavus.models import Document, Persona, Replica
from django_tavus.services import documents, object_fields, publishing
from django_tavus.services.access import has_permission

# Columns that a page of a gallery need not drag along.
REPLICA_BULK = ("remote",)
PERSONA_BULK = ("remote", "system_prompt", "context", "layers")
HARD = {"true": True, "false": False}
BOOLEAN = {"type": "boolean"}
CREATE_REFUSED = (400, 413, 415)
EDIT_REFUSED = (400, 404, "NotEditable", 412, 413, 415)
DELETE_REFUSED = (400, 404, "NotDeletable", 412)
RESOLVE_REFUSED = (400, 404, "NothingToResolve", 412, 413, 415)
LOCATION = answered_header("Location", (202,), "Path of what was stored.")


def chosen_side(body: Any) -> str:
    """Return which version of a conflict wins.

    Raises:
        ValidationError: naming the members that are missing, wrong or unknown.
    """
    members = body.keys() if isinstance(body, dict) else set()
    if unknown := members - ResolveSerializer().fields.keys():
        raise ValidationError({name: [_("Unknown field.")] for name in unknown})
    serializer = ResolveSerializer(data=body)
    serializer.is_valid(raise_exception=True)
    return str(serializer.validated_data["keep"])


class MirrorViewSet(TavusViewSet[Row]):
    """Lists, shows and publishes the rows of one mirrored model.

    In the path, digits are our primary key and anything else is a Tavus id.
    """

    lookup_field = "key"
    permission_classes = [HasAccount, MayWrite]

    kind: ClassVar[str]
    """The model's name in routes and permissions."""

    @property
    def is_full(self) -> bool:
        """Whether the viewer may see more than a gallery shows, as whoever may change it does."""
        user = self.request.user
        return has_permission(user, f"view_{self.kind}") or has_permission(
            user, f"change_{self.kind}"
        )

    def all_rows(self) -> QuerySet[Row]:
        """Return every row."""
        return super().get_queryset()

    def get_queryset(self) -> QuerySet[Row]:
        """Return all rows for those who may see all of them, else those that exist at Tavus."""
        rows: Any = self.all_rows()
        seen: QuerySet[Row] = rows if self.is_full else rows.known()
        return seen

    def get_object(self) -> Row:
        """Return the row that the path names.

        Raises:
            Http404: there is none, or none that this viewer sees.
        """
        name = self.kwargs["key"]
        if "\x00" in name:  # PostgreSQL would refuse the query
            raise Http404
        rows: Any = self.get_queryset()
        row: Row = get_object_or_404(rows.by_key(name))
        self.check_object_permissions(self.request, row)
        return row

    def get_serializer_context(self) -> dict[str, Any]:
        """Return DRF's context, and whether all fields are shown."""
        is_schema = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "full": is_schema or self.is_full}

    def list(self, request: Request) -> Response:
        """Return a page."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, key: str) -> HttpResponse:
        """Return one row, with an ``ETag``."""
        return conditional(request, Response(self.get_serializer(self.get_object()).data))

    # --- writing ------------------------------------------------------------------------------

    def create(self, request: Request) -> HttpResponse:
        """Store a new object; 202."""
        view: Any = self
        model = view.queryset.model
        with translated_errors():
            row = publishing.create(
                model, **object_fields.read_create(model, self.read_body(request))
            )
        match = request.resolver_match
        location = reverse(
            f"django_tavus:{self.kind}-detail",
            kwargs={"key": row.pk},
            current_app=match.namespace if match else None,
        )
        return self.accepted(row, headers={"Location": location})

    def partial_update(self, request: Request, key: str) -> HttpResponse:
        """Store changes; 202."""
        row: Any = self.get_object()
        self.check_version(request, row)
        with translated_errors():
            publishing.edit(row, **object_fields.read_edit(row, json_body(request)))
        return self.accepted(row)

    def destroy(self, request: Request, key: str) -> HttpResponse:
        """Store that it is to be deleted; 202."""
        is_hard = self._is_hard(request)
        row: Any = self.get_object()
        self.check_version(request, row)
        with translated_errors():
            publishing.request_delete(row, hard=is_hard)
        return self.accepted(row)

    def settle(self, request: Request) -> HttpResponse:
        """Store which version wins; 202."""
        row: Any = self.get_object()
        self.check_version(request, row)
        side = chosen_side(json_body(request))
        with translated_errors():
            publishing.resolve(row, side)
        return self.accepted(row)

    def read_body(self, request: Request) -> Any:
        """Return the decoded body of a creation."""
        return json_body(request)

    def accepted(self, row: Any, headers: dict[str, str] | None = None) -> Response:
        """Answer 202 and the row as this viewer sees it."""
        # A worker that was quick has deleted it by now.
        shown = self.all_rows().filter(pk=row.pk).first() or row
        code = status.HTTP_202_ACCEPTED
        return Response(self.get_serializer(shown).data, status=code, headers=headers)

    def check_version(self, request: Request, row: Row) -> None:
        """Refuse where ``If-Match`` names another version than the one there is.

        Raises:
            PreconditionFailed: it does.
        """
        conditional(request, Response(self.get_serializer(row).data))

    def _is_hard(self, request: Request) -> bool:
        known = {"hard"} if self.kind == "replica" else set()
        for name in request.query_params.keys() - known:
            # What is asked for beyond deleting must not be taken for done.
            raise bad_parameter(name, _("Unknown parameter."))
        chosen = request.query_params.get("hard", "false")
        if chosen not in HARD:
            raise bad_parameter("hard", _("Must be true or false."))
        return HARD[chosen]


class PersonaViewSet(MirrorViewSet[Persona]):
    """Personas; prompt, context, layers and the rest with ``view_persona`` only."""

    queryset = Persona.objects.defer(*(f"default_replica__{name}" for name in REPLICA_BULK))
    kind = "persona"
    serializer_class = PersonaSerializer
    filters = filters.PERSONAS

    def all_rows(self) -> QuerySet[Persona]:
        """Return the rows with what their fields need, and no more."""
        rows = super().all_rows().select_related("default_replica")
        if not self.is_full:
            return rows.defer(*PERSONA_BULK)
        documents = Document.objects.only("tavus_id")
        return rows.defer("remote").prefetch_related(Prefetch("documents", documents))

    @described(
        "tavus_personas_list", {200: (PersonaSerializer(many=True), "A page.")}, refused=(400, 404)
    )
    def list(self, request: Request) -> Response:
        """List personas, newest first."""
        return super().list(request)

    @described(
        "tavus_personas_retrieve",
        {200: (PersonaSerializer, "The persona."), 304: (None, "Not changed.")},
        refused=(404, 412),
        parameters=(key("Our id, or the persona's Tavus id."), IF_NONE_MATCH, ETAG),
    )
    def retrieve(self, request: Request, key: str) -> HttpResponse:
        """Show one persona."""
        return super().retrieve(request, key)

    @described(
        "tavus_personas_create",
        {202: (PersonaSerializer, "Stored; Tavus is being told.")},
        refused=CREATE_REFUSED,
        parameters=(LOCATION,),
        request=one_of("NewPersona", PromptedPersonaSerializer, PromptlessPersonaSerializer),
    )
    def create(self, request: Request) -> HttpResponse:
        """Create a persona."""
        return super().create(request)

    @described(
        "tavus_personas_update",
        {202: (PersonaSerializer, "Stored; Tavus is being told.")},
        refused=EDIT_REFUSED,
        parameters=(key("Our id, or the persona's Tavus id."), IF_MATCH),
        request=PersonaWriteSerializer,
    )
    def partial_update(self, request: Request, key: str) -> HttpResponse:
        """Change a persona; what is not named stays."""
        return super().partial_update(request, key)

    @described(
        "tavus_personas_delete",
        {202: (PersonaSerializer, "It is being deleted at Tavus, and then here.")},
        refused=DELETE_REFUSED,
        parameters=(key("Our id, or the persona's Tavus id."), IF_MATCH),
    )
    def destroy(self, request: Request, key: str) -> HttpResponse:
        """Delete a persona."""
        return super().destroy(request, key)

    @described(
        "tavus_personas_resolve",
        {202: (PersonaSerializer, "Stored; Tavus is being told.")},
        refused=RESOLVE_REFUSED,
        parameters=(key("Our id, or the persona's Tavus id."), IF_MATCH),
        request=ResolveSerializer,
    )
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, key: str) -> HttpResponse:
        """Settle a conflict with Tavus in the members of `conflicts`: keep ours, or theirs."""
        return self.settle(request)


class ReplicaViewSet(MirrorViewSet[Replica]):
    """Replicas; training, voice and the rest with ``view_replica`` only."""

    queryset = Replica.objects.defer(*REPLICA_BULK)
    kind = "replica"
    serializer_class = ReplicaSerializer
    filters = filters.REPLICAS

    @described(
        "tavus_replicas_list", {200: (ReplicaSerializer(many=True), "A page.")}, refused=(400, 404)
    )
    def list(self, request: Request) -> Response:
        """List replicas, newest first."""
        return super().list(request)

    @described(
        "tavus_replicas_retrieve",
        {200: (ReplicaSerializer, "The replica."), 304: (None, "Not changed.")},
        refused=(404, 412),
        parameters=(key("Our id, or the replica's Tavus id."), IF_NONE_MATCH, ETAG),
    )
    def retrieve(self, request: Request, key: str) -> HttpResponse:
        """Show one replica."""
        return super().retrieve(request, key)

    @described(
        "tavus_replicas_create",
        {202: (ReplicaSerializer, "Stored; Tavus is being told.")},
        refused=CREATE_REFUSED,
        parameters=(LOCATION,),
        request=one_of("NewReplica", VideoReplicaSerializer, ImageReplicaSerializer),
    )
    def create(self, request: Request) -> HttpResponse:
        """Train a replica."""
        return super().create(request)

    @described(
        "tavus_replicas_update",
        {202: (ReplicaSerializer, "Stored; Tavus is being told.")},
        refused=EDIT_REFUSED,
        parameters=(key("Our id, or the replica's Tavus id."), IF_MATCH),
        request=ReplicaWriteSerializer,
    )
    def partial_update(self, request: Request, key: str) -> HttpResponse:
        """Change a replica; what is not named stays."""
        return super().partial_update(request, key)

    @described(
        "tavus_replicas_delete",
        {202: (ReplicaSerializer, "It is being deleted at Tavus, and then here.")},
        refused=DELETE_REFUSED,
        parameters=(
            key("Our id, or the replica's Tavus id."),
            IF_MATCH,
            query("hard", "Erase the training footage too, irrevocably.", BOOLEAN),
        ),
    )
    def destroy(self, request: Request, key: str) -> HttpResponse:
        """Delete a replica."""
        return super().destroy(request, key)

    @described(
        "tavus_replicas_resolve",
        {202: (ReplicaSerializer, "Stored; Tavus is being told.")},
        refused=RESOLVE_REFUSED,
        parameters=(key("Our id, or the replica's Tavus id."), IF_MATCH),
        request=ResolveSerializer,
    )
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, key: str) -> HttpResponse:
        """Settle a conflict with Tavus in the members of `conflicts`: keep ours, or theirs."""
        return self.settle(request)


class DocumentViewSet(MirrorViewSet[Document]):
    """Documents, for those with ``view_document``."""

    queryset = Document.objects.defer("remote")
    kind = "document"
    serializer_class = DocumentSerializer
    filters = filters.DOCUMENTS
    permission_classes = [HasAccount, MayWrite, MayViewDocuments]
    parser_classes = [StrictJSONParser, MultiPartParser]

    @described(
        "tavus_documents_list",
        {200: (DocumentSerializer(many=True), "A page.")},
        refused=(400, 404),
    )
    def list(self, request: Request) -> Response:
        """List documents, newest first."""
        return super().list(request)

    @described(
        "tavus_documents_retrieve",
        {200: (DocumentSerializer, "The document."), 304: (None, "Not changed.")},
        refused=(404, 412),
        parameters=(key("Our id, or the document's Tavus id."), IF_NONE_MATCH, ETAG),
    )
    def retrieve(self, request: Request, key: str) -> HttpResponse:
        """Show one document."""
        return super().retrieve(request, key)

    @described(
        "tavus_documents_create",
        {202: (DocumentSerializer, "Stored; Tavus is being told.")},
        refused=CREATE_REFUSED,
        parameters=(LOCATION,),
        request={
            StrictJSONParser.media_type: NewDocumentSerializer,
            MULTIPART: DocumentUploadSerializer,
        },
    )
    def create(self, request: Request) -> HttpResponse:
        """Add a document, by its URL or by uploading it."""
        return super().create(request)

    @described(
        "tavus_documents_update",
        {202: (DocumentSerializer, "Stored; Tavus is being told.")},
        refused=EDIT_REFUSED,
        parameters=(key("Our id, or the document's Tavus id."), IF_MATCH),
        request={StrictJSONParser.media_type: DocumentWriteSerializer},
    )
    def partial_update(self, request: Request, key: str) -> HttpResponse:
        """Change a document; what is not named stays."""
        return super().partial_update(request, key)

    @described(
        "tavus_documents_delete",
        {202: (DocumentSerializer, "It is being deleted at Tavus, and then here.")},
        refused=DELETE_REFUSED,
        parameters=(key("Our id, or the document's Tavus id."), IF_MATCH),
    )
    def destroy(self, request: Request, key: str) -> HttpResponse:
        """Delete a document."""
        return super().destroy(request, key)

    @described(
        "tavus_documents_resolve",
        {202: (DocumentSerializer, "Stored; Tavus is being told.")},
        refused=RESOLVE_REFUSED,
        parameters=(key("Our id, or the document's Tavus id."), IF_MATCH),
        request={StrictJSONParser.media_type: ResolveSerializer},
    )
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, key: str) -> HttpResponse:
        """Settle a conflict with Tavus in the members of `conflicts`: keep ours, or theirs."""
        return self.settle(request)

    def read_body(self, request: Request) -> Any:
        """Return the decoded body, or the fields and file of a form."""
        return body_with_upload(request)

    @described(
        "tavus_documents_recrawl",
        {202: (DocumentSerializer, "Stored; Tavus is being told.")},
        refused=(404, "NotCrawlable", "CrawlLater"),
        parameters=(key("Our id, or the document's Tavus id."),),
    )
    @action(detail=True, methods=["post"])
    def recrawl(self, request: Request, key: str) -> HttpResponse:
        """Crawl a website again; Tavus does that once an hour."""
        row = self.get_object()
        with translated_errors():
            documents.recrawl(row)
        return self.accepted(row)
