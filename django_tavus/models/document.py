"""Documents: the knowledge base."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_tavus.models.base import PolledObject, RemoteObjectQuerySet
from django_tavus.models.choices import DocumentStatus, document_statuses


class DocumentQuerySet(RemoteObjectQuerySet["Document"]):
    """Questions about many documents."""

    def ready(self) -> DocumentQuerySet:
        """Documents that a conversation can draw on."""
        return self.filter(status=DocumentStatus.READY)


class Document(PolledObject):
    """A file or website in the knowledge base at Tavus."""

    document_name = models.CharField(_("document name"), max_length=255, blank=True)
    document_url = models.TextField(
        _("document URL"), blank=True, help_text=_("Public address of the file or website.")
    )
    file = models.FileField(
        _("file"),
        upload_to="tavus/documents/",
        blank=True,
        help_text=_("Kept in this site's storage; Tavus is given its URL."),
    )
    tags = models.JSONField(_("tags"), default=list, blank=True)
    crawl = models.JSONField(
        _("crawl"), default=dict, blank=True, help_text=_("depth 1-10, max_pages 1-100")
    )
    status = models.CharField(
        _("status"),
        max_length=32,
        choices=document_statuses,
        default=DocumentStatus.STARTED,
        db_index=True,
        editable=False,
    )
    progress = models.PositiveSmallIntegerField(
        _("progress"), null=True, blank=True, editable=False, help_text=_("percent")
    )
    error_message = models.TextField(_("error message"), blank=True, editable=False)
    last_crawled_at = models.DateTimeField(
        _("last crawled at"), null=True, blank=True, editable=False
    )

    # Internal: these may change without notice.
    recrawl_requested_at = models.DateTimeField(null=True, blank=True, editable=False)
    recrawl_after = models.DateTimeField(null=True, blank=True, editable=False)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ("document_name", "pk")

    def __str__(self) -> str:
        return self.document_name or self.tavus_id or f"#{self.pk}"
