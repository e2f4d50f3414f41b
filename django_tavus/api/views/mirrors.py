"""Personas, replicas and documents, read only."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from django_tavus.api import filters
from django_tavus.api.etags import conditional
from django_tavus.api.permissions import HasAccount, MayViewDocuments
from django_tavus.api.policy import Row, TavusViewSet
from django_tavus.api.schema import described, key
from django_tavus.api.serializers import DocumentSerializer, PersonaSerializer, ReplicaSerializer
from django_tavus.models import Document, Persona, Replica
from django_tavus.services.access import has_permission

# Columns that a page of a gallery need not drag along.
REPLICA_BULK = ("remote",)
PERSONA_BULK = ("remote", "system_prompt", "context", "layers")


class MirrorViewSet(TavusViewSet[Row]):
    """Lists and shows the rows of one mirrored model.

    In the path, digits are our primary key and anything else is a Tavus id.
    """

    lookup_field = "key"

    view_permission: str

    @property
    def is_full(self) -> bool:
        """Whether the viewer may see more than a gallery shows."""
        return has_permission(self.request.user, self.view_permission)

    def get_queryset(self) -> QuerySet[Row]:
        """Return all rows for those who may see all of them, else those that exist at Tavus."""
        rows: Any = super().get_queryset()
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


class PersonaViewSet(MirrorViewSet[Persona]):
    """Personas; prompt, context, layers and the rest with ``view_persona`` only."""

    queryset = Persona.objects.defer(*(f"default_replica__{name}" for name in REPLICA_BULK))
    view_permission = "view_persona"
    serializer_class = PersonaSerializer
    filters = filters.PERSONAS

    def get_queryset(self) -> QuerySet[Persona]:
        """Return the rows with what their fields need, and no more."""
        rows = super().get_queryset().select_related("default_replica")
        if not self.is_full:
            return rows.defer(*PERSONA_BULK)
        documents = Document.objects.only("tavus_id")
        return rows.defer("remote").prefetch_related(Prefetch("documents", documents))

    @described(
        "tavus_personas_list", {200: (PersonaSerializer(many=True), "A page.")}, errors=(400, 404)
    )
    def list(self, request: Request) -> Response:
        """List personas, newest first."""
        return super().list(request)

    @described(
        "tavus_personas_retrieve",
        {200: (PersonaSerializer, "The persona."), 304: (None, "Not changed.")},
        errors=(404, 412),
        parameters=(key("Our id, or the persona's Tavus id."),),
    )
    def retrieve(self, request: Request, key: str) -> HttpResponse:
        """Show one persona."""
        return super().retrieve(request, key)


class ReplicaViewSet(MirrorViewSet[Replica]):
    """Replicas; training, voice and the rest with ``view_replica`` only."""

    queryset = Replica.objects.defer(*REPLICA_BULK)
    view_permission = "view_replica"
    serializer_class = ReplicaSerializer
    filters = filters.REPLICAS

    @described(
        "tavus_replicas_list", {200: (ReplicaSerializer(many=True), "A page.")}, errors=(400, 404)
    )
    def list(self, request: Request) -> Response:
        """List replicas, newest first."""
        return super().list(request)

    @described(
        "tavus_replicas_retrieve",
        {200: (ReplicaSerializer, "The replica."), 304: (None, "Not changed.")},
        errors=(404, 412),
        parameters=(key("Our id, or the replica's Tavus id."),),
    )
    def retrieve(self, request: Request, key: str) -> HttpResponse:
        """Show one replica."""
        return super().retrieve(request, key)


class DocumentViewSet(MirrorViewSet[Document]):
    """Documents, for those with ``view_document``."""

    queryset = Document.objects.defer("remote")
    view_permission = "view_document"
    serializer_class = DocumentSerializer
    filters = filters.DOCUMENTS
    permission_classes = [HasAccount, MayViewDocuments]

    @described(
        "tavus_documents_list", {200: (DocumentSerializer(many=True), "A page.")}, errors=(400, 404)
    )
    def list(self, request: Request) -> Response:
        """List documents, newest first."""
        return super().list(request)

    @described(
        "tavus_documents_retrieve",
        {200: (DocumentSerializer, "The document."), 304: (None, "Not changed.")},
        errors=(404, 412),
        parameters=(key("Our id, or the document's Tavus id."),),
    )
    def retrieve(self, request: Request, key: str) -> HttpResponse:
        """Show one document."""
        return super().retrieve(request, key)
