"""The pages: a list of conversations, and the room where a person talks to the replica."""

from __future__ import annotations

from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from django_tavus.sandbox.engine.conversations import Conversation, Turn

if TYPE_CHECKING:
    from django_tavus.sandbox.play import Sandbox

ASSETS = Path(__file__).parent.parent / "assets"
CONTENT_TYPES = {
    "room.css": "text/css",
    "room.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}

# No X-Frame-Options and no frame-ancestors: the room is made to be framed by another origin.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'",
    "Referrer-Policy": "no-referrer",  # the URL of a private room holds its token
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def spoken(turn: Turn) -> dict[str, Any]:
    """A turn as the page shows it."""
    return {"role": turn.role, "content": turn.content, "said_at": turn.said_at.isoformat()}


def state(conversation: Conversation, person_id: str = "") -> dict[str, Any]:
    """Everything that changes on the page."""
    return {
        "status": conversation.status,
        "shutdown_reason": conversation.shutdown_reason,
        "replica_joined": conversation.replica_joined_at is not None,
        "inside": person_id in conversation.participants,
        "people": [person.name for person in conversation.participants.values()],
        "turns": [spoken(turn) for turn in conversation.turns],
    }


def room_page(conversation: Conversation) -> Response:
    """The room."""
    return _page(
        "room.html",
        persona=conversation.persona.name,
        replica=conversation.replica.name,
        initial=conversation.replica.name[:1].upper(),
        name=conversation.conversation_name,
        mode="audio" if conversation.request.get("audio_only") else "video",
    )


def message_page(text: str, status: int) -> Response:
    """A page that only says something."""
    return _page("message.html", status, text=text)


def index_page(sandbox: Sandbox) -> Response:
    """The list of conversations, newest first."""
    conversations = [sandbox.conversation(key) for key in sandbox.engine.conversations]
    rows = "".join(_row(conversation) for conversation in reversed(conversations))
    template = Template((ASSETS / "index.html").read_text())
    empty = '<tr><td colspan="5" class="empty">No conversation yet.</td></tr>'
    page = template.substitute(
        rows=rows or empty,
        base_url=escape(sandbox.base_url),
        personas=len(sandbox.engine.personas),
        replicas=len(sandbox.engine.replicas),
        documents=len(sandbox.engine.documents),
        now=escape(_time(sandbox.now())),
    )
    return Response(page, mimetype="text/html", headers=HEADERS)


def asset(name: str) -> Response:
    """A style sheet or script. Raises NotFound."""
    if name not in CONTENT_TYPES:
        raise NotFound
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return Response((ASSETS / name).read_bytes(), mimetype=CONTENT_TYPES[name], headers=headers)


def _page(template: str, status: int = 200, **values: str) -> Response:
    escaped = {name: escape(value) for name, value in values.items()}
    page = Template((ASSETS / template).read_text()).substitute(escaped)
    return Response(page, status, mimetype="text/html", headers=HEADERS)


def _row(conversation: Conversation) -> str:
    name = escape(conversation.conversation_name)
    # A private room is not linked: its token is for the one who created it.
    if conversation.is_active and not conversation.private:
        name = f'<a href="/sandbox/rooms/{conversation.id}">{name}</a>'
    cells = (
        f'<span class="badge {conversation.status}">{conversation.status}</span>',
        name,
        escape(conversation.persona.name),
        escape(_time(conversation.created_at)),
        escape(conversation.shutdown_reason or ("private" if conversation.private else "")),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
