"""Launching from the admin: one form, one token, one conversation.

Tavus knows no idempotency keys, and every conversation is billed. So each form carries a token of
its own, and two clicks on it are one launch.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from django_tavus.admin.object_tools import ToolRefusedError
from django_tavus.models import Conversation
from django_tavus.services.errors import IdempotencyConflictError, LaunchRefusedError
from django_tavus.services.requesting import store_conversation

TOKEN = "launch_token"  # noqa: S105 - the name of a form field
REFUSALS = (ValidationError, LaunchRefusedError, IdempotencyConflictError)


def new_token() -> str:
    """Return the token of one more form."""
    return uuid.uuid4().hex


def token_field() -> dict[str, str]:
    """Return the hidden field of a launch button."""
    return {TOKEN: new_token()}


def read_token(data: Mapping[str, Any]) -> str:
    """Return the token that was posted.

    Raises:
        ToolRefusedError: there is none; without it a second click would be a second call.
    """
    try:
        return uuid.UUID(hex=str(data.get(TOKEN, ""))).hex
    except ValueError as error:
        raise ToolRefusedError(_("This form is out of date. Reload the page.")) from error


def idempotency_key(token: str) -> str:
    """Return the key with which a second POST of the same form finds the first's row."""
    return f"admin:{token}"


def launch_once(token: str, **wish: Any) -> Conversation:
    """Store a launch, or return the one that the same form has stored before.

    Raises:
        ToolRefusedError: it was refused; the text says why.
    """
    try:
        conversation, _is_new = store_conversation(**wish, idempotency_key=idempotency_key(token))
    except REFUSALS as error:
        raise ToolRefusedError(refusal_text(error)) from error
    return conversation


def refusal_text(error: Exception) -> str:
    """Return what a refused launch is told to the user."""
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    if isinstance(error, LaunchRefusedError):
        return error.message
    return _("This form has launched a conversation already. Reload it to launch another.")
