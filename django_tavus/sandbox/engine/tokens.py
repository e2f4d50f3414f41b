"""Meeting tokens: JWTs, as Daily's are, signed with a key that is no secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

KEY = b"the sandbox keeps nobody out but the forgetful"


def mint(room: str, expiry: datetime) -> str:
    """A token for one room until ``expiry``."""
    header = _encoded({"alg": "HS256", "typ": "JWT"})
    claims = _encoded({"r": room, "exp": int(expiry.timestamp())})
    return f"{header}.{claims}.{_signature(f'{header}.{claims}')}"


def admits(token: str, room: str, now: datetime) -> bool:
    """Whether ``token`` opens ``room`` now."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(signed).encode(), signature.encode()):
        return False
    claims = json.loads(_decoded(signed.partition(".")[2]))
    return bool(claims["r"] == room and now < datetime.fromtimestamp(claims["exp"], UTC))


def _signature(text: str) -> str:
    return _base64(hmac.new(KEY, text.encode(), hashlib.sha256).digest())


def _encoded(value: dict[str, object]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
