"""The floor under sending: a bare asyncio client of SMPP with a window, and two FULL commits per window.

Nothing is decided, looked up, asked again or told; the numbers and texts are ready.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

__all__ = ["BareSmpp"]

BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, ANSWER = 9, 4, 5, 1 << 31


class BareSmpp:
    """Sends messages in windows: noted, handed over, noted again."""

    def __init__(self, database: Path, window: int) -> None:
        self._window = window
        self._rows = sqlite3.connect(database, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode=wal")
        self._rows.execute("PRAGMA synchronous=FULL")
        self._rows.execute("CREATE TABLE sent (n INTEGER PRIMARY KEY, state TEXT NOT NULL)")

    async def send(self, port: int, messages: Sequence[tuple[str, str]]) -> float:
        """Seconds for (number, text) messages to be accepted."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        login = b"hall\0secret\0\0\x34\0\0\0"
        writer.write(_pdu(BIND_TRANSCEIVER, 1, login))
        await _answers(reader, writer, 1)
        began = perf_counter()
        for start in range(0, len(messages), self._window):
            some = messages[start : start + self._window]
            self._note([(start + n, "sending") for n in range(len(some))])
            for n, (to, text) in enumerate(some):
                writer.write(_pdu(SUBMIT_SM, start + n + 2, _submit(to, text)))
            await _answers(reader, writer, len(some))
            self._note([(start + n, "accepted") for n in range(len(some))])
        spent = perf_counter() - began
        writer.close()
        return spent

    def close(self) -> None:
        """Close the database."""
        self._rows.close()

    def _note(self, rows: Sequence[tuple[int, str]]) -> None:
        self._rows.execute("BEGIN IMMEDIATE")
        self._rows.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?)", rows)
        self._rows.execute("COMMIT")


def _pdu(command: int, sequence: int, body: bytes) -> bytes:
    numbers = (16 + len(body), command, 0, sequence)
    return b"".join(number.to_bytes(4, "big") for number in numbers) + body


def _submit(to: str, text: str) -> bytes:
    raw = text.encode("utf-16-be")
    head = b"\0\0\0" + b"10690000\0" + b"\1\1" + to.removeprefix("+").encode() + b"\0"
    return head + b"\0\0\0\0\0\1\0\x08\0" + bytes([len(raw)]) + raw


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
    """Read until so many answers have come; receipts on the way are confirmed."""
    while count:
        size = int.from_bytes(await reader.readexactly(4), "big")
        rest = await reader.readexactly(size - 4)
        command, sequence = int.from_bytes(rest[:4], "big"), int.from_bytes(rest[8:12], "big")
        if command == DELIVER_SM:
            writer.write(_pdu(DELIVER_SM | ANSWER, sequence, b"\0"))
        else:
            count -= 1
