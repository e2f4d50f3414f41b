"""The forms of a replica: before Tavus has it, and after."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from django_tavus.admin.publishing_forms import PublishedForm
from django_tavus.models import Replica


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
