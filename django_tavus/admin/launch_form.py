"""The launch form: the fields of *Create Conversation*, checked by the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.admin import launching
from django_tavus.admin.form_errors import add_service_errors
from django_tavus.admin.form_fields import LinesField
from django_tavus.models import Conversation, Document
from django_tavus.services.request_fields import PROPERTIES, SENT_FIELDS
from django_tavus.services.requesting import check_launch

if TYPE_CHECKING:
    ConversationForm = forms.ModelForm[Conversation]
else:
    ConversationForm = forms.ModelForm


class DefaultOrNot(forms.NullBooleanSelect):
    """Yes, no, or what Tavus does when nothing is said."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.choices = [
            ("unknown", gettext_lazy("Tavus's default")),
            ("true", gettext_lazy("Yes")),
            ("false", gettext_lazy("No")),
        ]


def _number(key: str, label: Any, help_text: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=help_text, required=False, validators=[PROPERTIES[key]]
    )


def _switch(label: Any) -> forms.NullBooleanField:
    return forms.NullBooleanField(label=label, required=False, widget=DefaultOrNot)


NAMED_PROPERTIES = (
    "language",
    "max_call_duration",
    "participant_left_timeout",
    "participant_absent_timeout",
    "enable_recording",
    "enable_closed_captions",
    "apply_greenscreen",
)
"""Members of ``properties`` with a field of their own; the others are written as JSON."""

# The service names the provider's fields; the form has rows.
FORM_FIELDS = {"persona_id": "persona", "replica_id": "replica"}


class LaunchForm(ConversationForm):
    """Everything that may be said at the launch of a conversation."""

    launch_token = forms.UUIDField(
        initial=launching.new_token,
        widget=forms.HiddenInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("This form is out of date. Reload the page.")},
    )
    document_ids = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Documents"), queryset=Document.objects.known(), required=False
    )
    document_tags = LinesField(
        label=gettext_lazy("Document tags"), required=False, help_text=gettext_lazy("One a line.")
    )
    memory_stores = LinesField(
        label=gettext_lazy("Memory stores"), required=False, help_text=gettext_lazy("One a line.")
    )
    audio_only = _switch(gettext_lazy("Audio only"))
    require_auth = _switch(gettext_lazy("Private room"))
    language = forms.CharField(
        label=gettext_lazy("Language"),
        required=False,
        validators=[PROPERTIES["language"]],
        help_text=gettext_lazy("Full English name, such as spanish, or multilingual."),
    )
    max_call_duration = _number(
        "max_call_duration",
        gettext_lazy("Longest call"),
        gettext_lazy("Seconds. Tavus's default is one hour."),
    )
    participant_left_timeout = _number(
        "participant_left_timeout",
        gettext_lazy("End after leaving"),
        gettext_lazy("Seconds after everybody has left. Default: 30, so that a reload is no end."),
    )
    participant_absent_timeout = _number(
        "participant_absent_timeout",
        gettext_lazy("End if nobody comes"),
        gettext_lazy("Seconds after the launch; a private room's token lives as long."),
    )
    enable_recording = _switch(gettext_lazy("Recording"))
    enable_closed_captions = _switch(gettext_lazy("Closed captions"))
    apply_greenscreen = _switch(gettext_lazy("Green screen"))
    properties = forms.JSONField(
        label=gettext_lazy("Other properties"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60, "spellcheck": "false"}),
        help_text=gettext_lazy("JSON with Tavus's names, such as recording_storage."),
    )

    class Meta:
        model = Conversation
        fields = "__all__"
        widgets = {
            "test_mode": DefaultOrNot,
            "custom_greeting": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
            "conversational_context": forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}),
            "callback_url": forms.TextInput(attrs={"class": "vTextField"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("properties", None)  # an empty field, not "{}", is nothing said
        # Whoever joins is somebody; and the launch token guards launches owner by owner.
        self.fields["owner"].required = True

    def clean(self) -> dict[str, Any]:
        """Let the service look at the launch; nothing is stored here."""
        super().clean()
        if not self.errors:
            try:
                check_launch(**self.wish(), idempotency_key=launching.idempotency_key(self.token))
            except ValidationError as error:
                add_service_errors(self, error, FORM_FIELDS)
            except launching.REFUSALS as error:
                self.add_error(None, launching.refusal_text(error))
        return self.cleaned_data

    def launch(self) -> Conversation:
        """Store the launch; the same form twice is one conversation.

        Raises:
            ToolRefusedError: the last slot or minute went between the check and this.
        """
        return launching.launch_once(self.token, **self.wish())

    @property
    def token(self) -> str:
        """What makes two POSTs of this form one launch."""
        token: str = self.cleaned_data["launch_token"].hex
        return token

    def wish(self) -> dict[str, Any]:
        """Return the arguments of ``store_conversation``: only what was filled in."""
        given = {name: self.cleaned_data.get(name) for name in SENT_FIELDS}
        given["properties"] = self._properties()
        given["reference"] = self.cleaned_data.get("reference")
        given["metadata"] = self.cleaned_data.get("metadata")
        return {
            "persona": self.cleaned_data.get("persona"),
            "replica": self.cleaned_data.get("replica"),
            "owner": self.cleaned_data.get("owner"),
            "documents": self._documents(),
            **{name: value for name, value in given.items() if value not in (None, "", [], {})},
        }

    def _documents(self) -> list[Document]:
        """The chosen documents in the order in which they were chosen."""
        chosen = {str(d.pk): d for d in self.cleaned_data.get("document_ids") or ()}
        getlist = getattr(self.data, "getlist", self.data.get)
        posted = getlist(self.add_prefix("document_ids")) or ()
        return [chosen[pk] for pk in posted if pk in chosen]

    def _properties(self) -> Any:
        """The JSON, with the named fields over it; anything but an object is left to fail."""
        written = self.cleaned_data.get("properties") or {}
        if not isinstance(written, dict):
            return written
        named = {name: self.cleaned_data.get(name) for name in NAMED_PROPERTIES}
        return {**written, **{k: v for k, v in named.items() if v not in (None, "")}}


class AfterLaunchForm(ConversationForm):
    """What the site may still change after the launch: its own key and data."""

    def clean_metadata(self) -> Any:
        """Accept objects only."""
        metadata = self.cleaned_data.get("metadata")
        if metadata in (None, ""):
            return {}
        if not isinstance(metadata, dict):
            raise ValidationError(_("Must be an object."))
        return metadata
