"""Personas: the gallery, and all of them for those who may."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from django_tavus.api import filters
from django_tavus.api.schema import ETAG, IF_MATCH, IF_NONE_MATCH, described, key, one_of
from django_tavus.api.serializers import (
    PersonaSerializer,
    PersonaWriteSerializer,
    PromptedPersonaSerializer,
    PromptlessPersonaSerializer,
    ResolveSerializer,
)
from django_tavus.api.views.mirrors import (
    CREATE_REFUSED,
    DELETE_REFUSED,
    EDIT_REFUSED,
    LOCATION,
    RESOLVE_REFUSED,
    MirrorViewSet,
)
from django_tavus.models import Document, Persona

# Columns that a page of a gallery need not drag along.
BULK = ("remote", "system_prompt", "context", "layers")


class PersonaViewSet(MirrorViewSet[Persona]):
    """Personas; prompt, context, layers and the rest with ``view_persona`` only."""

    queryset = Persona.objects.defer("default_replica__remote")
    kind = "persona"
    serializer_class = PersonaSerializer
    filters = filters.PERSONAS

    def all_rows(self) -> QuerySet[Persona]:
        """Return the rows with what their fields need, and no more."""
        rows = super().all_rows().select_related("default_replica")
        if not self.is_full:
            return rows.defer(*BULK)
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
