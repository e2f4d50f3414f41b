"""The account that the sandbox plays: a state machine without sleep, threads or HTTP."""

from __future__ import annotations

from django_tavus.sandbox.engine.account import Engine, Quirks

__all__ = ["Engine", "Quirks"]
