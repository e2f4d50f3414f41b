"""Documents in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_tavus.admin.displays import EMPTY, pretty_json, web_link
from django_tavus.admin.mirrors import REMOTE_FIELDSET, SYNC_FIELDSET, MirrorAdmin, ReadOnlyAdmin
from django_tavus.models import ConversationDocument, Document


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
    fieldsets = (
        (None, {"fields": ("document_name", "address", "file", "tag_list", "crawl_body")}),
        (
            _("Processing"),
            {"fields": ("status_badge", "progress", "error_message", "last_crawled_at")},
        ),
        SYNC_FIELDSET,
        REMOTE_FIELDSET,
    )

    @admin.display(description=_("document URL"))
    def address(self, obj: Document) -> SafeString | str:
        """Link to the file or website."""
        return web_link(obj.document_url)

    @admin.display(description=_("tags"))
    def tag_list(self, obj: Document) -> str:
        """Tags, separated by commas."""
        return ", ".join(map(str, obj.tags)) or EMPTY

    @admin.display(description=_("crawl"))
    def crawl_body(self, obj: Document) -> SafeString | str:
        """How far a website is followed."""
        return pretty_json(obj.crawl)


@admin.register(ConversationDocument)
class ConversationDocumentAdmin(ReadOnlyAdmin):
    """Which document was given to which conversation; not on the index page."""

    list_display = ("conversation", "position", "document")
    list_select_related = ("conversation", "document")
    search_fields = ("document__document_name", "document__tavus_id")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Leave it out of the index: it is read on the page of its conversation."""
        return False
