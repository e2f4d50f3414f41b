"""The layers of a persona: known members are checked, unknown ones are kept and warned about.

The tables follow the provider's API file and the requests of its own command line (2026). Tavus
adds members faster than anybody can follow, so an unknown one is no error here; Tavus itself
refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from django_tavus.services.request_fields import (
    Validator,
    boolean,
    choice,
    strings,
    text,
    web_address,
)


def anything(_value: Any) -> None:
    """Accept every value."""


def number(value: Any) -> None:
    """Accept numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValidationError(_("Must be a number."), code="invalid")


def an_object(value: Any) -> None:
    """Accept objects with any members."""
    if not isinstance(value, Mapping):
        raise ValidationError(_("Must be an object."), code="invalid")


def objects(value: Any) -> None:
    """Accept lists of objects."""
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ValidationError(_("Must be a list of objects."), code="invalid")


LEVEL = choice("low", "medium", "high")

LAYERS: dict[str, dict[str, Validator]] = {
    "perception": {
        "perception_model": text(),
        "visual_awareness_queries": strings,
        "visual_tool_prompt": text(),
        "visual_tools": objects,
        "audio_awareness_queries": strings,
        "audio_tool_prompt": text(),
        "audio_tools": objects,
        "perception_analysis_queries": strings,
        "emotion_recognition": text(),
        "ambient_awareness_queries": strings,  # names of an older generation, still accepted
        "perception_tool_prompt": text(),
        "perception_tools": objects,
        "tool_prompt": text(),
    },
    "stt": {
        "stt_engine": text(),
        "hotwords": text(),  # one string with commas, also in answers
        "participant_pause_sensitivity": text(),
        "participant_interrupt_sensitivity": text(),
        "smart_turn_detection": boolean,
    },
    "conversational_flow": {
        "turn_detection_model": text(),
        "turn_taking_patience": LEVEL,
        "turn_commitment": LEVEL,
        "replica_interruptibility": LEVEL,
        "active_listening": text(),
        "voice_isolation": choice("off", "near"),
        "noise_cancellation": text(),
        "wake_phrase": text(),
        "sleep_phrase": text(),
        "idle_engagement": choice("off", "patient", "eager"),
    },
    "llm": {
        "model": text(),
        "base_url": web_address,
        "api_key": text(),
        "speculative_inference": boolean,
        "tools": objects,
        "headers": an_object,
        "extra_body": an_object,
        "default_query": an_object,
    },
    "tts": {
        "tts_engine": text(),
        "external_voice_id": text(),
        "api_key": text(),
        "voice_settings": an_object,  # differs by engine: "speed" is a number or a word
        "tts_emotion_control": anything,  # boolean; an example of the docs says "true"
        "tts_model_name": text(),
        "pronunciation_dictionary_id": text(),
        "playht_user_id": text(),
    },
    "transport": {"transport_type": text()},
    "sts": {},
    "conferencing": {
        "username": text(),
        "allowlist": strings,
        "whitelabel": anything,
        "email": text(),
    },
    "capabilities": {},
    "knowledge_base": {
        "rag_score_threshold": number,
        "rag_n_chunks": number,
        "rag_surrounding_chunk_radius": number,
    },
}
OPAQUE = frozenset({"sts", "capabilities"})
"""Layers of which no members are documented."""


def check(layers: Any) -> None:
    """Check the known members of ``layers``; null turns a layer or a member off.

    Raises:
        ValidationError: with one message for each wrong member, by its dotted name.
    """
    if not isinstance(layers, Mapping):
        raise ValidationError({"layers": _("Must be an object.")}, code="invalid")
    errors = [
        error for name, layer in layers.items() if name in LAYERS for error in _wrong(name, layer)
    ]
    flow = layers.get("conversational_flow")
    if isinstance(flow, Mapping) and flow.get("sleep_phrase") and not flow.get("wake_phrase"):
        errors.append(
            ValidationError(_("conversational_flow.sleep_phrase: needs a wake_phrase."), "invalid")
        )
    if errors:
        raise ValidationError({"layers": errors})


def _wrong(name: str, layer: Any) -> list[ValidationError]:
    if layer is None:
        return []
    if not isinstance(layer, Mapping):
        return [ValidationError(f"{name}: {_('Must be an object.')}", code="invalid")]
    errors = []
    for key, value in layer.items():
        try:
            if value is not None:
                LAYERS[name].get(key, anything)(value)
        except ValidationError as error:
            errors += [
                ValidationError(f"{name}.{key}: {line}", "invalid") for line in error.messages
            ]
    return errors


def unknown_members(layers: Any) -> list[str]:
    """Return the dotted names in ``layers`` that are not known here, for a warning."""
    if not isinstance(layers, Mapping):
        return []
    unknown = [str(name) for name in layers if name not in LAYERS]
    for name, known in LAYERS.items():
        layer = layers.get(name)
        if isinstance(layer, Mapping) and name not in OPAQUE:
            unknown += [f"{name}.{key}" for key in layer if key not in known]
    return unknown
