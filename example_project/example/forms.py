"""What a visitor fills in to start a conversation."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.db.models import QuerySet

from django_tavus.models import Persona, Replica
from example.cast import interviewers
from example.interviews import DIFFICULTIES, LANGUAGES, MINUTES, plain_title, request_fields

FACES = 8
"""As many as one can choose from at a glance; an account may hold hundreds."""


def faces() -> QuerySet[Replica]:
    """Replicas that can be in a call."""
    ready: QuerySet[Replica] = Replica.objects.ready().filter(tavus_id__isnull=False)
    return ready.defer("remote")


class OnceForm(forms.Form):
    """A form whose button costs money: sent twice, it starts one conversation."""

    # Browsers fill forms in again on a reload, hidden fields too: then it would be the same form.
    once = forms.UUIDField(
        initial=uuid.uuid4, widget=forms.HiddenInput(attrs={"autocomplete": "off"})
    )

    @property
    def key(self) -> str:
        """The idempotency key of a valid form."""
        return f"form:{self.cleaned_data['once']}"


class StartForm(OnceForm):
    """Whom to talk to, and with which face where the persona has none of its own."""

    persona = forms.ModelChoiceField(Persona.objects.none())
    replica = forms.ModelChoiceField(Replica.objects.none(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["persona"].queryset = Persona.objects.known()  # type: ignore[attr-defined]
        self.fields["replica"].queryset = faces()  # type: ignore[attr-defined]

    def request_fields(self) -> dict[str, Any]:
        """Return the arguments of ``launch_conversation`` that a valid form asks for."""
        return {name: self.cleaned_data[name] for name in ("persona", "replica")}


class InterviewForm(OnceForm):
    """Who asks, for which position, how hard, in which language and for how long."""

    job = forms.CharField(
        label="Which job is it?",
        max_length=80,
        widget=forms.TextInput(attrs={"placeholder": "Nurse, line cook, data analyst …"}),
    )
    persona = forms.ModelChoiceField(
        Persona.objects.none(), label="Who leads it?", empty_label=None
    )
    replica = forms.ModelChoiceField(
        Replica.objects.none(),
        label="Whose face would you like to see?",
        widget=forms.RadioSelect,
        empty_label=None,
    )
    difficulty = forms.ChoiceField(
        label="How hard should it be?",
        choices=[(key, choice.label) for key, choice in DIFFICULTIES.items()],
        widget=forms.RadioSelect,
        initial="realistic",
    )
    language = forms.ChoiceField(
        label="In which language?",
        choices=[(key, choice.label) for key, choice in LANGUAGES.items()],
    )
    minutes = forms.TypedChoiceField(
        label="How long?",
        choices=[(minutes, f"{minutes} minutes") for minutes in MINUTES],
        coerce=int,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        personas = interviewers()
        shown = list(faces()[:FACES])
        self.fields["persona"].queryset = personas  # type: ignore[attr-defined]
        self.fields["replica"].queryset = faces().filter(  # type: ignore[attr-defined]
            pk__in=[replica.pk for replica in shown]
        )
        first = personas.first()
        self.initial.setdefault("persona", first and first.pk)
        self.initial.setdefault("replica", _usual_face(first, shown))

    def clean_job(self) -> str:
        """Return the title in one line."""
        title = plain_title(self.cleaned_data["job"])
        if not title:
            raise forms.ValidationError("Please name a job.", code="required")
        return title

    def request_fields(self) -> dict[str, Any]:
        """Return the arguments of ``launch_conversation`` that a valid form asks for."""
        data = self.cleaned_data
        names = ("job", "difficulty", "language", "minutes")
        wish = request_fields(**{name: data[name] for name in names})
        return {"persona": data["persona"], "replica": data["replica"], **wish}


def _usual_face(persona: Persona | None, shown: list[Replica]) -> int | None:
    usual = persona.default_replica_id if persona else None
    keys = [replica.pk for replica in shown]
    return usual if usual in keys else next(iter(keys), None)
