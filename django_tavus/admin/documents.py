"""Documents in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_tavus.admin.columns import by_commas, column, or_dash
from django_tavus.admin.displays import pretty_json, web_link
from django_tavus.admin.document_forms import DocumentForm, NewDocumentForm
from django_tavus.admin.mirrors import MirrorAdmin
from django_tavus.admin.object_tools import ObjectTool
from django_tavus.admin.publishing_tools import PUBLISH_TOOLS, refusable
from django_tavus.admin.read_only import ReadOnlyAdmin
from django_tavus.models import ConversationDocument, Document
from django_tavus.services import documents


def why_no_recrawl(document: Document) -> str:
    """Return why Tavus would not crawl ``document`` again now; empty if it would."""
    try:
        documents.check_recrawl(document)
    except documents.RecrawlRefusedError as error:
        return error.message
    return ""


@admin.register(Document)
class DocumentAdmin(MirrorAdmin):
    """The knowledge base."""

    sync_kind = "documents"
    list_display = (
        "__str__",
        "status_badge",
        "progress",
        "tag_list",
        "last_crawled_at",
        "tavus_id",
        "sync_badge",
        "updated_at",
    )
    list_filter = ("status", "sync_state")
    search_fields = ("document_name", "document_url", "tavus_id")
    date_hierarchy = "created_at"
    object_tools = (
        ObjectTool(
            name="recrawl",
            label=_("Recrawl"),
            permission="publish",
            is_shown=lambda document: bool(document.crawl) and not document.delete_requested_at,
            refusal=why_no_recrawl,
            run=refusable(documents.recrawl, _("Tavus is being asked to crawl it again.")),
        ),
        *PUBLISH_TOOLS,
    )
    new_form = NewDocumentForm
    edit_form = DocumentForm
    new_fieldsets = (
        (None, {"fields": ("edition", "document_name", "document_url", "file", "tags")}),
        (_("Crawl a website"), {"fields": (("crawl_depth", "crawl_max_pages"),)}),
    )
    edit_fieldsets = ((None, {"fields": ("edition", "document_name", "tags")}),)
    state_fieldsets = (
        (_("Source"), {"fields": ("address", "stored_file", "crawl_body")}),
        (
            _("Processing"),
            {"fields": ("status_badge", "progress", "error_message", "last_crawled_at")},
        ),
    )
    shown_fieldsets = ((None, {"fields": ("document_name", "tag_list")}), *state_fieldsets)

    stored_file = column("file", _("file"), or_dash)
    address = column("document_url", _("document URL"), web_link)
    tag_list = column("tags", _("tags"), by_commas)
    crawl_body = column("crawl", _("crawl"), pretty_json)


@admin.register(ConversationDocument)
class ConversationDocumentAdmin(ReadOnlyAdmin):
    """Which document was given to which conversation; not on the index page."""

    list_display = ("conversation", "position", "document")
    list_select_related = ("conversation", "document")
    search_fields = ("document__document_name", "document__tavus_id")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Leave it out of the index: it is read on the page of its conversation."""
        return False
