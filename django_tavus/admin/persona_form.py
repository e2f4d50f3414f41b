"""The form of a persona."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from django_tavus.admin.form_fields import LayersField, ListField, ProseField
from django_tavus.admin.publishing_forms import PublishedForm
from django_tavus.models import Persona
from django_tavus.services import publishing

WIDE = {"class": "vLargeTextField"}


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
