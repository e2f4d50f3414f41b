"""A stub of Tavus in a process of its own: ``python -m benchmarks.stub <port> <latency>``.

It answers every POST after ``latency`` seconds as if a conversation had been made, and costs
little while it waits.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from datetime import UTC, datetime


def created(request: dict[str, object]) -> bytes:
    """Return the answer to a create."""
    tavus_id = f"c{uuid.uuid4().hex[:16]}"
    body = {
        "conversation_id": tavus_id,
        "conversation_name": request.get("conversation_name") or "New Conversation",
        "conversation_url": f"https://tavus.daily.co/{tavus_id}",
        "status": "active",
        "callback_url": request.get("callback_url"),
        "created_at": datetime.now(UTC).isoformat(),
    }
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    return head.encode() + b"\r\n\r\n" + content


async def serve(port: int, latency: float) -> None:
    """Serve on loopback until killed."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                request = json.loads(await reader.readexactly(length) or b"{}")
                await asyncio.sleep(latency)
                writer.write(created(request))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
