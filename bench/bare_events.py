"""Baseline of the boards: a bare asyncio server that writes one event to everybody who listens."""

import asyncio
import sys

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


async def main() -> None:
    """`GET /` listens, `POST /` makes everybody hear."""
    listeners: set[asyncio.StreamWriter] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET"):
            writer.write(_HEAD)
            listeners.add(writer)
            return
        event = b"event: fact\ndata: " + b"x" * int(sys.argv[1]) + b"\n\n"
        for each in listeners:
            each.write(event)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=1_000)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
