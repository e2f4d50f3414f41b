"""Personas: how an agent behaves."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_tavus.models.base import PublishedObject, RemoteObjectQuerySet
from django_tavus.models.choices import ObjectType, PipelineMode, object_types, pipeline_modes
from django_tavus.models.document import Document
from django_tavus.models.replica import Replica


class PersonaQuerySet(RemoteObjectQuerySet["Persona"]):
    """Questions about many personas."""


class Persona(PublishedObject):
    """How an agent behaves at Tavus; newer Tavus texts call it a PAL."""

    persona_name = models.CharField(_("persona name"), max_length=255, blank=True)
    system_prompt = models.TextField(
        _("system prompt"), blank=True, help_text=_("Confidential: never shown to participants.")
    )
    context = models.TextField(_("context"), blank=True)
    greeting = models.TextField(_("greeting"), blank=True)
    pipeline_mode = models.CharField(
        _("pipeline mode"),
        max_length=32,
        choices=pipeline_modes,
        default=PipelineMode.FULL,
    )
    default_replica = models.ForeignKey(
        Replica,
        verbose_name=_("default replica"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="default_of",
    )
    documents = models.ManyToManyField(
        Document, verbose_name=_("documents"), blank=True, related_name="personas"
    )
    document_tags = models.JSONField(_("document tags"), default=list, blank=True)
    layers = models.JSONField(_("layers"), default=dict, blank=True)
    objectives_id = models.CharField(_("objectives id"), max_length=128, blank=True)
    guardrail_ids = models.JSONField(_("guardrail ids"), default=list, blank=True)
    persona_type = models.CharField(
        _("persona type"), max_length=16, choices=object_types, blank=True, db_index=True
    )

    # Internal. Write-only: sealed by services.secrets; what `layers` shows as asterisks.
    layer_secrets = models.TextField(blank=True, editable=False)

    objects = PersonaQuerySet.as_manager()

    class Meta:
        verbose_name = _("persona")
        verbose_name_plural = _("personas")
        ordering = ("persona_name", "pk")

    def __str__(self) -> str:
        return self.persona_name or self.tavus_id or f"#{self.pk}"

    @property
    def is_system(self) -> bool:
        """Whether it belongs to Tavus's stock, which nobody but Tavus can change."""
        return self.persona_type == ObjectType.SYSTEM
