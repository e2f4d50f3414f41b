"""Signals that are owed: written with the transition, sent after its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from django.db import models
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_tavus import signals

if TYPE_CHECKING:
    from django_tavus.models.conversation import Conversation
    from django_tavus.models.document import Document
    from django_tavus.models.event import WebhookEvent
    from django_tavus.models.replica import Replica

    Subject: TypeAlias = Conversation | Document | Replica


class OutboxQuerySet(models.QuerySet["OutboxEntry"]):
    """Questions about many owed signals."""

    def owe(
        self,
        signal: str,
        subject: Subject,
        *,
        event: WebhookEvent | None = None,
        occasion: object = "",
    ) -> OutboxEntry:
        """Write down that ``signal`` is owed; call it in the transaction of the transition."""
        entry = self.draft(signal, subject, event=event, occasion=occasion)
        entry.save(using=self.db, force_insert=True)
        return entry

    def draft(
        self,
        signal: str,
        subject: Subject,
        *,
        event: WebhookEvent | None = None,
        occasion: object = "",
    ) -> OutboxEntry:
        """Return an entry that is yet to be stored, together with others, by ``bulk_create``.

        ``occasion`` tells apart the times that the same fact may be announced about the same
        object (the event's key, the number of turns); empty for what happens once in a life.
        The writing process holds the claim: nobody else sends before the lease has run out. Where
        nobody listens nothing will be sent, and the entry is marked from the beginning.
        """
        kind, now = subject._meta.model_name, timezone.now()
        is_heard = getattr(signals, signal).has_listeners(type(subject))
        return self.model(
            signal=signal,
            key=f"{signal}:{kind}:{subject.pk}:{occasion}",
            event=event,
            created_at=now,
            claimed_at=now,
            sent_at=None if is_heard else now,
            **{f"{kind}": subject},
        )


class OutboxEntry(models.Model):
    """One signal that is owed about one object."""

    signal = models.CharField(_("signal"), max_length=64)
    key = models.CharField(
        max_length=255, unique=True, editable=False, help_text=_("signal, object and occasion")
    )
    conversation = models.ForeignKey(
        "django_tavus.Conversation",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="outbox_entries",
    )
    document = models.ForeignKey(
        "django_tavus.Document",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="outbox_entries",
    )
    replica = models.ForeignKey(
        "django_tavus.Replica",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="outbox_entries",
    )
    event = models.ForeignKey(
        "django_tavus.WebhookEvent",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="outbox_entries",
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("outbox entry")
        verbose_name_plural = _("outbox entries")
        ordering = ("pk",)
        indexes = (models.Index(fields=("sent_at", "claimed_at"), name="tavus_outbox_owed"),)

    def __str__(self) -> str:
        return self.key

    @property
    def source(self) -> Signal:
        """The signal itself."""
        source: Signal = getattr(signals, self.signal)
        return source

    @property
    def subject_model(self) -> type[Subject]:
        """Class of the object that it is about, which is the sender of the signal."""
        model: type[Subject] = self._meta.get_field(self.subject_field).related_model  # type: ignore[assignment]
        return model

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens, in this process."""
        return self.source.has_listeners(self.subject_model)

    @property
    def subject_field(self) -> str:
        """Name of the relation that is set, which is the keyword argument of the signal."""
        fields = ("conversation", "document", "replica")
        return next(name for name in fields if getattr(self, f"{name}_id") is not None)
