"""Secrets stay out of logs, exceptions and stored bodies: masked by key name and by value.

Both are needed. A persona comes back with `layers.llm.api_key` in it (by name), and an error
text may quote that very key in the middle of a sentence (by value).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

MASK = "********"
"""What stands in place of a secret; Tavus itself masks tool secrets with eight asterisks."""

_SECRET_KEYS = frozenset(
    {
        "api_key",
        "apikey",
        "auth_token",
        "authorization",
        "bearer",
        "client_secret",
        "cookie",
        "credentials",
        "jwt",
        "livekit_room_token",
        "meeting_token",
        "passphrase",
        "passwd",
        "password",
        "private_key",
        "proxy_authorization",
        "secret",
        "secret_key",
        "set_cookie",
        "signature",
        "token",
        "x_api_key",
    }
)
_SECRET_ENDINGS = ("_api_key", "_token", "_secret", "_password", "_secret_key", "_private_key")
_SECRET_CONTAINERS = frozenset(
    {
        "headers",  # layers.llm.headers: any header may carry a credential
        "default_query",  # layers.llm.default_query: keys as query parameters
        "query_params",  # tool delivery: likewise
        "auth",  # tool delivery: {type, token | username/password | secret}
    }
)
_CALLBACK_KEYS = frozenset({"callback_url", "webhook_url"})

_TOKEN_PATHS = re.compile(r"(?P<before>/(?:callbacks|leave)/)[^/\s\"'?#<>]+")
_TEXT_PATTERNS = (
    # what a text must hold, its case folded, for the pattern to match at all: most texts hold
    # none of it, and looking costs a tenth of matching
    # a JWT: meeting tokens are JWTs
    (("eyj",), re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]+"), MASK),
    (
        ("bearer", "basic"),
        re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"),
        rf"\1 {MASK}",
    ),
    # keys of LLM and voice vendors
    (("sk-", "sk_"), re.compile(r"\bsk[-_][\w-]{8,}"), MASK),
    (
        ("?", "&"),
        re.compile(r"(?i)([?&](?:t|token|api_?key|key|sig|signature)=)[^&\s\"'<>]+"),
        rf"\1{MASK}",
    ),
    (("/callbacks/", "/leave/"), _TOKEN_PATHS, rf"\g<before>{MASK}"),
)
_CLUES = tuple(clue for clues, _, _ in _TEXT_PATTERNS for clue in clues)
_UNGUESSABLE = 16
"""Path segments of a callback URL from this length on are taken for a credential."""
_SHORTEST_SECRET = 4
"""Shorter values are not searched for inside texts: masking every "a" helps nobody."""


def redact(value: Any, *, secrets: Iterable[str] = ()) -> Any:
    """Return a copy of `value` (same shape) with every secret replaced by `MASK`.

    Masked by name: API keys, tokens, passwords, the values below `headers` and `auth`; in
    callback URLs the credentials of the path and the query; in JSON Patch lists the value of an
    operation whose path ends in such a name. Masked by value: the given `secrets`, and whatever
    looks like a token anywhere in a text. None, booleans and empty strings stay: that a secret is
    absent is no secret.
    """
    known = sorted((s for s in secrets if len(s) >= _SHORTEST_SECRET), key=len, reverse=True)
    return _redact(value, known)


def secret_values(value: Any) -> frozenset[str]:
    """All texts in `value` that `redact()` would mask by their key name."""
    return frozenset(text for text in _found(value) if len(text) >= _SHORTEST_SECRET)


def may_hold_secret(text: str) -> bool:
    """Whether `redact()` may change `text`; quick, and never wrong when it says no."""
    return _holds_one_of(text.casefold(), _CLUES)


def _holds_one_of(folded: str, clues: Iterable[str]) -> bool:
    for clue in clues:  # noqa: SIM110 - any() would take twice as long
        if clue in folded:
            return True
    return False


def is_secret_key(name: str) -> bool:
    """Whether a member of this name holds a secret."""
    plain = name.lower().replace("-", "_")
    return plain in _SECRET_KEYS or plain.endswith(_SECRET_ENDINGS)


def _redact(value: Any, known: list[str]) -> Any:
    if isinstance(value, str):
        return _redact_text(value, known)
    if isinstance(value, Mapping):
        return _redact_mapping(value, known)
    if isinstance(value, list | tuple):
        return [_redact(item, known) for item in value]
    return value


def _redact_mapping(value: Mapping[Any, Any], known: list[str]) -> dict[Any, Any]:
    if _is_patch_operation(value):
        return _redact_patch_operation(value, known)
    return {
        _redact_key(key, known): _redact_member(str(key), item, known)
        for key, item in value.items()
    }


def _redact_key(key: Any, known: list[str]) -> Any:
    return _redact_text(key, known) if isinstance(key, str) else key


def _redact_member(name: str, value: Any, known: list[str]) -> Any:
    if is_secret_key(name):
        return _masked(value, known)
    if name.lower() in _SECRET_CONTAINERS and isinstance(value, Mapping | list):
        return _masked(value, known)
    if name in _CALLBACK_KEYS and isinstance(value, str):
        return _redact_text(_redact_callback_url(value), known)
    return _redact(value, known)


def _masked(value: Any, known: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {_redact_key(key, known): _masked(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, known) for item in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    return MASK


def _is_patch_operation(value: Mapping[Any, Any]) -> bool:
    return isinstance(value.get("op"), str) and isinstance(value.get("path"), str)


def _redact_patch_operation(value: Mapping[Any, Any], known: list[str]) -> dict[Any, Any]:
    names = value["path"].split("/")
    secret = is_secret_key(names[-1]) or any(name in _SECRET_CONTAINERS for name in names)
    plain = {_redact_key(key, known): _redact(item, known) for key, item in value.items()}
    if secret and "value" in value:
        plain["value"] = _masked(value["value"], known)
    return plain


def _redact_text(text: str, known: list[str]) -> str:
    for secret in known:
        text = text.replace(secret, MASK)
    folded = text.casefold()
    for clues, pattern, mask in _TEXT_PATTERNS:
        if _holds_one_of(folded, clues):
            text = pattern.sub(mask, text)
    return text


def _redact_callback_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # "Invalid IPv6 URL": not a URL, yet it may hold a token
        return MASK if url else url
    if not parts.netloc:
        return url
    path = "/".join(_mask_segment(segment) for segment in parts.path.split("/"))
    query = re.sub(r"=[^&]*", f"={MASK}", parts.query) if "=" in parts.query else ""
    return urlunsplit(SplitResult(parts.scheme, parts.netloc.rpartition("@")[2], path, query, ""))


def _mask_segment(segment: str) -> str:
    return MASK if len(segment) >= _UNGUESSABLE or ":" in segment else segment


def _found(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        path = value.get("path")
        for key, item in value.items():
            name = path.rpartition("/")[2] if key == "value" and isinstance(path, str) else str(key)
            held = is_secret_key(name) or name.lower() in _SECRET_CONTAINERS
            yield from _texts(item) if held else _found(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _found(item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
