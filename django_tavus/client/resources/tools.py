"""Tools: functions a persona may call, reusable between personas."""

from __future__ import annotations

from typing import Any

from django_tavus.client.resources.base import Creatable, Deletable, Gettable, Listed
from django_tavus.client.retry import Kind
from django_tavus.client.vocabulary import TOOLS, Row


class Tools(Listed, Gettable, Creatable, Deletable):
    """`/tools`. Secrets come back as eight asterisks; never send those back."""

    facts = TOOLS

    def update(self, tool_id: str, **fields: Any) -> Row:
        """Change the given fields, keep the others, and return the tool (plain JSON merge)."""
        call = self._call("PATCH", kind=Kind.CHANGE, tavus_id=tool_id, body=fields)
        return self._row(call, tool_id)
