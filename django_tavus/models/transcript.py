"""What a conversation leaves behind: turns and recordings."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_tavus.models.choices import utterance_roles
from django_tavus.models.conversation import Conversation


class Utterance(models.Model):
    """One turn of a transcript. The persona's system prompt is never among them."""

    conversation = models.ForeignKey(
        Conversation,
        verbose_name=_("conversation"),
        on_delete=models.CASCADE,
        related_name="utterances",
    )
    position = models.PositiveIntegerField(_("position"))
    role = models.CharField(_("role"), max_length=16, choices=utterance_roles)
    content = models.TextField(_("content"), blank=True)
    spoken_at = models.DateTimeField(_("spoken at"), null=True, blank=True)
    seconds_from_start = models.FloatField(_("seconds from start"), null=True, blank=True)
    duration = models.FloatField(_("duration"), null=True, blank=True, help_text=_("seconds"))

    class Meta:
        verbose_name = _("utterance")
        verbose_name_plural = _("utterances")
        ordering = ("conversation", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("conversation", "position"), name="tavus_utterance_position"
            ),
        )

    def __str__(self) -> str:
        return f"{self.position}. {self.role}"


class Recording(models.Model):
    """A recording in the host's bucket, or the reason why there is none."""

    conversation = models.ForeignKey(
        Conversation,
        verbose_name=_("conversation"),
        on_delete=models.CASCADE,
        related_name="recordings",
    )
    storage_provider = models.CharField(_("storage provider"), max_length=32, blank=True)
    bucket_name = models.CharField(_("bucket name"), max_length=255, blank=True)
    key = models.TextField(_("key"), blank=True)
    uri = models.TextField(_("URI"), blank=True)
    duration = models.FloatField(_("duration"), null=True, blank=True, help_text=_("seconds"))
    error_message = models.TextField(_("error message"), blank=True)

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.uri or self.key or self.error_message or f"#{self.pk}"
