"""What schemathesis loads: who is signed in, and ids that exist in the place of invented ones."""

from __future__ import annotations

import json
import os
from typing import Any

import schemathesis

SEEDS: dict[str, Any] = json.loads(os.environ["FUZZ_SEEDS"])
USER = os.environ.get("FUZZ_USER", "")
TOKEN = "a" * 32
LAUNCH = "/tavus/api/conversations/"
# A schema cannot say which ids there are; those of the stock cannot be deleted.
KNOWN = {
    "persona_id": SEEDS["stock_personas"][0],
    "replica_id": SEEDS["stock_replicas"][0],
    "default_replica_id": SEEDS["stock_replicas"][0],
    "document_ids": [],
}

if USER:

    @schemathesis.auth()
    class SignedIn:
        """A session, and the token that Django's CSRF check wants with it."""

        def get(self, case: Any, context: Any) -> str:
            return str(SEEDS["sessions"][USER])

        def set(self, case: Any, data: str, context: Any) -> None:
            case.cookies = {**(case.cookies or {}), "sessionid": data, "csrftoken": TOKEN}
            case.headers["X-CSRFToken"] = TOKEN


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Make a valid body one that this user may send."""
    if not is_positive(case) or not isinstance(case.body, dict):
        return
    case.body = {
        name: KNOWN[name] if name in KNOWN and value else value for name, value in case.body.items()
    }
    if case.path == LAUNCH and case.method == "POST":
        case.body = {**launch(case.body), "persona_id": KNOWN["persona_id"]}


def launch(body: dict[str, Any]) -> dict[str, Any]:
    """The body with nothing in it that this user may not set."""
    if USER == "demo":
        return body
    return {name: value for name, value in body.items() if name in SEEDS["open_fields"]}


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave out forms that are judged by types: in a form everything is text.

    Of a file and of a single tag the phase of coverage thinks that the schema forbids them.
    """
    is_form = str(case.media_type or "").startswith("multipart/")
    is_coverage = case.meta is not None and case.meta.phase.name.value == "coverage"
    return not is_form or (is_positive(case) and not is_coverage)


def is_positive(case: Any) -> bool:
    """Whether the schema allows this request."""
    return case.meta is None or case.meta.generation.mode.is_positive
