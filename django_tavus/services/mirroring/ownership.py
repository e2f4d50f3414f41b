"""Ownership: whose the objects of one sync are, Tavus's stock or the account's."""

from __future__ import annotations

from collections.abc import Mapping

from django_tavus.models.choices import ObjectType
from django_tavus.services.editable import Editable
from django_tavus.services.mirroring.reading import Found, Old


class Owners:
    """Tells the type of each object that a sync finds.

    Most rows do not say it, so the filter that finds them does. A Tavus that does not heed the
    filter shows everything under both: then a type that was stored before stays, and what is new
    has none, for wrongly typed as ``user`` it could be edited, and as ``system`` it could not.
    """

    def __init__(self) -> None:
        self.asked: str = ""
        """The filter of the page at hand."""
        self.proven_users: set[str] = set()
        """After a complete sync: ids stored as stock that are found only among the user's."""
        self._users: dict[str, str] = {}  # id -> the type stored before this sync

    def set_types(self, kind: Editable, found: Mapping[str, Found], old: Mapping[str, Old]) -> None:
        """Add the type of each object found by ``asked`` to its values."""
        name = kind.type_field
        if not name:
            return
        for tavus_id, one in found.items():
            stored = old[tavus_id][name] if tavus_id in old else ""
            one.values[name] = self._type_of(tavus_id, stored, one.kept.get(name))

    def _type_of(self, tavus_id: str, stored: str, told: object) -> str:
        claim = told.strip("' ") if isinstance(told, str) else ""
        if claim in ObjectType.values:
            return claim
        if self.asked == ObjectType.USER:
            return self._user(tavus_id, self._users.setdefault(tavus_id, stored))
        if self.asked == ObjectType.SYSTEM:
            self.proven_users.discard(tavus_id)
            return self._users.get(tavus_id, self.asked)
        return stored

    def _user(self, tavus_id: str, stored: str) -> str:
        if stored == ObjectType.SYSTEM:
            self.proven_users.add(tavus_id)
            return stored
        return ObjectType.USER.value
