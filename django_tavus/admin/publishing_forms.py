"""What the forms of personas, documents and replicas share: the services check and store.

A form never saves its instance. Only what was changed in it is published, so that a value which
came from Tavus in the meantime is not written over.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from django_tavus.admin.form_errors import add_service_errors
from django_tavus.services import publishing
from django_tavus.services.editable import editable_of

if TYPE_CHECKING:
    AnyForm = forms.ModelForm[Any]
else:
    AnyForm = forms.ModelForm


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
                add_service_errors(self, error, self.error_fields)
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
