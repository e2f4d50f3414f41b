"""What refusals look like: statuses, their stable codes, and a sentence for each.

Plain data for the schema and the docs; the exceptions are in :mod:`django_tavus.api.errors`.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Status(NamedTuple):
    """A status: name, meaning, and codes; none where the host's own classes may have more."""

    name: str
    """Of the schema's component. Python's own names differ from version to version."""
    text: str
    codes: tuple[str, ...] = ()
    is_open: bool = False


STATUSES: dict[int, Status] = {
    400: Status(
        "BadRequest", "The request is wrong: sentences by field or parameter.", ("parse_error",)
    ),
    401: Status(
        "Unauthorized",
        "Nobody is signed in (with authentication classes that ask for credentials).",
        ("not_authenticated", "authentication_failed"),
        is_open=True,
    ),
    403: Status(
        "Forbidden",
        "Nobody is signed in, or the permission is missing.",
        ("not_authenticated", "permission_denied"),
        is_open=True,
    ),
    404: Status("NotFound", "There is no such object, or it is somebody else's.", ("not_found",)),
    406: Status("NotAcceptable", "There is no such representation.", ("not_acceptable",)),
    409: Status("Conflict", "It cannot be done to this object as it is."),
    412: Status(
        "PreconditionFailed",
        "`If-Match` was given and the object has changed.",
        ("precondition_failed",),
    ),
    413: Status("ContentTooLarge", "The body is too large.", ("payload_too_large",)),
    415: Status(
        "UnsupportedMediaType",
        "The body is of a type that is not read here.",
        ("unsupported_media_type",),
    ),
    429: Status("TooManyRequests", "Not now; `Retry-After` says when."),
}
ALWAYS = (401, 403, 406)

SENTENCES: dict[str, str] = {
    "parse_error": "The body is not JSON: Expecting value: line 1 column 1 (char 0)",
    "not_authenticated": "Authentication credentials were not provided.",
    "authentication_failed": "Incorrect authentication credentials.",
    "permission_denied": "You do not have permission to perform this action.",
    "not_found": "Not found.",
    "not_acceptable": "Could not satisfy the request Accept header.",
    "payload_too_large": "The body is too large.",
    "unsupported_media_type": 'Unsupported media type "text/plain" in request.',
    "idempotency_conflict": "This Idempotency-Key was used for another request. Use a new key.",
    "still_running": "This conversation is not over. End it before you delete it.",
    "concurrency_limit": (
        "You have 50 conversations waiting already. Wait until one of them has started."
    ),
    "budget_exhausted": ("The budget of 60 call minutes in 24 hours is used up. Try again later."),
    "throttled": "Request was throttled. Expected available in 58 seconds.",
    "system": "This belongs to Tavus's stock: it cannot be changed or deleted.",
    "gone": "This no longer exists at Tavus.",
    "deleting": "This is being deleted.",
    "no_conflict": "Nothing is in conflict.",
    "precondition_failed": "This has changed since. Fetch it again.",
    "not_crawled": "Only a website that was added with a crawl can be crawled again.",
    "not_published": "Tavus does not have this document.",
    "busy": "Tavus is still working on this document.",
    "cooldown": "Tavus crawls a document once an hour: wait 12 minutes.",
}

BY_FIELD: dict[str, Any] = {
    "type": "object",
    "description": "Sentences by field or parameter; `non_field_errors` for the body as a whole.",
    "minProperties": 1,
    "example": {"page_size": ["Must be a whole number from 1 to 100."]},
    "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
}


class Refusal(NamedTuple):
    """One answer that an operation may give: a component of the schema."""

    name: str
    status: int
    codes: tuple[str, ...]


OF_STATES = (
    Refusal("LaunchConflict", 409, ("idempotency_conflict",)),
    Refusal("LaunchLater", 429, ("concurrency_limit", "budget_exhausted", "throttled")),
    Refusal("StillRunning", 409, ("still_running",)),
    Refusal("NotEditable", 409, ("system", "gone", "deleting")),
    Refusal("NotDeletable", 409, ("system",)),
    Refusal("NothingToResolve", 409, ("no_conflict",)),
    Refusal("NotCrawlable", 409, ("not_crawled", "not_published", "busy")),
    Refusal("CrawlLater", 429, ("cooldown",)),
)
"""Refusals that depend on what there is, by name."""


def find(wanted: int | str, *, has_body: bool) -> Refusal:
    """Return the refusal with a status, or with a name of ``OF_STATES``."""
    if isinstance(wanted, str):
        return next(one for one in OF_STATES if one.name == wanted)
    if wanted == 400:
        codes = STATUSES[wanted].codes if has_body else ()
        return Refusal("WrongRequest" if has_body else "WrongParameters", wanted, codes)
    return Refusal(STATUSES[wanted].name, wanted, STATUSES[wanted].codes)


def schema(refusal: Refusal) -> dict[str, Any]:
    """Return the JSON schema of a refusal."""
    if refusal.status != 400:
        return _single(refusal)
    return {"anyOf": [BY_FIELD, _single(refusal)]} if refusal.codes else BY_FIELD


def _single(refusal: Refusal) -> dict[str, Any]:
    code: dict[str, Any] = {"type": "string", "description": "Stable; meant for programs."}
    if not STATUSES[refusal.status].is_open:
        code["enum"] = list(refusal.codes)
    return {
        "type": "object",
        "properties": {"detail": {"type": "string"}, "code": code},
        "required": ["detail", "code"],
        "additionalProperties": False,
        "example": {"detail": SENTENCES[refusal.codes[0]], "code": refusal.codes[0]},
    }


def describe(refusal: Refusal) -> str:
    """Return what a refusal means, with its codes."""
    text = STATUSES[refusal.status].text
    named = ", ".join(f"`{code}`" for code in refusal.codes)
    return f"{text} Code: {named}." if named else text
