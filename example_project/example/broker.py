"""The embedded broker: kombu's ``filesystem://``, with messages that appear whole or not at all.

Kombu's own creates the file, locks it and then writes, and its reader takes files without looking
at the lock: a worker that looks at that moment reads half a message and dies of it.
"""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

from kombu import transport
from kombu.transport import filesystem


class Channel(filesystem.Channel):
    """Writes a message beside its place and moves it there."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        draft = folder / f".{name}.draft"  # a name that no reader asks for
        draft.write_text(json.dumps(payload), encoding="utf-8")
        draft.replace(folder / name)


class Transport(filesystem.Transport):
    """The file system transport with that channel."""

    Channel = Channel


def install() -> None:
    """Let ``filesystem://`` mean this transport in this process."""
    transport.TRANSPORT_ALIASES["filesystem"] = "example.broker:Transport"
