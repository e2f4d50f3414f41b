"""``manage.py tavus_reconcile``: ask Tavus how silent conversations stand, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from django_tavus.services import reconciling


class Command(BaseCommand):
    """One round of what the task ``reconcile_conversations`` does."""

    help = "Check conversations that have been silent, and fetch what was never called back."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check what is due and say how many conversations that were."""
        self.stdout.write(f"checked: {reconciling.reconcile()}")
