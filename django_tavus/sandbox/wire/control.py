"""``/sandbox``: control calls and pages. None of this exists at Tavus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from django_tavus.sandbox.engine.conversations import Conversation
from django_tavus.sandbox.engine.refusals import Refusal, RoomRefusal
from django_tavus.sandbox.wire import rooms
from django_tavus.sandbox.wire.calls import Reply
from django_tavus.sandbox.wire.rendering import parsed_object, rendered

if TYPE_CHECKING:
    from django_tavus.sandbox.play import Sandbox


@dataclass(frozen=True, slots=True)
class Command:
    """A control call as a handler sees it."""

    sandbox: Sandbox
    request: Request
    ids: Mapping[str, str]
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def conversation(self) -> Conversation:
        """The conversation in the path. Raises KeyError."""
        return self.sandbox.conversation(self.ids["id"])

    def text(self, name: str, default: str = "") -> str:
        """A string of the body. Raises ValueError."""
        value = self.body.get(name, default)
        if not isinstance(value, str):
            raise ValueError(f"{name} must be a string.")  # noqa: TRY004 - answered as 400
        return value


def reset(command: Command) -> Reply:
    """POST /sandbox/reset."""
    command.sandbox.reset()
    return Reply({"reset": True})


def clock(command: Command) -> Reply:
    """POST /sandbox/clock ``{"advance": seconds}``; GET tells the time."""
    if command.request.method == "POST":
        seconds = command.body.get("advance", 0)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ValueError("advance must be a number of seconds.")
        command.sandbox.advance(seconds)
    return Reply({"now": command.sandbox.now().isoformat()})


def add_fault(command: Command) -> Reply:
    """POST /sandbox/faults ``{"kind", "method", "path", "times"}``."""
    known = {"kind", "method", "path", "times"}
    if set(command.body) - known or not isinstance(command.body.get("kind"), str):
        raise ValueError(f"A fault has a kind, and of {', '.join(sorted(known))} what you like.")
    return Reply(asdict(command.sandbox.faults.add(**command.body)), 201)


def list_faults(command: Command) -> Reply:
    """GET /sandbox/faults."""
    return Reply({"data": [asdict(order) for order in command.sandbox.faults.orders]})


def clear_faults(command: Command) -> Reply:
    """DELETE /sandbox/faults."""
    command.sandbox.faults.clear()
    return Reply(status=204)


def list_requests(command: Command) -> Reply:
    """GET /sandbox/requests, oldest first."""
    return Reply({"data": [request.as_dict() for request in command.sandbox.requests]})


def clear_requests(command: Command) -> Reply:
    """DELETE /sandbox/requests."""
    command.sandbox.requests.clear()
    return Reply(status=204)


def put_object(command: Command) -> Reply:
    """POST /sandbox/objects/<kind>: an object with a given id."""
    stored = command.sandbox.put(command.ids["kind"], **command.body)
    return Reply({"id": stored.id, "owner": stored.owner}, 201)


def join(command: Command) -> Reply:
    """POST /sandbox/conversations/<id>/join ``{"name", "camera"}``."""
    camera = command.body.get("camera", True) is True
    name = command.text("name", "Visitor")
    person = command.sandbox.join(command.conversation.id, name, camera=camera)
    return Reply({"participant_id": person.id})


def say(command: Command) -> Reply:
    """POST /sandbox/conversations/<id>/say ``{"role", "content"}``."""
    role, content = command.text("role", "user"), command.text("content")
    turns = command.sandbox.say(command.conversation.id, role, content)
    return Reply({"turns": [rooms.spoken(turn) for turn in turns]})


def leave(command: Command) -> Reply:
    """POST /sandbox/conversations/<id>/leave ``{"participant_id"}``, or whoever came last."""
    command.sandbox.leave(command.conversation.id, command.text("participant_id") or None)
    return Reply(status=204)


def record(command: Command) -> Reply:
    """POST /sandbox/conversations/<id>/record: what a client in the room does to record."""
    command.sandbox.record(command.conversation.id)
    return Reply(status=204)


def emit(command: Command) -> Reply:
    """POST /sandbox/conversations/<id>/emit ``{"event_type", "properties", "message_type"}``."""
    properties = command.body.get("properties") or {}
    if not isinstance(properties, dict) or not command.text("event_type"):
        raise ValueError("An event has an event_type and properties.")
    command.sandbox.emit(
        command.conversation.id,
        command.text("event_type"),
        properties,
        command.text("message_type", "application"),
    )
    return Reply(status=204)


def maker_changes(command: Command) -> Reply:
    """POST /sandbox/personas/<id>/maker-changes: leave unpublished edits behind."""
    command.sandbox.engine.personas[command.ids["id"]].maker_changes = True
    return Reply(status=204)


def room_state(command: Command) -> Reply:
    """GET /sandbox/rooms/<id>/state: what the page shows."""
    conversation = command.conversation
    command.sandbox.engine.calls.admit(conversation, command.request.args.get("t", ""))
    person_id = command.request.args.get("participant_id", "")
    command.sandbox.engine.calls.seen(conversation, person_id)
    return Reply(rooms.state(conversation, person_id))


def room_join(command: Command) -> Reply:
    """POST /sandbox/rooms/<id>/join: as a person does, with the token of a private room."""
    calls, conversation = command.sandbox.engine.calls, command.conversation
    calls.admit(conversation, command.text("token"))
    name = command.text("name").strip()[:80] or "Visitor"
    camera = command.body.get("camera") is True
    person = calls.join(conversation, name, camera=camera, watched=True)
    return Reply({"participant_id": person.id, **rooms.state(conversation, person.id)})


def room_say(command: Command) -> Reply:
    """POST /sandbox/rooms/<id>/say."""
    conversation, person_id = _visitor(command)
    content = command.text("content").strip()
    if content:
        command.sandbox.engine.calls.say(conversation, "user", content[:4000])
    return Reply(rooms.state(conversation, person_id))


def room_leave(command: Command) -> Reply:
    """POST /sandbox/rooms/<id>/leave; also as a beacon of a page that goes away."""
    conversation, person_id = _visitor(command)
    command.sandbox.leave(conversation.id, person_id)
    return Reply(rooms.state(conversation))


def _visitor(command: Command) -> tuple[Conversation, str]:
    conversation, person_id = command.conversation, command.text("participant_id")
    if conversation.is_active and person_id not in conversation.participants:
        raise RoomRefusal("You are not in the room.")
    return conversation, person_id


def index(command: Command) -> Response:
    """GET /sandbox/: which conversations there are."""
    return rooms.index_page(command.sandbox)


def room(command: Command) -> Response:
    """GET /sandbox/rooms/<id>: the page where a person talks to the replica."""
    conversation = command.sandbox.engine.conversations.get(command.ids["id"])
    if conversation is None:
        return rooms.message_page("This room does not exist.", 404)
    try:
        command.sandbox.engine.calls.admit(conversation, command.request.args.get("t", ""))
    except RoomRefusal as refusal:
        return rooms.message_page(str(refusal), 403)
    return rooms.room_page(conversation)


def asset(command: Command) -> Response:
    """GET /sandbox/assets/<name>."""
    return rooms.asset(command.ids["name"])


def start(command: Command) -> Response:
    """GET /: a person who opens the server in a browser."""
    return redirect("/sandbox/")


ROUTES: tuple[tuple[tuple[str, ...], str, Callable[[Command], Reply | Response]], ...] = (
    (("GET",), "/", start),
    (("GET",), "/sandbox/", index),
    (("POST",), "/sandbox/reset", reset),
    (("GET", "POST"), "/sandbox/clock", clock),
    (("POST",), "/sandbox/faults", add_fault),
    (("GET",), "/sandbox/faults", list_faults),
    (("DELETE",), "/sandbox/faults", clear_faults),
    (("GET",), "/sandbox/requests", list_requests),
    (("DELETE",), "/sandbox/requests", clear_requests),
    (("POST",), "/sandbox/objects/<kind>", put_object),
    (("POST",), "/sandbox/personas/<id>/maker-changes", maker_changes),
    (("POST",), "/sandbox/conversations/<id>/join", join),
    (("POST",), "/sandbox/conversations/<id>/say", say),
    (("POST",), "/sandbox/conversations/<id>/leave", leave),
    (("POST",), "/sandbox/conversations/<id>/record", record),
    (("POST",), "/sandbox/conversations/<id>/emit", emit),
    (("GET",), "/sandbox/rooms/<id>", room),
    (("GET",), "/sandbox/rooms/<id>/state", room_state),
    (("POST",), "/sandbox/rooms/<id>/join", room_join),
    (("POST",), "/sandbox/rooms/<id>/say", room_say),
    (("POST",), "/sandbox/rooms/<id>/leave", room_leave),
    (("GET",), "/sandbox/assets/<name>", asset),
)

ROUTING = Map(
    [
        Rule(path, methods=methods, endpoint=handler, strict_slashes=False)
        for methods, path, handler in ROUTES
    ]
)


class Control:
    """Everything that is not the API."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def respond(self, request: Request) -> Response:
        """The answer; mistakes are 400, 404 or 409 with an ``error`` that says what to do."""
        try:
            handler, ids = ROUTING.bind_to_environ(request.environ).match()
            body = parsed_object(request)
            with self.sandbox.lock:
                self.sandbox.engine.tick()
                reply = handler(Command(self.sandbox, request, ids, body))
                self.sandbox.engine.tick()
        except HTTPException as error:
            return _problem(error.code or 404, error.name)
        except RoomRefusal as refusal:
            return _problem(409, str(refusal))
        except KeyError as error:
            return _problem(404, f"There is no {error.args[0]} here.")
        except Refusal as refusal:
            return _problem(refusal.status, str(refusal.detail))
        except (TypeError, ValueError, OverflowError) as error:
            return _problem(400, str(error))
        return reply if isinstance(reply, Response) else rendered(reply)


def _problem(status: int, text: str) -> Response:
    return rendered(Reply({"error": text}, status))
