"""What every mirror of a remote object has."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_tavus.models.choices import SyncState, sync_states


class RemoteObject(models.Model):
    """A row that mirrors an object at Tavus.

    Columns exist only for what is filtered, sorted, joined, edited or listed; everything else that
    Tavus says lies in ``remote``.
    """

    tavus_id = models.CharField(
        _("Tavus id"), max_length=128, null=True, blank=True, unique=True, editable=False
    )
    remote = models.JSONField(_("remote body"), default=dict, blank=True, editable=False)
    sync_state = models.CharField(
        _("sync state"),
        max_length=16,
        choices=sync_states,
        default=SyncState.PENDING,
        db_index=True,
        editable=False,
    )
    sync_error = models.TextField(_("sync error"), blank=True, editable=False)
    synced_at = models.DateTimeField(_("synced at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True, editable=False)
    heard_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class PublishedObject(RemoteObject):
    """A mirror that is edited here too: what is to be told to Tavus, and how far that has come.

    A push is owed while ``push_due_at`` is set. ``revision`` counts the edits, so that a push
    which ends after a newer edit does not call the row in sync.
    """

    # Internal: these may change without notice.
    revision = models.PositiveIntegerField(default=0, editable=False)
    push_due_at = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    pushing_until = models.DateTimeField(null=True, blank=True, editable=False)
    push_attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    create_attempted_at = models.DateTimeField(null=True, blank=True, editable=False)
    creates = models.PositiveSmallIntegerField(default=0, editable=False)
    delete_requested_at = models.DateTimeField(null=True, blank=True, editable=False)
    delete_hard = models.BooleanField(default=False, editable=False)
    conflicts = models.JSONField(default=list, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_system(self) -> bool:
        """Whether it belongs to Tavus's stock, which nobody but Tavus can change."""
        return False

    @property
    def is_edited(self) -> bool:
        """Whether the columns may hold edits that Tavus does not know yet."""
        return self.push_due_at is not None or self.sync_state == SyncState.FAILED


class PolledObject(PublishedObject):
    """A published object that Tavus works on for a while, and is asked about until it is done."""

    next_poll_at = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    polls = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True


RemoteModel = TypeVar("RemoteModel", bound=RemoteObject)


class RemoteObjectQuerySet(models.QuerySet[RemoteModel]):
    """Questions that are the same for every mirrored model."""

    def known(self) -> RemoteObjectQuerySet[RemoteModel]:
        """Rows that exist at Tavus as far as we know."""
        return self.filter(tavus_id__isnull=False).exclude(sync_state=SyncState.GONE)

    def by_key(self, key: str) -> RemoteObjectQuerySet[RemoteModel]:
        """Rows named by ``key``: digits are our primary key, anything else a Tavus id."""
        return self.filter(pk=int(key)) if is_primary_key(key) else self.filter(tavus_id=key)

    def store(self, **values: Any) -> int:
        """``update()`` that also moves ``updated_at``; returns the number of rows."""
        return self.update(**{"updated_at": timezone.now(), **values})


def is_primary_key(key: str) -> bool:
    """Whether ``key`` is one of our integer keys; Tavus ids begin with a letter or hold one."""
    return key.isascii() and key.isdigit() and len(key) <= 18
