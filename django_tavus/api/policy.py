"""What every view of this API does, independent of the host's ``REST_FRAMEWORK``.

Each policy that DRF would take from there is named here; only ``EXCEPTION_HANDLER`` stays the
host's, so that errors look like those of its other views.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import connections, transaction
from django.db.models import Model
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.metadata import SimpleMetadata
from rest_framework.request import Request, is_form_media_type
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.viewsets import GenericViewSet

from django_tavus.api.errors import add_code, readable
from django_tavus.api.filters import Filter, TableFilter
from django_tavus.api.negotiation import FormatNegotiation
from django_tavus.api.pagination import TavusCursorPagination
from django_tavus.api.parsers import StrictJSONParser
from django_tavus.api.permissions import HasAccount
from django_tavus.api.renderers import PlainJSONRenderer
from django_tavus.conf import get_settings

Row = TypeVar("Row", bound=Model)


def classes_of(setting: Iterable[str | type]) -> list[type]:
    """Return the classes that a setting names, by dotted path or themselves."""
    return [import_string(item) if isinstance(item, str) else item for item in setting]


class MediaTypes(SimpleMetadata):
    """What ``OPTIONS`` tells. Bodies are in the schema: DRF would show the fields of answers."""

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        """Return nothing about bodies."""
        return {}


class TavusViewSet(GenericViewSet[Row]):
    """The base of all views here; settings are read at every request."""

    renderer_classes = [PlainJSONRenderer]
    parser_classes = [StrictJSONParser]
    throttle_classes = []
    content_negotiation_class = FormatNegotiation
    metadata_class = MediaTypes
    versioning_class = None
    pagination_class = TavusCursorPagination
    filter_backends = [TableFilter]
    filters: dict[str, Filter] = {}
    permission_classes = [HasAccount]
    """What cannot be switched off; the host's classes come on top."""

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        """Return the view, outside of ``ATOMIC_REQUESTS`` on every database.

        A launch must be committed before it is enqueued and waited for.
        """
        view: Any = super().as_view(*args, **kwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return ``TAVUS["API_AUTHENTICATION_CLASSES"]``, or the host's for ``"inherit"``."""
        setting = get_settings().API_AUTHENTICATION_CLASSES
        if setting == "inherit":
            setting = api_settings.DEFAULT_AUTHENTICATION_CLASSES
        return [one() for one in classes_of(setting)]

    def get_permissions(self) -> list[Any]:
        """Return ours and then ``TAVUS["API_PERMISSION_CLASSES"]``."""
        host = classes_of(get_settings().API_PERMISSION_CLASSES)
        return [one() for one in [*self.permission_classes, *host]]

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error as JSON, whatever representation was asked for."""
        response: Response = super().handle_exception(readable(exc))
        if isinstance(response, Response):  # a host's own handler may answer without DRF
            response.data = add_code(response.data)
        self._answer_json()
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Describe the view as JSON: captions and tables can be made of their own data only."""
        response: Response = super().options(request, *args, **kwargs)
        self._answer_json()
        return response

    def _answer_json(self) -> None:
        self.request.accepted_renderer = PlainJSONRenderer()
        self.request.accepted_media_type = PlainJSONRenderer.media_type

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep every answer out of caches: some carry the key to a room."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        return response


def json_body(request: Request) -> Any:
    """Return the decoded body.

    Raises:
        UnsupportedMediaType: a form. Where Django's CSRF check has read it before, DRF would say
            that the body is empty.
    """
    if is_form_media_type(request.content_type):
        raise UnsupportedMediaType(request.content_type)
    return request.data
