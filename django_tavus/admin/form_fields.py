"""The form fields of prose, lists and layers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms

from django_tavus.client import MASK
from django_tavus.services import secrets
from django_tavus.services.request_fields import plain_object


class ProseField(forms.CharField):
    """Text that is kept as it is; browsers turn every line break into CR LF."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"strip": False, "required": False, **kwargs})

    def to_python(self, value: Any) -> str:
        """Return the text with plain line breaks."""
        return str(super().to_python(value)).replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether more than line breaks differs."""
        return self.to_python(initial) != self.to_python(data)


class LinesField(forms.CharField):
    """A list of strings, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 40})

    def to_python(self, value: Any) -> Any:
        """Return the lines that are not blank."""
        lines = (line.strip() for line in (value or "").splitlines())
        return [line for line in lines if line]


class ListField(LinesField):
    """A list of strings that is there already, one a line."""

    def prepare_value(self, value: Any) -> Any:
        """Return the lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value


_SECRET_TEXT = re.compile(
    r"""(?ix)("[\w-]*(?:key|token|secret|password|authorization|cookie)[\w-]*"\s*:\s*")
    (?:[^"\\]|\\.)*"""
)


class LayersField(forms.JSONField):
    """Layers: secrets go in, and never come out again, not even when the form is wrong."""

    widget = forms.Textarea(
        attrs={"rows": 16, "class": "vLargeTextField tavus-code", "spellcheck": "false"}
    )

    def to_python(self, value: Any) -> Any:
        """Return the object; nothing written is an empty one."""
        return super().to_python(value) or {}

    def validate(self, value: Any) -> None:
        """Accept an object that every database can hold."""
        plain_object(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what was posted, without its secrets where it is no JSON."""
        bound = super().bound_data(data, initial)
        if isinstance(bound, str) and not isinstance(bound, Mapping):
            return type(bound)(_SECRET_TEXT.sub(rf"\g<1>{MASK}", bound))
        return bound

    def prepare_value(self, value: Any) -> Any:
        """Return indented JSON with masks in the place of secrets."""
        if isinstance(value, Mapping):
            return json.dumps(secrets.mask(value), indent=2, ensure_ascii=False) if value else ""
        return value
