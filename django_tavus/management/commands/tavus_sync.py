"""``manage.py tavus_sync``: mirror what the Tavus account holds."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_tavus.services import syncing
from django_tavus.services.reports import SyncReport

WIDTH = 30  # characters of the bar


class Command(BaseCommand):
    """Mirror replicas, documents, personas and conversations; all unless some are named."""

    help = "Mirror the objects of the Tavus account into the database."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the kinds to mirror."""
        parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(syncing.KINDS))
        parser.add_argument(
            "--prune",
            action="store_true",
            help="mark rows whose object Tavus no longer lists as gone; nothing is deleted",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Mirror each kind and say what became of it; fail if anything is missing."""
        kinds = list(dict.fromkeys(options["kinds"])) or list(syncing.KINDS)
        if unknown := [kind for kind in kinds if kind not in syncing.KINDS]:
            known = ", ".join(syncing.KINDS)
            raise CommandError(f"Unknown kind: {', '.join(unknown)}. Known: {known}.")
        failed = [kind for kind in kinds if not self.sync(kind, prune=options["prune"])]
        if failed:
            raise CommandError(f"Not everything could be mirrored: {', '.join(failed)}.")

    def sync(self, kind: str, *, prune: bool) -> bool:
        """Mirror one kind; return whether all of it was stored."""
        bar = Bar(self, kind) if self.stdout.isatty() else None
        report = syncing.sync_objects(kind, prune=prune, progress=bar)
        if bar:
            bar.clear()
        self.stdout.write(self.sentence(report))
        if report.error:
            self.stderr.write(f"{kind}: {report.error}")
        for name in report.failed:
            self.stderr.write(f"{kind}: cannot be stored: {name}")
        if prune and not report.is_complete:
            self.stderr.write(f"{kind}: nothing was marked as gone, since not all was mirrored.")
        return report.is_complete

    def sentence(self, report: SyncReport) -> str:
        """Return the line that sums up one kind."""
        gone = f", {report.gone} gone" if report.gone else ""
        return f"{report.kind}: {report.stored} ({report.written} new or changed{gone})"


class Bar:
    """A line on a terminal that is written over and over."""

    def __init__(self, command: BaseCommand, kind: str) -> None:
        self.command = command
        self.kind = kind

    def __call__(self, seen: int, total: int | None) -> None:
        """Show how far it is."""
        self._write(f"{self.kind} {seen}" if not total else self._drawn(seen, total))

    def clear(self) -> None:
        """Take the line away."""
        self._write("")

    def _drawn(self, seen: int, total: int) -> str:
        full = min(WIDTH, WIDTH * seen // total)
        return f"{self.kind} [{'#' * full}{'.' * (WIDTH - full)}] {seen}/{total}"

    def _write(self, line: str) -> None:
        # Back to the beginning, clear to the end of the line (ECMA-48).
        self.command.stdout.write(f"\r\x1b[K{line}", ending="")
        self.command.stdout.flush()
