"""Replicas: the gallery, and all of them for those who may."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from django_tavus.api import filters
from django_tavus.api.schema import ETAG, IF_MATCH, IF_NONE_MATCH, described, key, one_of, query
from django_tavus.api.serializers import (
    ImageReplicaSerializer,
    ReplicaSerializer,
    ReplicaWriteSerializer,
    ResolveSerializer,
    VideoReplicaSerializer,
)
from django_tavus.api.views.mirrors import (
    CREATE_REFUSED,
    DELETE_REFUSED,
    EDIT_REFUSED,
    LOCATION,
    RESOLVE_REFUSED,
    MirrorViewSet,
)
from django_tavus.models import Replica


class ReplicaViewSet(MirrorViewSet[Replica]):
    """Replicas; training, voice and the rest with ``view_replica`` only."""

    queryset = Replica.objects.defer("remote")
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
            query("hard", "Erase the training footage too, irrevocably.", {"type": "boolean"}),
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
