"""From what came back to the error it means, or to none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django_tavus.client.calls import Call
from django_tavus.client.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    ServerError,
    TavusError,
)
from django_tavus.client.exchange import MAX_BODY, Answer, Fault
from django_tavus.client.redaction import redact, secret_values
from django_tavus.client.refusals import CLEAR_REFUSALS, understand
from django_tavus.client.retry import Kind, read_retry_after

MAX_ERROR_BODY = 4_000
"""Characters of an error answer that are kept on the exception."""

FAULT_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "bad_url": "The base URL of Tavus cannot be used.",
        "connect_timeout": "Connecting to Tavus took too long.",
        "cut": "The connection to Tavus was cut before the answer was complete.",
        "dns": "The host name of Tavus could not be resolved.",
        "read_timeout": "Tavus did not answer in time.",
        "refused": "Tavus could not be reached.",
        "tls": "The certificate of Tavus could not be verified.",
        "too_large": f"The answer of Tavus is larger than {MAX_BODY:,} bytes.",
    }
)
"""What to say for each reason of a `Fault`."""


def judge(call: Call, outcome: Answer | Fault, *, api_key: str) -> TavusError | None:
    """Return the error that an outcome means, None for a success."""
    if isinstance(outcome, Fault):
        return _of_fault(call, outcome)
    if outcome.is_unchanged and call.may_be_unchanged:
        return None
    if not outcome.is_success:
        return _of_refusal(call, outcome, api_key)
    if call.wants_body and not outcome.is_json:
        return unreadable(call, outcome, "it is not JSON", api_key=api_key)
    if outcome.is_page:  # nothing was ended or deleted, whatever the 200 says
        return unreadable(call, outcome, "it is a page of HTML", api_key=api_key)
    return None


def unreadable(call: Call, answer: Answer, why: str, *, api_key: str) -> TavusError:
    """Return the error for a successful answer that does not make sense."""
    message = f"The answer of Tavus cannot be understood: {why}."
    body = _shown(call, answer, api_key)
    if call.kind is Kind.CREATE:
        return _in_doubt(call, message, "unreadable", answer.status, body)
    return ServerError(
        message, status=answer.status, body=body, request=call.name, reason="unreadable"
    )


def _of_fault(call: Call, fault: Fault) -> TavusError:
    message = FAULT_TEXTS[fault.reason]
    if fault.sent and call.kind is Kind.CREATE:
        return _in_doubt(call, message, fault.reason, fault.status, None)
    if fault.reason == "too_large":
        return ServerError(message, request=call.name, status=fault.status, reason=fault.reason)
    return ConnectionFailed(
        message, request=call.name, status=fault.status, reason=fault.reason, sent=fault.sent
    )


def _of_refusal(call: Call, answer: Answer, api_key: str) -> TavusError:
    body = _shown(call, answer, api_key)
    told = understand(answer.status, body, subject=call.subject, input_names=call.input_names)
    reason = "redirected" if answer.location else ""
    if call.kind is Kind.CREATE and answer.status not in CLEAR_REFUSALS:
        return _in_doubt(call, told.message, reason or "no_refusal", answer.status, body)
    wait = read_retry_after(answer.headers.get("Retry-After"))
    return told.error(
        told.message,
        status=answer.status,
        body=body,
        request=call.name,
        field=told.field,
        reason=reason,
        retry_after=told.wait if wait is None else wait,
    )


def _in_doubt(
    call: Call, message: str, reason: str, status: int | None, body: Any
) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{message} Whether the request was carried out is not known.",
        status=status,
        body=body,
        request=call.name,
        reason=reason,
    )


def _shown(call: Call, answer: Answer, api_key: str) -> Any:
    """The answer as errors may show it: without the key and without secrets we sent ourselves."""
    secrets = {api_key, *secret_values(call.body)}
    if answer.is_json:
        shown = redact(answer.body, secrets=secrets)
        text = json.dumps(shown, ensure_ascii=False)
        return shown if len(text) <= MAX_ERROR_BODY else text[:MAX_ERROR_BODY]
    # cut after masking: of a secret across the edge, half would survive
    text = answer.content[: 4 * MAX_ERROR_BODY].decode("utf-8", "replace")
    return redact(text, secrets=secrets)[:MAX_ERROR_BODY]
