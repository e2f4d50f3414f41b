"""``manage.py tavus_doctor``: is everything there that conversations need?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_tavus.services.diagnosing import Finding, Level
from django_tavus.services.examining import examine


class Command(BaseCommand):
    """Asks Tavus, the broker, a worker and the database, and prints what it finds."""

    help = "Examine settings, Tavus, broker, worker and database; exit with 1 if something fails."
    # A wrong setting is what this command is for: it must not be stopped by it.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each finding as it comes, and its remedy below it.

        Raises:
            CommandError: something failed.
        """
        failed = 0
        for finding in examine():
            self._tell(finding)
            failed += finding.level is Level.FAIL
        if failed:
            raise CommandError(f"Failed: {failed}.", returncode=1)

    def _tell(self, finding: Finding) -> None:
        styles = {
            Level.OK: self.style.SUCCESS,
            Level.WARN: self.style.WARNING,
            Level.FAIL: self.style.ERROR,
        }
        level = styles[finding.level](f"{finding.level.upper():<4}")
        self.stdout.write(f"{level}  {finding.code}: {finding.message}")
        if finding.remedy:
            self.stdout.write(f"      {finding.remedy}")
