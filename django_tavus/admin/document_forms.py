"""The forms of a document: before Tavus has it, and after."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from django_tavus.admin.form_fields import ListField
from django_tavus.admin.publishing_forms import PublishedForm
from django_tavus.models import Document
from django_tavus.services import object_fields


class DocumentForm(PublishedForm):
    """A document that Tavus has."""

    columns: ClassVar[tuple[str, ...]] = ("document_name", "tags")

    tags = ListField(
        label=gettext_lazy("Tags"),
        required=False,
        help_text=gettext_lazy("One a line. Personas and conversations can ask for a tag."),
    )

    class Meta:
        model = Document
        fields = "__all__"


class NewDocumentForm(DocumentForm):
    """A document before Tavus has it: its source too."""

    columns: ClassVar[tuple[str, ...]] = ("document_name", "tags", "document_url", "file", "crawl")
    error_fields: ClassVar[dict[str, str]] = {"crawl": "crawl_depth"}

    document_url = forms.CharField(
        label=gettext_lazy("Document URL"),
        required=False,
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "inputmode": "url"}),
        help_text=gettext_lazy("Public address of a file or website; or upload a file."),
    )
    crawl_depth = forms.IntegerField(
        label=gettext_lazy("Crawl depth"),
        required=False,
        help_text=gettext_lazy("1 to 10: how far the links of a website are followed."),
    )
    crawl_max_pages = forms.IntegerField(
        label=gettext_lazy("Crawl pages"),
        required=False,
        help_text=gettext_lazy("1 to 100: how many pages at most."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        crawl = self.instance.crawl or {}
        self.initial["crawl_depth"] = crawl.get("depth")
        self.initial["crawl_max_pages"] = crawl.get("max_pages")

    def check(self) -> None:
        """Check the document, and whether Tavus could fetch an uploaded one."""
        if "file" in self.changed_data and self.cleaned_data.get("file"):
            try:
                object_fields.upload(self.cleaned_data["file"])
            except ValidationError as error:
                raise ValidationError({"file": error.error_list}) from error
        super().check()

    def changes(self) -> dict[str, Any]:
        """Return what was changed; both numbers of the crawl are one column."""
        changes = super().changes()
        changes.pop("crawl", None)
        if not self.instance.pk or {"crawl_depth", "crawl_max_pages"} & set(self.changed_data):
            changes["crawl"] = self._crawl()
        if "file" in changes:
            changes["file"] = changes["file"] or ""  # False is what "clear" says
        return changes

    def _crawl(self) -> dict[str, int]:
        given = {
            "depth": self.cleaned_data.get("crawl_depth"),
            "max_pages": self.cleaned_data.get("crawl_max_pages"),
        }
        return {name: value for name, value in given.items() if value is not None}
