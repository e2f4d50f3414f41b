"""What may be published: the rules of the provider, checked before anything is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from django_tavus.models import Document, Persona, Replica
from django_tavus.models.base import PublishedObject
from django_tavus.models.choices import PipelineMode, SyncState
from django_tavus.services import documents, layers
from django_tavus.services.request_fields import strings, text, web_address

Errors = dict[str, Any]
PROMPTLESS = (PipelineMode.ECHO, PipelineMode.SPEECH_TO_SPEECH)
"""Pipelines without a language model of the persona's own: Tavus refuses a prompt."""


def check(obj: PublishedObject) -> None:
    """Check an object as it would be published.

    Raises:
        ValidationError: with a dict that names the provider's fields (``file`` is our own).
    """
    errors: Errors = {}
    RULES[type(obj)](obj, errors)
    if errors:
        raise ValidationError(errors)


def check_changeable(obj: PublishedObject) -> None:
    """Refuse to change or delete what is not the account's own.

    Raises:
        ValidationError: code ``system``.
    """
    if obj.is_system:
        raise ValidationError(
            _("This belongs to Tavus's stock: it cannot be changed or deleted."), code="system"
        )


def check_present(obj: PublishedObject) -> None:
    """Refuse to change what Tavus no longer has.

    Raises:
        ValidationError: code ``gone``.
    """
    if obj.sync_state == SyncState.GONE:
        raise ValidationError(_("This no longer exists at Tavus."), code="gone")


def _try(errors: Errors, name: str, check_value: Callable[[Any], None], value: Any) -> None:
    try:
        check_value(value)
    except ValidationError as error:
        errors[name] = error.error_dict["layers"] if name == "layers" else error.error_list


def _persona(persona: Any, errors: Errors) -> None:
    _try(errors, "persona_name", text(255), persona.persona_name)
    for name in ("system_prompt", "context", "greeting", "objectives_id"):
        _try(errors, name, text(), getattr(persona, name))
    for name in ("document_tags", "guardrail_ids"):
        _try(errors, name, strings, getattr(persona, name))
    _try(errors, "layers", layers.check, persona.layers)
    _prompt(persona, errors)
    replica = persona.default_replica
    if replica is not None and replica.sync_state == SyncState.GONE:
        errors["default_replica_id"] = _("This replica no longer exists at Tavus.")


def _prompt(persona: Persona, errors: Errors) -> None:
    if persona.pipeline_mode not in PipelineMode.values and not persona.tavus_id:
        message = _("Must be one of: %(allowed)s.")
        errors["pipeline_mode"] = message % {"allowed": ", ".join(PipelineMode.values)}
    elif persona.pipeline_mode in PROMPTLESS:
        for name in ("system_prompt", "context"):
            if getattr(persona, name):
                message = _("Must be empty in the pipeline mode “%(mode)s”.")
                errors[name] = message % {"mode": persona.pipeline_mode}
    elif not str(persona.system_prompt).strip():
        errors["system_prompt"] = _("Is required in the pipeline mode “full”.")


def _document(document: Any, errors: Errors) -> None:
    _try(errors, "document_name", text(255), document.document_name)
    _try(errors, "tags", strings, document.tags)
    if document.tavus_id:
        return
    if document.file and document.document_url:
        errors["document_url"] = _("Give a URL or a file, not both.")
        return
    if document.file:
        _try(errors, "file", documents.check_file, document.file)
    elif not document.document_url:
        errors["document_url"] = _("Give a URL or a file.")
    elif not documents.is_reachable(document.document_url):
        errors["document_url"] = _("Must be a URL that begins with http:// or https://.")
    if document.crawl:
        _try(errors, "crawl", documents.check_crawl, document.crawl)
        if document.file:
            errors["crawl"] = _("Only a website can be crawled.")


def _replica(replica: Any, errors: Errors) -> None:
    _try(errors, "replica_name", text(255), replica.replica_name)
    if replica.tavus_id:
        if not replica.replica_name:
            errors["replica_name"] = _("A replica cannot lose its name.")
        return
    for name in ("train_video_url", "train_image_url", "consent_video_url"):
        _try(errors, name, web_address, getattr(replica, name))
    if bool(replica.train_video_url) == bool(replica.train_image_url):
        message = _("Give either train_video_url or train_image_url.")
        errors.setdefault("train_video_url", message)
    elif replica.train_image_url and not replica.voice_name:
        errors["voice_name"] = _("Is required with train_image_url.")


RULES: dict[type[PublishedObject], Callable[[Any, Errors], None]] = {
    Persona: _persona,
    Document: _document,
    Replica: _replica,
}
