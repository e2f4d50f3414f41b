"""Documents: the knowledge base, by address or uploaded."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from django_tavus.api import filters
from django_tavus.api.errors import translated_errors
from django_tavus.api.parsers import StrictJSONParser
from django_tavus.api.permissions import HasAccount, MayViewDocuments, MayWrite
from django_tavus.api.schema import ETAG, IF_MATCH, IF_NONE_MATCH, described, key
from django_tavus.api.serializers import (
    DocumentSerializer,
    DocumentUploadSerializer,
    DocumentWriteSerializer,
    NewDocumentSerializer,
    ResolveSerializer,
)
from django_tavus.api.uploads import MULTIPART, body_with_upload
from django_tavus.api.views.mirrors import (
    CREATE_REFUSED,
    DELETE_REFUSED,
    EDIT_REFUSED,
    LOCATION,
    RESOLVE_REFUSED,
    MirrorViewSet,
)
from django_tavus.models import Document
from django_tavus.services import documents


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
