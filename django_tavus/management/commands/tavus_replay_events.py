"""``manage.py tavus_replay_events``: process failed events once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from django_tavus.management.arguments import hours
from django_tavus.models import WebhookEvent
from django_tavus.models.choices import EventStatus
from django_tavus.services import events


class Command(BaseCommand):
    """Replay events by status, type and age; each is processed here and now."""

    help = "Process failed (or otherwise chosen) events once more."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what chooses the events."""
        parser.add_argument(
            "--status", default=EventStatus.FAILED, choices=["failed", "rejected", "processed"]
        )
        parser.add_argument("--type", dest="event_type", help="only events of this type")
        parser.add_argument("--hours", type=hours, help="only events of the last HOURS hours")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, and say how many ended well."""
        chosen = WebhookEvent.objects.filter(status=options["status"]).order_by("pk")
        if options["event_type"]:
            chosen = chosen.filter(event_type=options["event_type"])
        if options["hours"] is not None:
            since = timezone.now() - timedelta(hours=options["hours"])
            chosen = chosen.filter(received_at__gte=since)
        pks = list(chosen.values_list("pk", flat=True))
        for event in WebhookEvent.objects.filter(pk__in=pks).iterator(chunk_size=200):
            if events.replay(event):
                events.process(event.pk)
        done = WebhookEvent.objects.filter(pk__in=pks, status=EventStatus.PROCESSED).count()
        self.stdout.write(f"{len(pks)} replayed, {done} processed")
