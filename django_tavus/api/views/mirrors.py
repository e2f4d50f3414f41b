"""What personas, replicas and documents have in common: read by many, written with permissions.

What is written is stored and answered with 202; a task tells Tavus. ``sync_state`` says how that
went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from django_tavus.api.deleting import is_hard
from django_tavus.api.errors import PreconditionFailed, translated_errors
from django_tavus.api.etags import conditional
from django_tavus.api.permissions import HasAccount, MayWrite
from django_tavus.api.policy import Row, TavusViewSet, json_body
from django_tavus.api.schema import answered_header
from django_tavus.api.serializers import ResolveSerializer
from django_tavus.services import object_fields, publishing
from django_tavus.services.access import has_permission

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
    if not isinstance(body, Mapping):  # DRF would name it as the host's NON_FIELD_ERRORS_KEY says
        raise ValidationError({"non_field_errors": [_("The body must be a JSON object.")]})
    if unknown := body.keys() - ResolveSerializer().fields.keys():
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
        body = json_body(request)
        with translated_errors(), self.unchanged(request, row):
            publishing.edit(row, **object_fields.read_edit(row, body))
        return self.accepted(row)

    def destroy(self, request: Request, key: str) -> HttpResponse:
        """Store that it is to be deleted; 202."""
        hard = is_hard(request, may_be=self.kind == "replica")
        row: Any = self.get_object()
        self.check_version(request, row)
        with translated_errors(), self.unchanged(request, row):
            publishing.request_delete(row, hard=hard)
        return self.accepted(row)

    def settle(self, request: Request) -> HttpResponse:
        """Store which version wins; 202."""
        row: Any = self.get_object()
        self.check_version(request, row)
        side = chosen_side(json_body(request))
        with translated_errors(), self.unchanged(request, row):
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

    @contextmanager
    def unchanged(self, request: Request, row: Any) -> Iterator[None]:
        """Keep the version that ``If-Match`` names while it is changed: of two edits, one wins.

        Raises:
            PreconditionFailed: another edit came first, since ``row`` was read.
        """
        if "If-Match" not in request.headers:
            yield
            return
        rows: Any = type(row)._default_manager.filter(pk=row.pk, updated_at=row.updated_at)
        with transaction.atomic():
            if not rows.store():
                raise PreconditionFailed
            yield
