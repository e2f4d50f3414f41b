"""The REST API: serializers, views and policies over the services."""

from __future__ import annotations
