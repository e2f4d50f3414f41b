"""``/v2``: from a request to an answer, through key, faults, fields and engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.wrappers import Request, Response

from django_tavus.sandbox import faults
from django_tavus.sandbox.engine import magic
from django_tavus.sandbox.engine.refusals import Refusal
from django_tavus.sandbox.records import RecordedRequest, public_headers, remember
from django_tavus.sandbox.wire.calls import Call, Query, Reply, Route
from django_tavus.sandbox.wire.rendering import as_recorded, parsed, rendered
from django_tavus.sandbox.wire.resources import ROUTES

if TYPE_CHECKING:
    from django_tavus.sandbox.play import Sandbox

PREFIX = "/v2"
UNAUTHORIZED = Refusal(401, "Invalid access token", "message")

# Made once, because it takes longer than a whole test. The docs write no slash at the end, the
# provider's own client writes one: both work.
ROUTING = Map(
    [
        Rule(PREFIX + route.path, methods=[route.method], endpoint=route, strict_slashes=False)
        for route in ROUTES
    ],
    redirect_defaults=False,
    merge_slashes=False,
)


class Api:
    """The API over one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def respond(self, request: Request, rooms: str) -> tuple[Response, float]:
        """The answer, and how many seconds late it is. Raises `faults.Interrupted`."""
        with self.sandbox.lock:
            self._record(request)
            kind = self.sandbox.faults.draw(request.method, request.path)
            if kind is None:
                kind = self._magic(request)
        fault, argument = faults.split(kind) if kind else (faults.Fault(), "")
        answer = fault.before(argument) if fault.before else None
        if answer is None:
            answer = self._effect(request, rooms)
            if fault.after:
                answer = fault.after(argument, answer)
        late = float(argument) if fault.seconds else 0.0
        return answer, late + self.sandbox.latency

    def _record(self, request: Request) -> None:
        record = RecordedRequest(
            request.method,
            request.path,
            request.args.to_dict(),
            as_recorded(request),
            public_headers(request.headers),
        )
        remember(self.sandbox.requests, record)

    def _magic(self, request: Request) -> str | None:
        if request.method != "POST" or request.path.rstrip("/") != f"{PREFIX}/conversations":
            return None
        body = as_recorded(request)
        if not isinstance(body, dict):
            return None
        persona_id = body.get("persona_id") or body.get("pal_id")
        personas = self.sandbox.engine.personas
        known = isinstance(persona_id, str) and persona_id in personas
        return magic.creation_fault(personas[str(persona_id)].name) if known else None

    def _effect(self, request: Request, rooms: str) -> Response:
        try:
            with self.sandbox.lock:
                self.sandbox.engine.tick()
                return rendered(self._reply(request, rooms))
        except Refusal as refusal:
            return rendered(Reply(refusal.body, refusal.status, refusal.headers))

    def _reply(self, request: Request, rooms: str) -> Reply:
        try:
            route, ids = self._matched(ROUTING.bind_to_environ(request.environ))
        except HTTPException as error:
            raise Refusal(error.code or 404, error.name, "message") from None
        if not route.open and not request.headers.get("x-api-key", "").strip():
            raise UNAUTHORIZED
        body = parsed(request)
        route.check(body)
        query = Query(request.args.to_dict())
        return route.handler(Call(self.sandbox.engine, ids, query, body, route.vocabulary, rooms))

    def _matched(self, adapter: MapAdapter) -> tuple[Route, dict[str, str]]:
        endpoint, ids = adapter.match()
        route: Route = endpoint
        return route, dict(ids)
