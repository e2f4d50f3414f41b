"""Signed tokens: Tavus signs nothing, so the URL is the credential.

A token is ``<kind>.<pk>.<timestamp>.<signature>`` and refers to one object. It is verified without
a query, in constant time, by ``django.core.signing`` (``SECRET_KEY_FALLBACKS`` are honored).
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

from django_tavus.conf import get_settings
from django_tavus.models import Conversation, Document, Replica


class Purpose(NamedTuple):
    """What a kind of token is good for."""

    model: type[Conversation] | type[Document] | type[Replica]
    salt: str
    max_age: timedelta | None


class Subject(NamedTuple):
    """The object that a token refers to: its relation's name and its key."""

    kind: str
    pk: uuid.UUID | int


# A conversation is over long before 30 days; a document is recrawled months later and still calls
# the URL of its creation.
PURPOSES: dict[str, Purpose] = {
    "conversation": Purpose(Conversation, "django_tavus.callback", timedelta(days=30)),
    "document": Purpose(Document, "django_tavus.callback.document", None),
    "replica": Purpose(Replica, "django_tavus.callback.replica", None),
}
LEAVE = Purpose(Conversation, "django_tavus.leave", timedelta(days=2))


def make_callback_token(subject: Conversation | Document | Replica) -> str:
    """Return a new token with which Tavus may report on ``subject``."""
    kind = str(subject._meta.model_name)
    return f"{kind}.{_sign(PURPOSES[kind], subject.pk)}"


def read_callback_token(token: str, *, any_age: bool = False) -> Subject | None:
    """Return the object that ``token`` refers to, or ``None`` if it is not ours or too old."""
    kind, _, signed = token.partition(".")
    purpose = PURPOSES.get(kind)
    if purpose is None:
        return None
    pk = _unsign(purpose, signed, any_age=any_age)
    return None if pk is None else Subject(kind, pk)


def make_leave_token(conversation: Conversation) -> str:
    """Return a token with which a browser may say that its user has left the room."""
    return _sign(LEAVE, conversation.pk)


def read_leave_token(token: str) -> uuid.UUID | None:
    """Return the conversation that a leave token refers to, or ``None``."""
    pk = _unsign(LEAVE, token, any_age=False)
    return pk if isinstance(pk, uuid.UUID) else None


def callback_url(subject: Conversation | Document | Replica) -> str:
    """Return the absolute URL that Tavus is to call about ``subject``; empty without PUBLIC_URL."""
    public = get_settings().PUBLIC_URL.rstrip("/")
    if not public:
        return ""
    path = reverse("django_tavus:callback", kwargs={"token": make_callback_token(subject)})
    return public + path


def subject_of_url(url: object) -> Subject | None:
    """Return the object that one of our callback URLs refers to, however old it is."""
    if not isinstance(url, str):
        return None
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    return read_callback_token(path.rstrip("/").rpartition("/")[2], any_age=True)


def _signer(purpose: Purpose) -> TimestampSigner:
    return TimestampSigner(salt=purpose.salt, sep=".")


def _sign(purpose: Purpose, pk: object) -> str:
    return _signer(purpose).sign(pk.hex if isinstance(pk, uuid.UUID) else str(pk))


def _unsign(purpose: Purpose, signed: str, *, any_age: bool) -> uuid.UUID | int | None:
    try:
        value = _signer(purpose).unsign(signed, max_age=None if any_age else purpose.max_age)
        return uuid.UUID(hex=value) if purpose.model is Conversation else int(value)
    except (BadSignature, ValueError, OverflowError):
        return None
