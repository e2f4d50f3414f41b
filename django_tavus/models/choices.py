"""The states that rows can be in.

Fields take these as callables, which a migration records by reference: a state that Tavus adds
tomorrow needs no migration, and one that we do not know yet survives in the column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise
else:
    StrOrPromise = Any

Choices = Sequence[tuple[str, StrOrPromise]]


class SyncState(models.TextChoices):
    """How a mirrored row stands towards its remote object."""

    IN_SYNC = "in_sync", _("in sync")
    PENDING = "pending", _("pending")
    FAILED = "failed", _("failed")
    GONE = "gone", _("gone")


class ConversationStatus(models.TextChoices):
    """The life of a conversation; it only ever moves forward."""

    QUEUED = "queued", _("queued")
    LAUNCHING = "launching", _("launching")
    ACTIVE = "active", _("active")
    ENDED = "ended", _("ended")
    FAILED = "failed", _("failed")


class ReplicaStatus(models.TextChoices):
    """The life of a replica."""

    TRAINING = "training", _("training")
    READY = "ready", _("ready")
    ERROR = "error", _("error")


class ObjectType(models.TextChoices):
    """Whose a persona or replica is: the account's, or Tavus's stock."""

    USER = "user", _("user")
    SYSTEM = "system", _("system")


class DocumentStatus(models.TextChoices):
    """The life of a document in the knowledge base."""

    STARTED = "started", _("started")
    PROCESSING = "processing", _("processing")
    READY = "ready", _("ready")
    ERROR = "error", _("error")
    RECRAWLING = "recrawling", _("recrawling")


class PipelineMode(models.TextChoices):
    """How much of the pipeline Tavus runs for a persona."""

    FULL = "full", _("full")
    ECHO = "echo", _("echo")
    SPEECH_TO_SPEECH = "speech-to-speech", _("speech to speech")


class RetrievalStrategy(models.TextChoices):
    """How documents are searched during a conversation."""

    SPEED = "speed", _("speed")
    BALANCED = "balanced", _("balanced")
    QUALITY = "quality", _("quality")


class UtteranceRole(models.TextChoices):
    """Who speaks a turn of a transcript."""

    USER = "user", _("user")
    REPLICA = "replica", _("replica")
    TOOL = "tool", _("tool")


class EventSource(models.TextChoices):
    """How an event reached us."""

    CALLBACK = "callback", _("callback")
    RECONCILE = "reconcile", _("reconcile")


class EventStatus(models.TextChoices):
    """How far an event has been worked off."""

    RECEIVED = "received", _("received")
    PROCESSED = "processed", _("processed")
    FAILED = "failed", _("failed")
    REJECTED = "rejected", _("rejected")


def sync_states() -> Choices:
    """Return the choices of ``sync_state``."""
    return SyncState.choices


def conversation_statuses() -> Choices:
    """Return the choices of ``Conversation.status``."""
    return ConversationStatus.choices


def replica_statuses() -> Choices:
    """Return the choices of ``Replica.status``."""
    return ReplicaStatus.choices


def object_types() -> Choices:
    """Return the choices of ``replica_type`` and ``persona_type``."""
    return ObjectType.choices


def document_statuses() -> Choices:
    """Return the choices of ``Document.status``."""
    return DocumentStatus.choices


def pipeline_modes() -> Choices:
    """Return the choices of ``Persona.pipeline_mode``."""
    return PipelineMode.choices


def retrieval_strategies() -> Choices:
    """Return the choices of ``Conversation.document_retrieval_strategy``."""
    return RetrievalStrategy.choices


def utterance_roles() -> Choices:
    """Return the choices of ``Utterance.role``."""
    return UtteranceRole.choices


def event_sources() -> Choices:
    """Return the choices of ``WebhookEvent.source``."""
    return EventSource.choices


def event_statuses() -> Choices:
    """Return the choices of ``WebhookEvent.status``."""
    return EventStatus.choices
