"""Documents: fetched, read and indexed by Tavus; websites can be crawled again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from django_tavus.sandbox.engine import dates, magic
from django_tavus.sandbox.engine.collection import Collection, Owner, Stored, matches, tagged
from django_tavus.sandbox.engine.refusals import Refusal, invalid, not_found
from django_tavus.sandbox.engine.world import World

MAX_CRAWLED_DOCUMENTS = 100
MAX_CONCURRENT_CRAWLS = 5
RECRAWL_COOLDOWN = timedelta(hours=1)
BUSY = ("started", "processing", "recrawling")

UNREADABLE = (".zip", ".gz", ".exe", ".mp3", ".mp4", ".mov", ".wav", ".avi", ".webm", ".svg")
"""Some endings of files that Tavus cannot read; anything unknown may be a page of a website."""


@dataclass
class Document(Stored):
    """A document; ``status`` as in the docs, ``progress`` in percent while it is read."""

    status: str = "ready"
    progress: int | None = None
    error_message: str | None = None
    crawled_urls: list[str] | None = None
    last_crawled_at: datetime | None = None
    crawl_count: int | None = None
    recrawl_requested_at: datetime | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.body["document_name"])

    @property
    def crawl(self) -> dict[str, int] | None:
        """How it is crawled; None for a single page or file."""
        return self.body.get("crawl")


class Documents(Collection[Document]):
    """What can be done with documents."""

    def __init__(self, world: World, id_key: str = "document_id") -> None:
        super().__init__(world)
        self.id_key = id_key

    def create(self, fields: dict[str, Any]) -> Document:
        """Take a document in."""
        if fields.get("crawl"):
            self._check_limits()
        now = self.world.now()
        document_id = self.world.new_id("d", 1) + self.world.new_id("-", 12)
        body = self._filled(document_id, fields)
        document = self.put(Document(document_id, "user", now, now, body, status="started"))
        self._announce(document)
        self.world.after(self.world.pacing.document_starts, lambda: self._process(document))
        return document

    def add(self, *, owner: Owner = "user", **body: Any) -> Document:
        """Put a document with a given ``document_id`` into the account, ready unless said."""
        now = self.world.now()
        document_id = body.pop("document_id", None) or self.world.new_id("d", 12)
        status = body.pop("status", "ready")
        body.setdefault("document_url", f"https://docs.example.com/{document_id}")
        filled = self._filled(document_id, body)
        return self.put(Document(document_id, owner, now, now, filled, status=status))

    def find(self, document_id: str) -> Document:
        """The document, or 404: this resource does use it."""
        if document_id not in self:
            raise not_found("Document")
        return self[document_id]

    def known(self, document_id: str) -> Document:
        """A document that another object refers to. The text of this refusal is a guess."""
        if document_id not in self:
            raise invalid("document_id")
        return self[document_id]

    def select(self, *, status: str | None, name: str | None, tags: str | None) -> list[Document]:
        """The filters of the list."""
        return [
            row
            for row in self.owned_by(None)
            if status in (None, row.status)
            and matches(name, row.name, row.id)
            and tagged(row, tags)
        ]

    def tags(self) -> list[str]:
        """Every tag in use."""
        return sorted({tag for row in self.values() for tag in row.body["tags"]})

    def change(self, document: Document, fields: dict[str, Any]) -> None:
        """Rename or retag; the list of tags is replaced as a whole."""
        document.body |= fields
        self.touch(document)

    def recrawl(self, document: Document, crawl: dict[str, int] | None) -> None:
        """Crawl a website again. Raises what the docs list: 400, 409, 429."""
        if not document.crawl:
            raise Refusal(400, "Document was not created with crawl configuration")
        if document.status not in ("ready", "error"):
            raise Refusal(
                409,
                "Document must be in 'ready' or 'error' state to recrawl, "
                f"current status: {document.status}",
            )
        self._check_cooldown(document)
        self._check_concurrency()
        document.body["crawl"] = document.crawl | (crawl or {})
        document.recrawl_requested_at = self.world.now()
        self._become(document, "recrawling")
        self.world.after(self.world.pacing.document_ready, lambda: self._finish(document))

    def detail(self, document: Document) -> dict[str, Any]:
        """The object that every operation answers, flat."""
        body, crawled = document.body, document.last_crawled_at
        return {
            self.id_key: document.id,
            "document_name": document.name,
            "document_url": body["document_url"],
            "status": document.status,
            "progress": document.progress,
            "error_message": document.error_message,
            "created_at": dates.seconds(document.created_at),
            "updated_at": dates.seconds(document.updated_at),
            "callback_url": body.get("callback_url", ""),
            "tags": list(body["tags"]),
            "crawl_config": document.crawl,
            "crawled_urls": document.crawled_urls,
            "last_crawled_at": dates.seconds(crawled) if crawled else None,
            "crawl_count": document.crawl_count,
        }

    def _filled(self, document_id: str, fields: dict[str, Any]) -> dict[str, Any]:
        name = PurePosixPath(urlsplit(fields["document_url"]).path).name or document_id
        body = {"document_name": name, "tags": []} | fields
        if body.get("crawl"):
            body["crawl"] = {"depth": 1, "max_pages": 10} | body["crawl"]
        return body

    def _check_limits(self) -> None:
        if sum(bool(row.crawl) for row in self.values()) >= MAX_CRAWLED_DOCUMENTS:
            raise Refusal(
                429,
                f"Crawl document limit reached ({MAX_CRAWLED_DOCUMENTS}). "
                "Contact support@tavus.io to increase your limit.",
            )
        self._check_concurrency()

    def _check_concurrency(self) -> None:
        if sum(bool(row.crawl) and row.status in BUSY for row in self.values()) >= (
            MAX_CONCURRENT_CRAWLS
        ):
            # The limit is documented, its text is not.
            raise Refusal(429, f"Concurrent crawl limit reached ({MAX_CONCURRENT_CRAWLS}).")

    def _check_cooldown(self, document: Document) -> None:
        if document.recrawl_requested_at is None:
            return
        left = document.recrawl_requested_at + RECRAWL_COOLDOWN - self.world.now()
        if left > timedelta():
            minutes = math.ceil(left.total_seconds() / 60)
            raise Refusal(
                429,
                f"Recrawl cooldown: please wait {minutes} minutes before recrawling this document.",
            )

    def _process(self, document: Document) -> None:
        if self.get(document.id) is not document:
            return
        document.progress = 50
        self._become(document, "processing")
        if document.name != magic.STUCK:
            self.world.after(self.world.pacing.document_ready, lambda: self._finish(document))

    def _finish(self, document: Document) -> None:
        if self.get(document.id) is not document:
            return
        document.error_message = self._failure(document)
        document.progress = None if document.error_message else 100
        if document.crawl and not document.error_message:
            self._crawled(document, document.crawl)
        self._become(document, "error" if document.error_message else "ready")

    def _crawled(self, document: Document, crawl: dict[str, int]) -> None:
        root = document.body["document_url"].rstrip("/")
        pages = min(crawl["max_pages"], 1 + 2 * crawl["depth"])
        document.crawled_urls = [f"{root}/", *(f"{root}/page-{n}" for n in range(1, pages))]
        document.last_crawled_at = self.world.now()
        document.crawl_count = (document.crawl_count or 0) + 1

    def _failure(self, document: Document) -> str | None:
        url = urlsplit(document.body["document_url"])
        if url.scheme not in ("http", "https") or not url.hostname:
            return "invalid_file_url"
        if not document.crawl and url.path.lower().endswith(UNREADABLE):
            return "file_format_unsupported"
        return magic.failure(document.name)

    def _become(self, document: Document, status: str) -> None:
        document.status = status
        self.touch(document)
        self._announce(document)

    def _announce(self, document: Document) -> None:
        # The shape is undocumented; integrators expect the object that GET answers.
        self.world.post(document.body.get("callback_url", ""), self.detail(document))
