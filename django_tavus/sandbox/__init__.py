"""Tavus, played: an account with state, strictness and quirks, for development and tests.

The contract of this package is `Sandbox` here and `SandboxServer` in
`django_tavus.sandbox.server`; what it does and does not do is in ``docs/sandbox.md``.
"""

from __future__ import annotations

from django_tavus.sandbox.engine.account import Quirks
from django_tavus.sandbox.engine.refusals import RoomRefusal
from django_tavus.sandbox.engine.world import Callback
from django_tavus.sandbox.play import Sandbox
from django_tavus.sandbox.records import RecordedRequest

__all__ = ["Callback", "Quirks", "RecordedRequest", "RoomRefusal", "Sandbox"]
