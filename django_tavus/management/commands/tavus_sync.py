"""``manage.py tavus_sync``: mirror what the Tavus account holds."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_tavus.client import TavusError
from django_tavus.services import syncing


class Command(BaseCommand):
    """Mirror replicas, documents and personas; all of them unless some are named."""

    help = "Mirror replicas, documents and personas of the Tavus account into the database."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the kinds to mirror."""
        parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(syncing.KINDS))

    def handle(self, *args: Any, **options: Any) -> None:
        """Mirror each kind and say how many objects it had."""
        kinds = options["kinds"] or list(syncing.KINDS)
        if unknown := [kind for kind in kinds if kind not in syncing.KINDS]:
            known = ", ".join(syncing.KINDS)
            raise CommandError(f"Unknown kind: {', '.join(unknown)}. Known: {known}.")
        failed = [kind for kind in kinds if not self.sync(kind)]
        if failed:
            raise CommandError(f"Not everything could be mirrored: {', '.join(failed)}.")

    def sync(self, kind: str) -> bool:
        """Mirror one kind; return whether all of it was stored."""
        try:
            report = syncing.sync_objects(kind)
        except TavusError as error:
            self.stderr.write(f"{kind}: {error}")
            return False
        self.stdout.write(f"{kind}: {report.stored}")
        for body in report.failed:
            self.stderr.write(f"{kind}: cannot be stored: {body}")
        return not report.failed
