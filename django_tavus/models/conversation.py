"""Conversations: live video rooms, and the one way in which their state moves."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import (
    Case,
    Count,
    ExpressionWrapper,
    F,
    OuterRef,
    ProtectedError,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_tavus.models.base import RemoteObject, RemoteObjectQuerySet
from django_tavus.models.choices import (
    ConversationStatus,
    conversation_statuses,
    retrieval_strategies,
)
from django_tavus.models.document import Document
from django_tavus.models.event import WebhookEvent
from django_tavus.models.outbox import OutboxEntry
from django_tavus.models.persona import Persona
from django_tavus.models.replica import Replica

OVER = (ConversationStatus.ENDED, ConversationStatus.FAILED)
HOLDING_SLOT = (ConversationStatus.LAUNCHING, ConversationStatus.ACTIVE)
LIVE = (ConversationStatus.QUEUED, *HOLDING_SLOT)

# Where a conversation may come from on its way to a status, and what is announced on arrival.
# There is no way back: a late event never reopens what is over. ``queued -> active`` happens when
# a callback proves that a create went through whose answer never came.
FORWARD: dict[str, tuple[tuple[str, ...], str]] = {
    ConversationStatus.ACTIVE: (
        (ConversationStatus.QUEUED, ConversationStatus.LAUNCHING),
        "conversation_launched",
    ),
    ConversationStatus.ENDED: (LIVE, "conversation_ended"),
    ConversationStatus.FAILED: (
        (ConversationStatus.QUEUED, ConversationStatus.LAUNCHING),
        "conversation_failed",
    ),
}


class ConversationQuerySet(RemoteObjectQuerySet["Conversation"]):
    """Questions about many conversations, and their transitions."""

    def active(self) -> ConversationQuerySet:
        """Conversations with an open room."""
        return self.filter(status=ConversationStatus.ACTIVE)

    def live(self) -> ConversationQuerySet:
        """Conversations that are not over."""
        return self.filter(status__in=LIVE)

    def over(self) -> ConversationQuerySet:
        """Conversations that have ended or failed."""
        return self.filter(status__in=OVER)

    def holding_slot(self) -> ConversationQuerySet:
        """Conversations that count against the concurrency caps."""
        return self.filter(status__in=HOLDING_SLOT)

    def queue(self) -> ConversationQuerySet:
        """Waiting conversations, first come first."""
        return self.filter(status=ConversationStatus.QUEUED).order_by("created_at", "pk")

    def for_user(self, user: Any) -> ConversationQuerySet:
        """Conversations that belong to ``user``; none for somebody without an account."""
        return self.none() if user.pk is None else self.filter(owner_id=user.pk)

    def with_queue_position(self) -> ConversationQuerySet:
        """Annotate ``queue_position``: 1-based, null unless queued."""
        ahead = (
            Conversation.objects.filter(status=ConversationStatus.QUEUED)
            .filter(
                Q(created_at__lt=OuterRef("created_at"))
                | Q(created_at=OuterRef("created_at"), pk__lte=OuterRef("pk"))
            )
            .order_by()
            .values("status")
            .annotate(n=Count("pk"))
            .values("n")
        )
        position = Case(
            When(
                status=ConversationStatus.QUEUED,
                then=Coalesce(Subquery(ahead, output_field=models.IntegerField()), 1),
            ),
            default=None,
            output_field=models.IntegerField(),
        )
        return self.annotate(queue_position=position)

    def usage(self, *by: str, now: datetime | None = None) -> models.QuerySet[Any, dict[str, Any]]:
        """Call time by ``by`` (of ``day``, ``persona`` and ``owner``), from our own rows.

        Rows are dicts of ``by``, ``conversations`` (count) and ``call_time`` (timedelta); a call
        that is running counts until now. Tavus has no usage figures of its own.
        """
        until = Coalesce("ended_at", Value(now or timezone.now(), models.DateTimeField()))
        call_time = ExpressionWrapper(until - F("launched_at"), models.DurationField())
        launched = self.filter(launched_at__isnull=False).annotate(day=TruncDate("launched_at"))
        groups: models.QuerySet[Any, dict[str, Any]] = (
            launched.order_by(*by)
            .values(*by)
            .annotate(conversations=Count("pk"), call_time=Sum(call_time))
        )
        return groups

    def prunable(self, before: datetime) -> ConversationQuerySet:
        """Conversations that were over ``before`` and still hold what was said."""
        over_since = Q(ended_at__lt=before) | Q(ended_at__isnull=True, created_at__lt=before)
        return self.over().filter(over_since, pruned_at__isnull=True)

    def transition(
        self, pk: uuid.UUID, to: str, *, event: WebhookEvent | None = None, **values: Any
    ) -> OutboxEntry | None:
        """Move one conversation forward to ``active``, ``ended`` or ``failed``.

        One conditional UPDATE and the owed signal, in one transaction. Returns the outbox entry
        to send after commit, or ``None`` when the row was not where it can come from: someone
        else moved it, and the caller has lost.
        """
        sources, signal = FORWARD[to]
        with transaction.atomic(using=self.db, savepoint=False):
            moved = self.filter(pk=pk, status__in=sources).store(status=to, **values)
            if not moved:
                return None
            subject = Conversation(pk=pk)
            return OutboxEntry.objects.using(self.db).owe(signal, subject, event=event)

    def in_attempt_of(self, conversation: Conversation) -> ConversationQuerySet:
        """The row while it still is in the attempt that was read, without a room."""
        return self.filter(
            pk=conversation.pk,
            status=ConversationStatus.LAUNCHING,
            tavus_id__isnull=True,
            attempted_at=conversation.attempted_at,
        )

    def begin_attempt(self, pk: uuid.UUID, now: datetime, **values: Any) -> bool:
        """Take a queued conversation to ``launching`` and count the attempt, before its POST."""
        waiting = self.filter(
            pk=pk, status=ConversationStatus.QUEUED, end_requested_at__isnull=True
        )
        return bool(
            waiting.store(
                status=ConversationStatus.LAUNCHING,
                attempts=F("attempts") + 1,
                attempted_at=now,
                next_check_at=None,
                error_code="",
                error_message="",
                **values,
            )
        )

    def requeue(self, pk: uuid.UUID, *, not_before: datetime, code: str, message: str) -> bool:
        """Put a conversation back in line after an attempt that certainly made nothing."""
        launching = self.filter(pk=pk, status=ConversationStatus.LAUNCHING, tavus_id__isnull=True)
        return bool(
            launching.store(
                status=ConversationStatus.QUEUED,
                attempts=F("attempts") - 1,
                not_before=not_before,
                error_code=code,
                error_message=message,
            )
        )

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete, unless one of the rows is still live.

        Raises:
            ProtectedError: a room would go on costing money with nobody to end it.
        """
        refuse_live(self)
        return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


def refuse_live(rows: models.QuerySet[Conversation]) -> None:
    """Raise ``ProtectedError`` if any of ``rows`` is not over, here or as far as Tavus goes.

    Over here alone (``end_owed``) is what a callback told and nobody has confirmed yet.
    """
    live: set[models.Model] = set(rows.filter(Q(status__in=LIVE) | Q(end_owed=True)))
    if live:
        message = "A conversation that is not over cannot be deleted: end it first."
        raise ProtectedError(message, live)


class Conversation(RemoteObject):
    """A live video room at Tavus, from the wish to launch it to its transcript.

    The fields of *Create Conversation* stand under their own names; null and empty mean that the
    field was not set and is not sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tavus_conversations",
    )
    persona = models.ForeignKey(
        Persona,
        verbose_name=_("persona"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="conversations",
    )
    replica = models.ForeignKey(
        Replica,
        verbose_name=_("replica"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="conversations",
    )

    # The request, under the provider's names.
    conversation_name = models.CharField(_("conversation name"), max_length=255, blank=True)
    conversational_context = models.TextField(_("conversational context"), blank=True)
    custom_greeting = models.TextField(_("custom greeting"), blank=True)
    audio_only = models.BooleanField(_("audio only"), null=True, blank=True)
    test_mode = models.BooleanField(
        _("test mode"),
        null=True,
        blank=True,
        help_text=_("No cost: the conversation ends at once and the replica does not join."),
    )
    require_auth = models.BooleanField(_("private room"), null=True, blank=True)
    max_participants = models.PositiveSmallIntegerField(
        _("max participants"),
        null=True,
        blank=True,
        validators=[MinValueValidator(2)],
        help_text=_("The replica counts as one."),
    )
    memory_stores = models.JSONField(_("memory stores"), default=list, blank=True)
    documents: models.ManyToManyField[Document, ConversationDocument] = models.ManyToManyField(
        Document,
        verbose_name=_("documents"),
        through="ConversationDocument",
        blank=True,
        related_name="conversations",
    )
    document_tags = models.JSONField(_("document tags"), default=list, blank=True)
    document_retrieval_strategy = models.CharField(
        _("document retrieval strategy"),
        max_length=16,
        choices=retrieval_strategies,
        blank=True,
    )
    properties = models.JSONField(_("properties"), default=dict, blank=True)
    callback_url = models.TextField(
        _("callback URL"), blank=True, help_text=_("Blank: this site's own.")
    )

    # What became of it.
    status = models.CharField(
        _("status"),
        max_length=16,
        choices=conversation_statuses,
        default=ConversationStatus.QUEUED,
        editable=False,
    )
    conversation_url = models.TextField(_("conversation URL"), blank=True, editable=False)
    meeting_token = models.TextField(_("meeting token"), blank=True, editable=False)
    launched_at = models.DateTimeField(_("launched at"), null=True, blank=True, editable=False)
    joined_at = models.DateTimeField(_("joined at"), null=True, blank=True, editable=False)
    end_requested_at = models.DateTimeField(
        _("end requested at"), null=True, blank=True, editable=False
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)
    shutdown_reason = models.CharField(
        _("shutdown reason"), max_length=255, blank=True, editable=False
    )
    error_code = models.CharField(_("error code"), max_length=64, blank=True, editable=False)
    error_message = models.TextField(_("error message"), blank=True, editable=False)
    perception_analysis = models.TextField(_("perception analysis"), blank=True, editable=False)

    # The host's own.
    reference = models.CharField(
        _("reference"),
        max_length=255,
        blank=True,
        db_index=True,
        help_text=_("The site's own key, such as lead:42."),
    )
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)

    # Internal: these may change without notice.
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    attempted_at = models.DateTimeField(null=True, blank=True, editable=False)
    name_key = models.CharField(max_length=255, blank=True, editable=False)
    not_before = models.DateTimeField(null=True, blank=True, editable=False)
    next_check_at = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    checks_made = models.PositiveIntegerField(default=0, editable=False)
    end_owed = models.BooleanField(default=False, db_index=True, editable=False)
    ending_at = models.DateTimeField(null=True, blank=True, editable=False)
    orphan_ids = models.JSONField(default=list, blank=True, editable=False)
    shutdown_seen = models.BooleanField(default=False, editable=False)
    turns = models.PositiveIntegerField(_("turns"), null=True, blank=True, editable=False)
    left_at = models.DateTimeField(null=True, blank=True, editable=False)
    erase_requested_at = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    pruned_at = models.DateTimeField(null=True, blank=True, editable=False)
    polled_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Whether one was asked for: it may be deleted while the launch waits.
    with_persona = models.BooleanField(default=False, editable=False)
    with_replica = models.BooleanField(default=False, editable=False)
    # Hashes, of key and owner and of what was asked for: texts would meet others that a database
    # takes for equal (MariaDB: letters of either case), and no owner would be nobody's double.
    idempotency_key = models.CharField(
        max_length=64, null=True, blank=True, unique=True, editable=False
    )
    idempotency_digest = models.CharField(max_length=64, blank=True, editable=False)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ("-created_at", "-id")
        permissions = (
            ("launch_conversation", "Can launch a conversation"),
            ("end_conversation", "Can end a conversation"),
            ("erase_conversation", "Can erase a conversation here and at Tavus"),
            ("view_transcript", "Can view the transcript of a conversation"),
        )
        indexes = (
            models.Index(fields=("-created_at", "-id"), name="tavus_conv_newest"),
            models.Index(fields=("status", "created_at"), name="tavus_conv_status"),
            models.Index(fields=("owner", "-created_at"), name="tavus_conv_owner"),
        )

    def __str__(self) -> str:
        return self.conversation_name or self.tavus_id or str(self.pk)

    def get_absolute_url(self) -> str:
        """Return the path of the room page."""
        return reverse("django_tavus:room", kwargs={"pk": self.pk})

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be said in it."""
        return self.status in OVER

    @property
    def is_joinable(self) -> bool:
        """Whether there is a room that can be entered."""
        is_open = self.status == ConversationStatus.ACTIVE and bool(self.conversation_url)
        # Tavus promises a token for the field itself, and is silent on its twin in properties.
        return is_open and (bool(self.meeting_token) or not self.require_auth)

    @property
    def duration(self) -> int | None:
        """Whole seconds from launch to end; ``None`` before the end."""
        if self.launched_at is None or self.ended_at is None:
            return None
        return max(0, int((self.ended_at - self.launched_at) / timedelta(seconds=1)))

    @property
    def is_in_doubt(self) -> bool:
        """Whether it is unknown if Tavus has made the room that we asked for."""
        return self.status == ConversationStatus.LAUNCHING and self.error_code == "outcome_unknown"

    @property
    def room_url(self) -> str:
        """Where to join: ``conversation_url``, with the token that a private room asks for."""
        if not self.meeting_token:
            return self.conversation_url
        separator = "&" if "?" in self.conversation_url else "?"
        return f"{self.conversation_url}{separator}t={self.meeting_token}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete, unless it is still live.

        Raises:
            ProtectedError: the room would go on costing money with nobody to end it.
        """
        refuse_live(type(self)._default_manager.using(kwargs.get("using")).filter(pk=self.pk))
        return super().delete(*args, **kwargs)


class ConversationDocument(models.Model):
    """A document given to one conversation, in the order in which it was given."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="conversation_documents"
    )
    document = models.ForeignKey(
        Document, on_delete=models.CASCADE, related_name="conversation_documents"
    )
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("document of a conversation")
        verbose_name_plural = _("documents of a conversation")
        ordering = ("conversation", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("conversation", "document"), name="tavus_conversation_document"
            ),
        )

    def __str__(self) -> str:
        return f"{self.position}. {self.document_id}"
