"""``Prefer: wait=N`` (RFC 7240): hold the answer until a launch has come to something."""

from __future__ import annotations

import re
import time
import uuid

from django.db import connections
from rest_framework.request import Request

from django_tavus.models import Conversation
from django_tavus.models.choices import ConversationStatus

LONGEST = 30  # seconds
PAUSES = (0.05, 0.1, 0.2, 0.4)  # seconds between two looks; the last one repeats
STARTING = frozenset({ConversationStatus.QUEUED, ConversationStatus.LAUNCHING})
WAIT = re.compile(r"""(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=[;,]|$)""", re.IGNORECASE | re.ASCII)


def preferred_wait(request: Request) -> int | None:
    """Return the seconds that the client would wait, at most 30; ``None`` without the wish.

    What cannot be read is no preference, says the RFC, and not an error.
    """
    found = WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), LONGEST) if found else None


def wait_for_launch(pk: uuid.UUID, seconds: float) -> bool:
    """Wait until a conversation has left ``queued`` and ``launching``; return whether it has.

    Each look is a query of its own. Inside somebody's transaction there is nothing to wait for:
    the launch is enqueued when it commits, and would not be seen in it.
    """
    deadline = time.monotonic() + seconds
    rows = Conversation.objects.filter(pk=pk, status__in=STARTING)
    looks = 0
    while rows.exists():
        left = deadline - time.monotonic()
        if left <= 0 or connections[rows.db].in_atomic_block:
            return False
        time.sleep(min(left, PAUSES[min(looks, len(PAUSES) - 1)]))
        looks += 1
    return True
