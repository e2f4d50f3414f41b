"""The body of a request that may upload a file: JSON, or a form with a file in it."""

from __future__ import annotations

from typing import Any

from django.core.files import File
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from django_tavus.api.parsers import refuse_unstorable
from django_tavus.api.policy import json_body

MULTIPART = "multipart/form-data"
LISTS = frozenset({"tags"})
"""Fields of a form that are given once for each item."""
NOT_OURS = frozenset({"csrfmiddlewaretoken"})


def body_with_upload(request: Request) -> Any:
    """Return the body: decoded JSON, or the fields of a form in the same shape.

    Raises:
        UnsupportedMediaType: another kind of form.
        ValidationError: a field that is given twice, or cannot be stored.
    """
    if str(request.content_type).partition(";")[0].strip().lower() != MULTIPART:
        return json_body(request)
    form: Any = request.data
    body = _members(form)
    refuse_unstorable({name: value for name, value in body.items() if not isinstance(value, File)})
    return body


def _members(form: QueryDict) -> dict[str, Any]:
    names = form.keys() - NOT_OURS
    if twice := [name for name in names - LISTS if len(form.getlist(name)) > 1]:
        raise ValidationError({name: [_("Is given twice.")] for name in twice})
    return {name: form.getlist(name) if name in LISTS else form[name] for name in names}
