"""What the app does, one verb a module."""

from __future__ import annotations

from django_tavus.services.ending import end_conversation
from django_tavus.services.requesting import launch_conversation

__all__ = ["end_conversation", "launch_conversation"]
