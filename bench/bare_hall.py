"""The floor under a call: bare asyncio, one FULL commit, one raw Modbus TCP write, no program around it.

`python bench/bare_hall.py DATABASE STRIP_PORT` answers every POST `{"label": …, "row": …}`.
"""

import asyncio
import json
import sqlite3
import struct
import sys

#: mode called, 6 blinks, brightness 12, commit, 12 reserved registers (map of modbus.led-strip-generic)
_HEAD = struct.pack(">4H", 2, 6, 12, 1) + bytes(24)


def modbus_frame(transaction: int, label: str) -> bytes:
    """Function 16: registers 0 to 47 of unit 1 in one request."""
    pdu = struct.pack(">BBHHB", 1, 16, 0, 48, 96) + _HEAD + label.encode("gbk").ljust(64)
    return struct.pack(">HHH", transaction & 0xFFFF, 0, len(pdu)) + pdu


async def main(database: str, strip_port: int) -> None:
    """Serve until killed."""
    disk = sqlite3.connect(database, isolation_level=None)
    disk.executescript(
        "PRAGMA journal_mode=wal; PRAGMA synchronous=FULL; CREATE TABLE facts (n INTEGER PRIMARY KEY, body)"
    )
    strip_answers, strip = await asyncio.open_connection("127.0.0.1", strip_port)
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            wanted = json.loads(await reader.readexactly(length))
            count += 1
            disk.execute("INSERT INTO facts (body) VALUES (?)", (wanted["row"],))  # autocommit: durable here
            strip.write(modbus_frame(count, wanted["label"]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await strip_answers.readexactly(12)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
