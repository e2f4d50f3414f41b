"""Objectives: what a persona is to find out or achieve."""

from __future__ import annotations

from typing import Any

from django_tavus.client.resources.base import (
    Creatable,
    Deletable,
    Gettable,
    JsonPatched,
    Listed,
    request_fields,
)
from django_tavus.client.vocabulary import OBJECTIVES, Row


class Objectives(Listed, Gettable, Creatable, JsonPatched, Deletable):
    """`/objectives`. One object is a set; its steps are in `data`, patched as `/data/0/…`."""

    facts = OBJECTIVES

    def validate(self, **fields: Any) -> Row:
        """Check the fields of a `create` without making anything: cycles, references, names.

        In use by the provider's command line, not in its OpenAPI file.
        """
        return self._object(self._call("POST", "validate", body=request_fields(fields)))
