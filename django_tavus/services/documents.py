"""Documents: what Tavus can read, where it reads it from, and crawling it again."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from django_tavus.conf import get_settings
from django_tavus.models import Document
from django_tavus.models.choices import DocumentStatus, SyncState
from django_tavus.services.enqueue import enqueue

# By the docs of Tavus, the last three by its own command line.
FILE_TYPES = (
    *("pdf", "txt", "docx", "doc", "png", "jpg", "pptx", "csv", "xlsx"),
    *("jpeg", "md", "json"),
)
MAX_BYTES = 50 * 1024 * 1024
CRAWL_LIMITS = {"depth": (1, 10), "max_pages": (1, 100)}
COOLDOWN = timedelta(hours=1)
"""Between two crawls of one document."""
CRAWLABLE = (DocumentStatus.READY, DocumentStatus.ERROR)


class RecrawlRefusedError(Exception):
    """A recrawl that Tavus would refuse now.

    Attributes:
        code: ``not_crawled`` (it is no website that was crawled), ``not_published`` (Tavus does
            not have it), ``busy`` (it is being worked on) or ``cooldown``.
        message: what is wrong and what to do.
        retry_after: seconds after which it may work; ``None`` where waiting does not help.
    """

    def __init__(self, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


# --- checks -------------------------------------------------------------------------------------


def check_file(file: Any) -> None:
    """Check an uploaded file by its name and size.

    Raises:
        ValidationError: of a type that Tavus does not read, empty, or larger than 50 MB.
    """
    ending = PurePosixPath(str(file.name)).suffix.lower().lstrip(".")
    if ending not in FILE_TYPES:
        message = _("Tavus does not read this type of file. It reads: %(types)s.")
        raise ValidationError(message % {"types": ", ".join(FILE_TYPES)}, code="file_type")
    if not file.size:
        raise ValidationError(_("The file is empty."), code="empty")
    if file.size > MAX_BYTES:
        raise ValidationError(_("The file is larger than 50 MB."), code="too_large")


def check_crawl(crawl: Any) -> None:
    """Check how a website is to be crawled.

    Raises:
        ValidationError: unknown members, or numbers out of range.
    """
    if not isinstance(crawl, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    if unknown := crawl.keys() - CRAWL_LIMITS.keys():
        message = _("%(name)s: unknown key. Known are: depth, max_pages.")
        raise ValidationError(message % {"name": min(map(str, unknown))}, code="unknown")
    for name, value in crawl.items():
        low, high = CRAWL_LIMITS[name]
        if type(value) is not int or not low <= value <= high:
            message = _("%(name)s: must be a whole number from %(low)d to %(high)d.")
            raise ValidationError(
                message % {"name": name, "low": low, "high": high}, code="out_of_range"
            )


def is_reachable(url: str) -> bool:
    """Whether ``url`` is an absolute http(s) URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def source_url(document: Document) -> str:
    """Return the URL at which Tavus is to fetch ``document``.

    For an uploaded file it is what the storage says, joined to ``PUBLIC_URL`` where that is a
    path of this site. Presigned URLs have to outlive the processing (minutes).

    Raises:
        ValidationError: naming ``file`` or ``document_url``: there is no URL that Tavus could use.
    """
    if not document.file:
        if not is_reachable(document.document_url):
            message = _("Must be a URL that begins with http:// or https://.")
            raise ValidationError({"document_url": message}, code="invalid")
        return document.document_url
    url = file_url(document.file)
    if not is_reachable(url):
        message = _(
            "The storage gives no address at which Tavus could fetch the file (%(url)s). Set "
            'TAVUS["PUBLIC_URL"], or use a storage whose url() is absolute.'
        )
        raise ValidationError({"file": message % {"url": url or "-"}}, code="unreachable")
    return url


def file_url(file: Any) -> str:
    """Return the URL of a stored file; empty where the storage has none."""
    try:
        url = str(file.url)
    except (NotImplementedError, ValueError):  # a storage without URLs says the former
        return ""
    public = get_settings().PUBLIC_URL.rstrip("/")
    return public + url if url.startswith("/") and not url.startswith("//") else url


def storage_problem() -> str:
    """Return why uploaded files could not be given to Tavus; empty if they could."""
    storage = Document._meta.get_field("file").storage
    try:
        url = str(storage.url("tavus/documents/example.pdf"))
    except (NotImplementedError, ValueError):
        return _("The storage of uploaded documents has no URLs.")
    if url.startswith("/") and not get_settings().PUBLIC_URL:
        return _('Uploaded documents have no address outside this site: set TAVUS["PUBLIC_URL"].')
    return ""


# --- crawling again -----------------------------------------------------------------------------


def recrawl_wait(document: Document, now: datetime | None = None) -> timedelta:
    """Return how long Tavus still refuses to crawl ``document`` again; zero if it does not."""
    crawled = document.last_crawled_at and document.last_crawled_at + COOLDOWN
    until = max(filter(None, (crawled, document.recrawl_after)), default=None)
    return max(timedelta(), until - (now or timezone.now())) if until else timedelta()


def check_recrawl(document: Document, now: datetime | None = None) -> None:
    """Refuse a recrawl that Tavus would refuse.

    Raises:
        RecrawlRefusedError: with the reason.
    """
    if not document.tavus_id or document.sync_state == SyncState.GONE:
        raise RecrawlRefusedError("not_published", _("Tavus does not have this document."))
    if not document.crawl:
        message = _("Only a website that was added with a crawl can be crawled again.")
        raise RecrawlRefusedError("not_crawled", message)
    if document.recrawl_requested_at or document.status not in CRAWLABLE:
        raise RecrawlRefusedError("busy", _("Tavus is still working on this document."))
    wait = recrawl_wait(document, now)
    if wait:
        minutes = math.ceil(wait / timedelta(minutes=1))
        message = ngettext(
            "Tavus crawls a document once an hour: wait %(n)d minute.",
            "Tavus crawls a document once an hour: wait %(n)d minutes.",
            minutes,
        )
        raise RecrawlRefusedError(
            "cooldown", message % {"n": minutes}, retry_after=math.ceil(wait.total_seconds())
        )


def recrawl(document: Document) -> None:
    """Store the wish to crawl ``document`` again; a task tells Tavus.

    Raises:
        RecrawlRefusedError: Tavus would refuse it now.
    """
    now = timezone.now()
    check_recrawl(document, now)
    wished = Document.objects.filter(
        pk=document.pk, recrawl_requested_at__isnull=True, status__in=CRAWLABLE
    ).store(
        recrawl_requested_at=now,
        push_due_at=now,
        push_attempts=0,
        revision=F("revision") + 1,  # a push that is under way does not know of it
    )
    if not wished:
        raise RecrawlRefusedError("busy", _("Tavus is still working on this document."))
    enqueue("push_object", "document", document.pk)
    document.refresh_from_db()
