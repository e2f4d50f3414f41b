"""What a visitor fills in to start a conversation."""

from __future__ import annotations

from typing import Any

from django import forms

from django_tavus.models import Persona, Replica


class StartForm(forms.Form):
    """Whom to talk to, and with which face where the persona has none of its own."""

    persona = forms.ModelChoiceField(Persona.objects.none())
    replica = forms.ModelChoiceField(Replica.objects.none(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["persona"].queryset = Persona.objects.known()  # type: ignore[attr-defined]
        replicas = Replica.objects.ready().filter(tavus_id__isnull=False)
        self.fields["replica"].queryset = replicas  # type: ignore[attr-defined]
