"""Replicas: the faces and voices."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_tavus.models.base import PolledObject, RemoteObjectQuerySet
from django_tavus.models.choices import ObjectType, ReplicaStatus, object_types, replica_statuses


class ReplicaQuerySet(RemoteObjectQuerySet["Replica"]):
    """Questions about many replicas."""

    def ready(self) -> ReplicaQuerySet:
        """Replicas that can be used in a conversation."""
        return self.filter(status=ReplicaStatus.READY)


class Replica(PolledObject):
    """A face and voice at Tavus; newer Tavus texts call it a Face."""

    replica_name = models.CharField(_("replica name"), max_length=255, blank=True)
    status = models.CharField(
        _("status"),
        max_length=32,
        choices=replica_statuses,
        default=ReplicaStatus.TRAINING,
        db_index=True,
        editable=False,
    )
    training_progress = models.PositiveSmallIntegerField(
        _("training progress"), null=True, blank=True, editable=False, help_text=_("percent")
    )
    replica_type = models.CharField(
        _("replica type"), max_length=16, choices=object_types, blank=True, db_index=True
    )
    model_name = models.CharField(_("model name"), max_length=64, blank=True)
    thumbnail_video_url = models.TextField(_("thumbnail video URL"), blank=True)
    train_video_url = models.TextField(_("training video URL"), blank=True)
    train_image_url = models.TextField(_("training image URL"), blank=True)
    voice_name = models.CharField(_("voice name"), max_length=255, blank=True)
    consent_video_url = models.TextField(_("consent video URL"), blank=True)
    error_message = models.TextField(_("error message"), blank=True, editable=False)

    objects = ReplicaQuerySet.as_manager()

    class Meta:
        verbose_name = _("replica")
        verbose_name_plural = _("replicas")
        ordering = ("replica_name", "pk")

    def __str__(self) -> str:
        return self.replica_name or self.tavus_id or f"#{self.pk}"

    @property
    def is_system(self) -> bool:
        """Whether it belongs to Tavus's stock, which nobody but Tavus can change."""
        return self.replica_type == ObjectType.SYSTEM
