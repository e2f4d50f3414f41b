"""The record of a launch, on the change page: what was asked for, and what may still be changed."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from django_tavus.admin.columns import by_commas, column
from django_tavus.admin.displays import EMPTY, pretty_json
from django_tavus.admin.object_tools import AnyModelAdmin, Fieldset
from django_tavus.models import Conversation

OURS = ("reference", "metadata")
"""What the site may still change after the launch."""

# Who and with whom is always shown; of the other request fields, under their columns, those that
# were set.
ALWAYS_SHOWN = ("persona", "replica", "owner")
SHOWN_IF_SET = {
    "conversation_name": "conversation_name",
    "conversational_context": "conversational_context",
    "custom_greeting": "custom_greeting",
    "audio_only": "audio_only",
    "test_mode": "test_mode",
    "require_auth": "require_auth",
    "max_participants": "max_participants",
    "document_tags": "document_tag_list",
    "document_retrieval_strategy": "document_retrieval_strategy",
    "memory_stores": "memory_store_list",
    "properties": "properties_body",
    "callback_url": "callback_url",
}
SYNC_FIELDS = ("tavus_id", "sync_state", "sync_error", "synced_at", "updated_at")
READ_ONLY = (*ALWAYS_SHOWN, *SHOWN_IF_SET.values(), "document_list", *SYNC_FIELDS)
"""Nothing of a launched conversation can be changed but the site's own fields."""


def change_fieldsets(conversation: Conversation) -> tuple[Fieldset, ...]:
    """Return the record of the launch, without what nobody asked for."""
    asked = [
        shown
        for field, shown in SHOWN_IF_SET.items()
        if getattr(conversation, field) not in (None, "", [], {})
    ]
    request = (*ALWAYS_SHOWN, *asked, "document_list")
    return (
        (gettext_lazy("This site's own"), {"fields": OURS}),
        (gettext_lazy("Request"), {"fields": request}),
        (gettext_lazy("Sync"), {"fields": SYNC_FIELDS, "classes": ("collapse",)}),
    )


class LaunchRecord(AnyModelAdmin):
    """The fields of the record that are no plain columns."""

    @admin.display(description=gettext_lazy("documents"))
    def document_list(self, obj: Conversation) -> SafeString | str:
        """The documents that it draws on, in their order."""
        links = obj.conversation_documents.select_related("document").defer("document__remote")
        rows = [(str(link.document),) for link in links.order_by("position")]
        return format_html_join(", ", "{}", rows) or EMPTY

    document_tag_list = column("document_tags", gettext_lazy("document tags"), by_commas)
    memory_store_list = column("memory_stores", gettext_lazy("memory stores"), by_commas)
    properties_body = column("properties", gettext_lazy("properties"), pretty_json)
