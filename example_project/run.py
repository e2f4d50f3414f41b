"""``make run``: sandbox, site and worker, one whole conversation, and then the site is yours.

``ONCE=1`` exits after the conversation, with 0 only if every step really happened. ``PORT`` and
``SANDBOX_PORT`` move the site and the sandbox.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType

from orchestrator import site
from orchestrator.children import Children, die_with_make
from orchestrator.failures import RunFailedError
from orchestrator.play import play
from orchestrator.ports import HOST, Ports, choose_ports


def main() -> int:
    """Run; return the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    die_with_make(os.environ)
    try:
        ports = choose_ports(os.environ)
        return _run(ports)
    except RunFailedError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _run(ports: Ports) -> int:
    folder = site.run_folder(ports.site)
    site.clean(folder)
    environ = site.environment(os.environ, ports, folder)
    children = Children(site.project_folder(), folder, environ)
    try:
        site.start(children, ports, _say)
        play(ports, _say, children.check)
        if not site.is_once(os.environ):
            _stay(children, ports)
    except RunFailedError as error:
        raise RunFailedError(f"{error}{children.tails()}") from error
    finally:
        _stop_all(children)
    return 0


def _stay(children: Children, ports: Ports) -> None:
    _say(f"Yours: http://{HOST}:{ports.site}/ (demo/demo), its admin at /admin/. Ctrl-C stops it.")
    while True:
        children.check()
        time.sleep(0.5)


def _stop_all(children: Children) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # stopping is not to be stopped half-way
    children.stop()
    _say("everything is stopped")


def _stop(number: int, _: FrameType | None) -> None:
    # Leaving the site with Ctrl-C is how it is meant to end; as a status, 130 and 143 say so.
    raise SystemExit(128 + number)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
