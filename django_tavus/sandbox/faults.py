"""Things that go wrong between a client and Tavus, on order or by chance."""

from __future__ import annotations

import fnmatch
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from werkzeug.wrappers import Response

from django_tavus.sandbox.engine.conversations import HIDDEN_CAUSE, NO_CREDITS, TOO_MANY
from django_tavus.sandbox.engine.refusals import Refusal

BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
SENSIBLE_PAGE = "<!doctype html>\n<title>Tavus</title>\n<p>This is a page, not an API.</p>\n"

# What every status looks like: key and text where they are known, an HTML page from the edge
# where no application answers.
STATUS_BODIES: dict[int, tuple[dict[str, Any] | str, dict[str, str]]] = {
    400: ({"error": HIDDEN_CAUSE}, {}),
    401: ({"message": "Invalid access token"}, {}),
    402: (NO_CREDITS.body, {}),
    403: ({"message": "Forbidden"}, {}),
    404: ({"message": "Not Found"}, {}),
    409: ({"error": "Conflict"}, {}),
    422: ({"message": "Unprocessable Entity"}, {}),
    429: ({"error": "Too many requests"}, {"Retry-After": "2"}),
    500: ({"message": "Internal Server Error"}, {}),
    502: (BAD_GATEWAY, {}),
    503: (BAD_GATEWAY.replace("502 Bad Gateway", "503 Service Unavailable"), {"Retry-After": "2"}),
    504: (BAD_GATEWAY.replace("502 Bad Gateway", "504 Gateway Timeout"), {}),
}


class Interrupted(Exception):  # noqa: N818 - no error of ours; the faces turn it into one
    """There is no answer: the connection is ``cut``, or it ``hang``s."""

    def __init__(self, manner: Literal["cut", "hang"]) -> None:
        super().__init__(manner)
        self.manner = manner


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens before the request takes effect, and what to its answer afterwards."""

    before: Callable[[str], Response | None] | None = None
    after: Callable[[str, Response], Response] | None = None
    seconds: bool = False
    """Whether the argument is a delay of the answer in seconds."""


def status_response(argument: str) -> Response:
    """The answer for one status."""
    status = int(argument)
    body, headers = STATUS_BODIES.get(status, ({"message": "Something went wrong"}, {}))
    return page(body, status, headers) if isinstance(body, str) else _json(body, status, headers)


def page(body: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """An HTML answer."""
    return Response(body, status, headers, mimetype="text/html")


def _json(body: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, mimetype="application/json")


def _refuse(refusal: Refusal) -> Callable[[str], Response]:
    return lambda _argument: _json(refusal.body, refusal.status)


def _cut(_argument: str) -> Response:
    raise Interrupted("cut")


def _cut_after(_argument: str, _answer: Response) -> Response:
    raise Interrupted("cut")


def _hang(_argument: str, _answer: Response) -> Response:
    raise Interrupted("hang")


def _garbled(_argument: str, answer: Response) -> Response:
    text = answer.get_data(as_text=True) or "{}"
    answer.set_data(text[: max(1, len(text) // 2)])
    return answer


def _empty(_argument: str, answer: Response) -> Response:
    answer.set_data(b"")
    return answer


def _html(_argument: str, answer: Response) -> Response:
    return page(SENSIBLE_PAGE, answer.status_code)


def _status_after(argument: str, _answer: Response) -> Response:
    return status_response(argument)


KINDS: dict[str, Fault] = {
    # before the effect: nothing happens at Tavus
    "status": Fault(before=status_response),
    "concurrency": Fault(before=_refuse(TOO_MANY)),
    "credits": Fault(before=_refuse(NO_CREDITS)),
    "cut_before": Fault(before=_cut),
    # after the effect: it happened, and the client does not learn it, or not well
    "status_after": Fault(after=_status_after),
    "cut_after": Fault(after=_cut_after),
    "timeout_after": Fault(after=_hang),
    "garbled": Fault(after=_garbled),
    "empty": Fault(after=_empty),
    "html": Fault(after=_html),
    "slow": Fault(seconds=True),
}
"""Every fault by the part of its name before the colon."""

NEED_ARGUMENT = {"status": 503, "status_after": 502, "slow": 1.0}
"""Kinds that have a number after the colon, with an example of it."""

BY_CHANCE = ("status:429", "status:500", "status:502", "status:503", "cut_before", "cut_after")
"""What ``--errors`` chooses from; the last of them takes effect."""


@dataclass
class Order:
    """A fault that was ordered for the next ``times`` requests that match; None is forever."""

    kind: str
    method: str | None = None
    path: str | None = None
    times: int | None = 1

    def applies(self, method: str, path: str) -> bool:
        """Whether this is a request that was meant. ``path`` may be a pattern, with or without
        ``/v2``."""
        if self.times is not None and self.times < 1:
            return False
        if self.method and self.method.upper() != method:
            return False
        if not self.path:
            return True
        path, pattern = (text.removeprefix("/v2").rstrip("/") for text in (path, self.path))
        return fnmatch.fnmatchcase(path, pattern)


class Faults:
    """The orders, and the chance of an error in any request."""

    def __init__(self, chance: random.Random, errors: float = 0.0) -> None:
        self.chance = chance
        self.errors = errors
        self.orders: list[Order] = []

    def add(
        self,
        kind: str,
        method: str | None = None,
        path: str | None = None,
        times: int | None = 1,
    ) -> Order:
        """Order a fault. Raises ValueError for a kind that does not exist."""
        check_kind(kind)
        order = Order(kind, method, path, times)
        self.orders.append(order)
        return order

    def clear(self) -> None:
        """Cancel every order."""
        self.orders.clear()

    def draw(self, method: str, path: str) -> str | None:
        """The fault of this request, or None; uses up one time of its order."""
        for order in self.orders:
            if order.applies(method, path):
                if order.times is not None:
                    order.times -= 1
                return order.kind
        if self.errors and self.chance.random() < self.errors:
            return self.chance.choice(BY_CHANCE)
        return None


def check_kind(kind: str) -> None:
    """Refuse what is not a fault. Raises ValueError."""
    name, _, argument = kind.partition(":")
    if name not in KINDS:
        raise ValueError(f"Unknown fault {kind!r}; one of {', '.join(KINDS)}.")
    if (name in NEED_ARGUMENT) is not _is_number(argument):
        example = f"{name}:{NEED_ARGUMENT[name]}" if name in NEED_ARGUMENT else name
        raise ValueError(f"The fault is written {example!r}.")


def split(kind: str) -> tuple[Fault, str]:
    """The fault and its argument."""
    name, _, argument = kind.partition(":")
    return KINDS[name], argument


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
