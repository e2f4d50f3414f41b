"""``manage.py tavus_sandbox``: Tavus, played on this machine."""

from __future__ import annotations

import errno
import signal
import threading
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_tavus.management.arguments import duration, probability

if TYPE_CHECKING:  # the sandbox needs an extra, without which this command must still load
    from django_tavus.sandbox import Callback
    from django_tavus.sandbox.server import SandboxServer

WITHOUT_EXTRA = 'The sandbox needs an extra: pip install "django-tavus[sandbox]"'
PACES = ("quick", "realistic")
OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--host", {"default": "127.0.0.1", "help": "Address to listen on (default: %(default)s)."}),
    ("--port", {"type": int, "default": 8085, "help": "Port (default: %(default)s); 0 is any."}),
    ("--public-url", {"help": "Origin at which browsers reach the rooms, if it is another."}),
    ("--drop", {"type": probability, "default": 0, "help": "Probability of losing a callback."}),
    ("--duplicate", {"type": probability, "default": 0, "help": "… of sending one twice."}),
    ("--shuffle", {"action": "store_true", "help": "Send callbacks out of order."}),
    ("--latency", {"type": duration, "default": 0, "help": "Seconds before every answer."}),
    ("--errors", {"type": probability, "default": 0, "help": "Probability of a failed request."}),
    ("--max-concurrent", {"type": int, "help": "Conversations that may run at once."}),
    ("--max-call-duration", {"type": int, "help": "Seconds after which the plan ends a call."}),
    ("--credits", {"type": duration, "help": "Minutes of conversation that are paid for."}),
    ("--seed", {"type": int, "help": "Make ids and mishaps the same each time."}),
    ("--pace", {"choices": PACES, "default": "quick", "help": "How long things take."}),
)

OF_THE_ACCOUNT = (
    *("seed", "max_concurrent", "max_call_duration", "credits", "pace"),
    *("drop", "duplicate", "shuffle", "latency", "errors"),
)


class Command(BaseCommand):
    """Serve the sandbox until Ctrl-C or SIGTERM."""

    help = "Serves the Tavus API v2 from an account that exists in memory only."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The table above."""
        for name, details in OPTIONS:
            parser.add_argument(name, **details)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        server = self._server(options)
        sandbox = server.sandbox
        try:
            server.start()
        except OSError as error:
            raise CommandError(_reason(error, server)) from None
        try:
            self.stdout.write(f"The Tavus sandbox is at {sandbox.base_url}")
            self.stdout.write(f"Rooms and state: {sandbox.origin}/sandbox/  Quit with Ctrl-C.")
            self.stdout.flush()
            _wait()
        finally:
            server.stop()

    def _server(self, options: dict[str, Any]) -> SandboxServer:
        try:
            from django_tavus.sandbox import Sandbox
            from django_tavus.sandbox.server import SandboxServer
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "werkzeug":
                raise
            raise CommandError(WITHOUT_EXTRA) from error
        return SandboxServer(
            Sandbox(**{name: options[name] for name in OF_THE_ACCOUNT}),
            options["host"],
            options["port"],
            public_url=options["public_url"],
            report=self._report if options["verbosity"] > 1 else None,
        )

    def _report(self, callback: Callback, outcome: str) -> None:
        name = callback.body.get("event_type") or callback.body.get("status")
        self.stdout.write(f"callback {name}: {outcome}")
        self.stdout.flush()


def _reason(error: OSError, server: SandboxServer) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {server.port} of {server.host} is taken; choose another one with --port."
    return f"Cannot listen on {server.host}:{server.port}: {error.strerror}."


def _wait() -> None:
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    # With a limit, because a wait without one cannot be interrupted on every system.
    while not stop.wait(1.0):
        pass
