"""``manage.py tavus_prune``: remove what was said long ago."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_tavus.conf import get_settings
from django_tavus.management.arguments import days
from django_tavus.services import retention


class Command(BaseCommand):
    """One round of what the task ``prune_expired`` does."""

    help = "Remove transcripts, perception and payloads older than TAVUS['RETENTION_DAYS']."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take an age that overrides the setting, and the wish to look only."""
        parser.add_argument("--older-than", type=days, metavar="DAYS", dest="days")
        parser.add_argument("--dry-run", action="store_true", help="count, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune, and say what was removed."""
        age = options["days"]
        if age is None:
            age = get_settings().RETENTION_DAYS
        if age is None:
            raise CommandError("Set TAVUS['RETENTION_DAYS'] or give --older-than DAYS.")
        report = retention.prune(days=age, dry_run=options["dry_run"])
        verb = "would be pruned" if options["dry_run"] else "pruned"
        self.stdout.write(
            f"{report.conversations} conversations {verb}: "
            f"{report.utterances} utterances, {report.payloads} payloads"
        )
