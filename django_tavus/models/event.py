"""Events: what Tavus told us, stored before it is understood."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_tavus.models.choices import EventStatus, event_sources, event_statuses


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    """Questions about many events."""

    def due(self, now: datetime) -> WebhookEventQuerySet:
        """Events that wait to be processed, or to be tried again."""
        return self.filter(status=EventStatus.RECEIVED).filter(
            Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now)
        )


class WebhookEvent(models.Model):
    """One event, told by a callback or fetched by reconciling.

    ``payload`` is what the sender claims; nothing in it is believed before processing has compared
    it with the object of the token.
    """

    dedupe_key = models.CharField(max_length=64, unique=True, editable=False)
    source = models.CharField(_("source"), max_length=16, choices=event_sources)
    event_type = models.CharField(_("event type"), max_length=128, blank=True, db_index=True)
    conversation = models.ForeignKey(
        "django_tavus.Conversation",
        verbose_name=_("conversation"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="events",
    )
    document = models.ForeignKey(
        "django_tavus.Document",
        verbose_name=_("document"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="events",
    )
    replica = models.ForeignKey(
        "django_tavus.Replica",
        verbose_name=_("replica"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="events",
    )
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    status = models.CharField(
        _("status"), max_length=16, choices=event_statuses, default=EventStatus.RECEIVED
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, editable=False)
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)

    objects = WebhookEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        ordering = ("-received_at", "-pk")
        permissions = (("replay_event", "Can replay a webhook event"),)
        indexes = (
            models.Index(fields=("status", "next_attempt_at"), name="tavus_event_due"),
            models.Index(fields=("received_at",), name="tavus_event_received"),
        )

    def __str__(self) -> str:
        name = self.event_type or _("event")
        return f"{name} #{self.pk}"
