"""The forms of personas, documents and replicas: the services check them, and store them.

A form never saves its instance. Only what was changed in it is published, so that a value which
came from Tavus in the meantime is not written over.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.admin.launch_form import LinesField
from django_tavus.client import MASK
from django_tavus.models import Document, Persona, Replica
from django_tavus.services import object_fields, publishing, secrets
from django_tavus.services.editable import editable_of
from django_tavus.services.request_fields import plain_object

if TYPE_CHECKING:
    AnyForm = forms.ModelForm[Any]
else:
    AnyForm = forms.ModelForm

WIDE = {"class": "vLargeTextField"}


# --- fields -------------------------------------------------------------------------------------


class ProseField(forms.CharField):
    """Text that is kept as it is; browsers turn every line break into CR LF."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"strip": False, "required": False, **kwargs})

    def to_python(self, value: Any) -> str:
        """Return the text with plain line breaks."""
        return str(super().to_python(value)).replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether more than line breaks differs."""
        return self.to_python(initial) != self.to_python(data)


class ListField(LinesField):
    """A list of strings that is there already, one a line."""

    def prepare_value(self, value: Any) -> Any:
        """Return the lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value


_SECRET_TEXT = re.compile(
    r"""(?ix)("[\w-]*(?:key|token|secret|password|authorization|cookie)[\w-]*"\s*:\s*")
    (?:[^"\\]|\\.)*"""
)


class LayersField(forms.JSONField):
    """Layers: secrets go in, and never come out again, not even when the form is wrong."""

    widget = forms.Textarea(
        attrs={"rows": 16, "class": "vLargeTextField tavus-code", "spellcheck": "false"}
    )

    def to_python(self, value: Any) -> Any:
        """Return the object; nothing written is an empty one."""
        return super().to_python(value) or {}

    def validate(self, value: Any) -> None:
        """Accept an object that every database can hold."""
        plain_object(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what was posted, without its secrets where it is no JSON."""
        bound = super().bound_data(data, initial)
        if isinstance(bound, str) and not isinstance(bound, Mapping):
            return type(bound)(_SECRET_TEXT.sub(rf"\g<1>{MASK}", bound))
        return bound

    def prepare_value(self, value: Any) -> Any:
        """Return indented JSON with masks in the place of secrets."""
        if isinstance(value, Mapping):
            return json.dumps(secrets.mask(value), indent=2, ensure_ascii=False) if value else ""
        return value


# --- the base -----------------------------------------------------------------------------------


class PublishedForm(AnyForm):
    """A form whose rules and whose storing are the business of ``services.publishing``."""

    columns: ClassVar[tuple[str, ...]] = ()
    """What is published, of the fields that the page shows."""
    error_fields: ClassVar[dict[str, str]] = {}
    """Field of the form by the provider's name, where they differ."""

    edition = forms.CharField(
        required=False,
        # A second click on a form that is on its way would train a second replica.
        widget=forms.HiddenInput(attrs={"autocomplete": "off", "data-tavus-once": ""}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warnings: list[str] = []
        self.initial["edition"] = self._edition()

    def clean(self) -> dict[str, Any]:
        """Let the service look at the outcome; nothing is stored here."""
        super().clean()
        if self._is_outdated():
            message = _(
                "This has changed since the page was opened. Copy what you wrote and reload it."
            )
            self.add_error(None, ValidationError(message, code="outdated"))
        elif not self.errors:
            try:
                self.check()
            except ValidationError as error:
                self._name_errors(error)
        return self.cleaned_data

    def check(self) -> None:
        """Check what would be published.

        Raises:
            ValidationError: naming the provider's fields.
        """
        self.warnings = publishing.prepare(self.fresh(), **self.changes())

    def fresh(self) -> Any:
        """Return the row as it is stored; the form has written into its own copy."""
        model: Any = self._meta.model
        return model.objects.get(pk=self.instance.pk) if self.instance.pk else model()

    def changes(self) -> dict[str, Any]:
        """Return what was changed, by the names of our columns."""
        changed = self.changed_data if self.instance.pk else self.fields
        return {
            name: self.cleaned_data[name]
            for name in self.columns
            if name in changed and name in self.cleaned_data
        }

    def publish(self) -> Any:
        """Store what was changed, and return the row.

        Raises:
            ValidationError: something has happened since the form was checked.
        """
        if not self.instance.pk:
            return publishing.create(self._meta.model, **self.changes())
        row = self.fresh()
        if changes := self.changes():
            publishing.edit(row, **changes)
        return row

    def _edition(self) -> str:
        """A digest of what can be edited, as it is stored."""
        if not self.instance.pk:
            return ""
        version = editable_of(self.instance).of_row(self.instance)
        return hashlib.sha256(json.dumps(version, sort_keys=True).encode()).hexdigest()

    def _is_outdated(self) -> bool:
        posted = self.cleaned_data.get("edition")
        return bool(self.instance.pk and posted and posted != self.initial["edition"])

    def _name_errors(self, error: ValidationError) -> None:
        """Put the service's errors at the fields that the form has for them."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            field = self.error_fields.get(name, name)
            if field in self.fields:
                self.add_error(field, errors)
            else:
                texts = ValidationError(errors).messages
                self.add_error(None, [f"{name}: {text}" for text in texts])


# --- personas -----------------------------------------------------------------------------------


class PersonaForm(PublishedForm):
    """A persona."""

    columns = tuple(sorted(publishing.EDITABLE_FIELDS[Persona]))
    error_fields: ClassVar[dict[str, str]] = {
        "default_replica_id": "default_replica",
        "document_ids": "documents",
    }

    system_prompt = ProseField(
        label=gettext_lazy("System prompt"),
        widget=forms.Textarea(attrs={**WIDE, "rows": 12}),
        help_text=gettext_lazy(
            "Confidential: never shown to participants. Required in the pipeline mode “full”."
        ),
    )
    context = ProseField(
        label=gettext_lazy("Context"), widget=forms.Textarea(attrs={**WIDE, "rows": 4})
    )
    greeting = ProseField(
        label=gettext_lazy("Greeting"), widget=forms.Textarea(attrs={**WIDE, "rows": 2})
    )
    document_tags = ListField(
        label=gettext_lazy("Document tags"), required=False, help_text=gettext_lazy("One a line.")
    )
    guardrail_ids = ListField(
        label=gettext_lazy("Guardrail ids"), required=False, help_text=gettext_lazy("One a line.")
    )
    layers = LayersField(
        label=gettext_lazy("Layers"),
        required=False,
        help_text=gettext_lazy(
            "JSON with Tavus's names. Keys and tokens are sent to Tavus and never shown again: "
            "leave the asterisks to keep one, write over them to replace it."
        ),
    )

    class Meta:
        model = Persona
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mode: Any = self.fields.get("pipeline_mode")
        current = self.instance.pipeline_mode
        if mode is not None and current not in dict(mode.choices):  # Tavus's own invention
            mode.choices = [*mode.choices, (current, current)]

    def _get_validation_exclusions(self) -> set[str]:
        """Leave the mode to the service: the model knows today's modes only."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"pipeline_mode"}

    def changes(self) -> dict[str, Any]:
        """Return what was changed; the documents as a list."""
        changes = super().changes()
        if "documents" in changes:
            changes["documents"] = list(changes["documents"])
        return changes


# --- documents ----------------------------------------------------------------------------------


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


# --- replicas -----------------------------------------------------------------------------------


class ReplicaForm(PublishedForm):
    """A replica that Tavus has: it can be renamed."""

    columns: ClassVar[tuple[str, ...]] = ("replica_name",)

    class Meta:
        model = Replica
        fields = "__all__"


def _address(label: Any, help_text: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"class": "vLargeTextField", "inputmode": "url"})
    return forms.CharField(label=label, help_text=help_text, required=False, widget=widget)


class NewReplicaForm(ReplicaForm):
    """A replica before Tavus has it: what it is trained from."""

    columns: ClassVar[tuple[str, ...]] = (
        "replica_name",
        "model_name",
        "train_video_url",
        "train_image_url",
        "voice_name",
        "consent_video_url",
    )

    train_video_url = _address(
        gettext_lazy("Training video"),
        gettext_lazy("Public address of the video; or give an image and a voice."),
    )
    train_image_url = _address(
        gettext_lazy("Training image"), gettext_lazy("Public address of the image.")
    )
    consent_video_url = _address(
        gettext_lazy("Consent video"),
        gettext_lazy("Public address of the video in which the person agrees."),
    )
