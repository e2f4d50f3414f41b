"""Keys inside the layers of a persona: accepted, sent, never shown.

An LLM or TTS key that is entered here has to be sent again whenever its layer is patched, so it
must be kept. It lies in ``Persona.layer_secrets`` and nowhere else, sealed under the site's
``SECRET_KEY`` (and read with ``SECRET_KEY_FALLBACKS``): whoever sees only the database, a dump of
it or an admin page does not see the key. Whoever holds ``SECRET_KEY`` does. Where the secret key
was changed without a fallback the sealed keys are lost, and have to be entered again.

The seal is encrypt-then-MAC from HMAC-SHA256 alone (counter mode, a fresh nonce for each seal,
separate derived keys), since Python's standard library holds no cipher.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.encoding import force_bytes
from django.utils.translation import gettext as _

from django_tavus.client import MASK
from django_tavus.client.patches import pointer, same
from django_tavus.services import mapping, merging

Secrets = dict[str, str]
"""Texts by JSON pointer, such as ``/llm/api_key``."""

_NONCE = 16
_TAG = 32
_PURPOSE = b"django_tavus.layer_secrets."


# --- the seal -----------------------------------------------------------------------------------


def seal(kept: Mapping[str, Any]) -> str:
    """Return ``kept`` sealed; the empty string for nothing."""
    if not kept:
        return ""
    plain = json.dumps(kept).encode()
    nonce = secrets.token_bytes(_NONCE)
    cipher = _crypt(settings.SECRET_KEY, nonce, plain)
    return base64.urlsafe_b64encode(
        nonce + cipher + _tag(settings.SECRET_KEY, nonce + cipher)
    ).decode()


def unseal(sealed: str) -> dict[str, Any]:
    """Return what was sealed; nothing where no secret key of the site opens it."""
    try:
        raw = base64.urlsafe_b64decode(sealed.encode())
    except (ValueError, binascii.Error):
        return {}
    content, tag = raw[:-_TAG], raw[-_TAG:]
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if len(raw) > _NONCE + _TAG and hmac.compare_digest(_tag(key, content), tag):
            opened: dict[str, Any] = json.loads(_crypt(key, content[:_NONCE], content[_NONCE:]))
            return opened
    return {}


def _derived(key: str | bytes, purpose: bytes) -> bytes:
    return hmac.digest(force_bytes(key), _PURPOSE + purpose, hashlib.sha256)


def _tag(key: str | bytes, content: bytes) -> bytes:
    return hmac.digest(_derived(key, b"tag"), content, hashlib.sha256)


def _crypt(key: str | bytes, nonce: bytes, content: bytes) -> bytes:
    """Encrypt or decrypt: exclusive-or with a stream of digests of nonce and counter."""
    stream_key = _derived(key, b"stream")
    blocks = range((len(content) + 31) // 32)
    stream = b"".join(
        hmac.digest(stream_key, nonce + block.to_bytes(8, "big"), hashlib.sha256)
        for block in blocks
    )
    return bytes(one ^ other for one, other in zip(content, stream, strict=False))


# --- layers -------------------------------------------------------------------------------------


def mask(layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return layers as they are stored and shown."""
    return mapping.keep(layers)


def entered(layers: Mapping[str, Any]) -> Secrets:
    """Return the secrets that ``layers`` hold in clear.

    Raises:
        ValidationError: a secret that is no text.
    """
    found = {
        path: value
        for path, value, shown in _leaves(layers, mask(layers), ())
        if shown != value and not (isinstance(value, str) and MASK in value)
    }
    if odd := [path for path, value in found.items() if not isinstance(value, str)]:
        message = _("%(path)s holds a secret and must be a text.") % {"path": odd[0]}
        raise ValidationError({"layers": message}, code="invalid")
    return found


def masked_paths(layers: Any) -> list[str]:
    """Return the pointers to everything masked in ``layers``."""
    leaves = _leaves(layers, layers, ())
    return [path for path, value, _shown in leaves if isinstance(value, str) and MASK in value]


def carried_over(
    layers: Mapping[str, Any], before: Mapping[str, Any], known: Mapping[str, str]
) -> Secrets:
    """Return the known secrets that ``layers``, given with masks, still speak of.

    A mask stands for what is kept at the same place. Inside a list places move, so there the
    whole item has to be the one that it was: a key must not be sent to another tool's server.

    Raises:
        ValidationError: a mask where nothing is masked until now.
    """
    kept: Secrets = {}
    for path in masked_paths(layers):
        anchor = _anchor(layers, path)
        if not same(merging.member(layers, anchor), merging.member(before, anchor)):
            message = _("%(path)s is masked: enter the secret itself, or leave the member out.")
            raise ValidationError({"layers": message % {"path": path}}, code="masked")
        if path in known:
            kept[path] = known[path]
    return kept


def _anchor(layers: Mapping[str, Any], path: str) -> str:
    """The outermost list item that ``path`` leads through, or ``path`` itself."""
    steps = merging.names(path)
    for end in range(1, len(steps)):
        if isinstance(merging.member(layers, pointer(*steps[:end])), list):
            return pointer(*steps[: end + 1])
    return path


def fill(value: Any, path: str, known: Mapping[str, str]) -> Any:
    """Return ``value``, which stands at ``path``, with the known secrets in place of masks."""
    if isinstance(value, str):
        return known.get(path, value) if MASK in value else value
    if isinstance(value, Mapping):
        return {name: fill(item, path + pointer(name), known) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, f"{path}/{index}", known) for index, item in enumerate(value)]
    return value


def _leaves(value: Any, shown: Any, path: tuple[object, ...]) -> Iterator[tuple[str, Any, Any]]:
    """Yield pointer, value and masked value of everything in ``value`` that has no parts."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            inner = shown.get(name) if isinstance(shown, Mapping) else shown
            yield from _leaves(item, inner, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            inner = shown[index] if isinstance(shown, list) else shown
            yield from _leaves(item, inner, (*path, index))
    else:
        yield pointer(*path), value, shown
