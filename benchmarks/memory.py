"""Memory over many callbacks: one process, the real WSGI application, the real view, Redis.

Growth counts from the first tenth on, when caches, pools and the publisher's thread exist.
"""

from __future__ import annotations

import io
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.urls import reverse

from benchmarks import brokers, scale
from benchmarks.bodies import callbacks
from benchmarks.figures import table
from benchmarks.rows import active_conversations
from benchmarks.servers import resident_kib
from django_tavus.models import WebhookEvent
from django_tavus.services import tokens

SAMPLES = 10
ALLOWED_MIB = 5  # what an allocator may keep by chance; a leak of one body per callback is 150


def run() -> None:
    """Measure and print."""
    application = get_wsgi_application()
    conversation = active_conversations(1)[0]
    token = tokens.make_callback_token(conversation)
    path = reverse("django_tavus:callback", kwargs={"token": token})
    contents = callbacks(conversation)
    samples = []
    enqueued = 0
    for _ in range(SAMPLES):
        for _ in range(scale.CURRENT.memory // SAMPLES):
            _post(application, path, next(contents))
        enqueued += brokers.drain()
        samples.append(resident_kib() / 1024)
    if WebhookEvent.objects.count() != scale.CURRENT.memory:
        raise RuntimeError("Not every callback was stored.")
    if enqueued < scale.CURRENT.memory * 0.9:  # a loaded machine may make the seam rest
        raise RuntimeError(f"Only {enqueued} of {scale.CURRENT.memory} callbacks were enqueued.")
    growth = samples[-1] - samples[0]
    verdict = "flat" if growth < ALLOWED_MIB else "GROWS"
    columns = ("callbacks", "after a tenth", "greatest", "at the end", "growth MiB", "")
    figures = [f"{value:.1f}" for value in (samples[0], max(samples), samples[-1], growth)]
    table("Memory (RSS, MiB)", columns, [(f"{scale.CURRENT.memory}", *figures, verdict)])


def _post(application: Any, path: str, content: bytes) -> None:
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    answer = application(environ, lambda status, headers: statuses.append(status))
    b"".join(answer)
    answer.close()
    if statuses != ["200 OK"]:
        raise RuntimeError(f"The answer was {statuses}")
