"""A small site that practices conversations, the way a host would build one."""

from __future__ import annotations

from example.celery import app as celery_app

__all__ = ["celery_app"]
