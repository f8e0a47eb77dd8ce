"""China Mobile's short message gateway (ISMG) over CMPP 2.0 and 3.0 with the faults of a bad day.

Written from the protocol's chapter 7.4: a client's version chooses the layout of everything after its login.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import md5
from itertools import count

from simulators.sms_house import House, Letter, Mood

__all__ = ["CmppGate"]

CONNECT, TERMINATE, SUBMIT, DELIVER, ACTIVE_TEST = 1, 2, 4, 5, 8
ANSWER = 0x80000000
OK, BAD_STRUCTURE, BAD_SOURCE, BAD_AUTH, VERSION_TOO_HIGH = 0, 1, 2, 3, 4
FLOW_CONTROL, BAD_LENGTH, NOT_SERVED, BAD_NUMBER, OTHER = 8, 4, 9, 13, 66
ENCODINGS = {0: "ascii", 8: "utf-16-be", 15: "gb18030"}
#: a report nobody confirmed is sent again after so long (the protocol says 60 s)
AGAIN_S = 60.0
LONGEST = 16 * 1024


def message(command: int, sequence: int, body: bytes = b"") -> bytes:
    """A whole message."""
    return b"".join(n.to_bytes(4, "big") for n in (12 + len(body), command, sequence)) + body


@dataclass(eq=False)
class _Provider:
    """One service provider's connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    version: int = 0
    waiting: dict[int, Letter] = field(default_factory=dict)
    sequence: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def new(self) -> bool:
        return self.version >= 0x30


class CmppGate:
    """Serves clients that know `login`, enterprise code and shared secret."""

    def __init__(
        self, house: House, login: tuple[str, str] = ("900001", "secret"), *, again_s: float = AGAIN_S
    ) -> None:
        self.house, self._again_s = house, again_s
        self._account, self._secret = login
        self.owed: list[Letter] = []
        self._providers: set[_Provider] = set()
        house.on_receipt = self._owe

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
        """Listens; the port is in the server's socket."""
        return await asyncio.start_server(self._connected, host, port)

    def cut(self) -> None:
        """Every connection breaks."""
        for provider in self._providers:
            provider.writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        provider = _Provider(reader, writer)
        self._providers.add(provider)
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    size = int.from_bytes(await reader.readexactly(4), "big")
                    if not 12 <= size <= LONGEST:
                        break
                    rest = await reader.readexactly(size - 4)
                    command, sequence = int.from_bytes(rest[:4], "big"), int.from_bytes(rest[4:8], "big")
                    tasks.create_task(self._heard(provider, command, sequence, rest[8:]), name="message")
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._providers.discard(provider)
            self.owed += provider.waiting.values()
            writer.close()

    async def _heard(self, provider: _Provider, command: int, sequence: int, body: bytes) -> None:
        if command == CONNECT:
            self._login(provider, sequence, body)
        elif command == SUBMIT:
            await self._submit(provider, sequence, body)
        elif command == DELIVER | ANSWER:
            provider.waiting.pop(sequence, None)
        elif command == ACTIVE_TEST:
            provider.writer.write(message(ACTIVE_TEST | ANSWER, sequence, b"\0"))
        elif command == TERMINATE:
            provider.writer.write(message(TERMINATE | ANSWER, sequence))
            provider.writer.close()

    def _login(self, provider: _Provider, sequence: int, body: bytes) -> None:
        status = BAD_STRUCTURE
        if len(body) == 27:
            account, proof, version = body[:6].rstrip(b"\0").decode("ascii", "replace"), body[6:22], body[22]
            # The time comes as a number; its leading zero counts in the digest.
            stamp = f"{int.from_bytes(body[23:], 'big'):010d}"
            wanted = md5(body[:6] + bytes(9) + self._secret.encode() + stamp.encode(), usedforsecurity=False)
            provider.version = version
            if version > 0x30:
                status = VERSION_TOO_HIGH
            elif account != self._account:
                status = BAD_SOURCE
            else:
                status = OK if proof == wanted.digest() else BAD_AUTH
        raw = status.to_bytes(4 if provider.new else 1, "big")
        own = md5(raw + body[6:22] + self._secret.encode(), usedforsecurity=False).digest()
        answer = message(CONNECT | ANSWER, sequence, raw + own + bytes([min(provider.version, 0x30)]))
        if status:
            provider.version = 0
        provider.writer.write(answer)
        if status == OK:
            owed, self.owed = self.owed, []
            for letter in owed:
                self._owe(letter)

    async def _submit(self, provider: _Provider, sequence: int, body: bytes) -> None:
        mood = self.house.mood()
        if "slow" in mood:
            await asyncio.sleep(mood.seconds("slow"))
        result, letter = self._taken(provider, body, mood)
        if letter is not None and "accept-then-cut" in mood:
            provider.writer.transport.abort()
            return
        if letter is not None and "accept-then-timeout" in mood:
            await asyncio.sleep(mood.seconds("accept-then-timeout"))
        message_id = self._id(letter) if letter else bytes(8)
        answer = message_id + result.to_bytes(4 if provider.new else 1, "big")
        with suppress(OSError):
            provider.writer.write(message(SUBMIT | ANSWER, sequence, answer))

    def _taken(self, provider: _Provider, body: bytes, mood: Mood) -> tuple[int, Letter | None]:
        if not provider.version:
            return NOT_SERVED, None
        for fault, result in (("throttle", FLOW_CONTROL), ("unavailable", FLOW_CONTROL), ("limit", OTHER)):
            if fault in mood:
                return result, None
        number = 32 if provider.new else 21
        # up to DestUsr_tl: 8 ids, 4, service 10, payer 1 + number, 3, source 6, fee 2 + 6, times 17 + 17, 21
        at = 8 + 4 + 10 + 1 + number + provider.new + 3 + 6 + 2 + 6 + 17 + 17 + 21
        coding_at = 8 + 4 + 10 + 1 + number + provider.new + 2
        if len(body) < at + 2 or body[at] < 1:
            self.house.refuse()
            return BAD_STRUCTURE, None
        to = body[at + 1 : at + 1 + number].rstrip(b"\0").decode("ascii", "replace")
        length_at = at + 1 + body[at] * number + provider.new
        tail = 20 if provider.new else 8
        if len(body) <= length_at or len(body) != length_at + 1 + body[length_at] + tail:
            self.house.refuse()
            return BAD_LENGTH, None
        raw = body[length_at + 1 : length_at + 1 + body[length_at]]
        try:
            text = raw.decode(ENCODINGS[body[coding_at]])
        except (KeyError, UnicodeDecodeError):
            self.house.refuse()
            return BAD_STRUCTURE, None
        if not self.house.known(to):
            self.house.refuse()
            return BAD_NUMBER, None
        return OK, self.house.take(to, text, mood)

    def _owe(self, letter: Letter) -> None:
        """A status report goes to whoever is logged in, and again while it is not confirmed."""
        provider = next((p for p in self._providers if p.version and not p.writer.is_closing()), None)
        if provider is None:
            self.owed.append(letter)
            return
        sequence = next(provider.sequence)
        provider.waiting[sequence] = letter
        letter.receipts += 1
        provider.writer.write(message(DELIVER, sequence, self._deliver(letter, new=provider.new)))

        def again() -> None:
            if provider in self._providers and provider.waiting.pop(sequence, None) is not None:
                self._owe(letter)

        asyncio.get_running_loop().call_later(self._again_s, again)

    def _deliver(self, letter: Letter, *, new: bool) -> bytes:
        size = 32 if new else 21
        to = letter.to.removeprefix("+").removeprefix("86").encode().ljust(size, b"\0")
        day = f"{self.house.clock.now():%y%m%d%H%M}".encode()
        stat = b"DELIVRD" if letter.delivered else b"UNDELIV"
        report = self._id(letter) + stat + day + day + to + letter.number.to_bytes(4, "big")
        head = self._id(letter) + b"10690000".ljust(21, b"\0") + b"\0" * 10 + b"\0\0\0" + to
        return head + b"\0" * new + b"\1" + bytes([len(report)]) + report + bytes(20 if new else 8)

    def _id(self, letter: Letter) -> bytes:
        """Month 4, day 5, hour 5, minute 6, second 6, gateway 22, sequence number 16 bits; from the same
        moment for every message of a run, so that answer and report agree.
        """
        moment = 11 << 22 | 23 << 17 | 9 << 12 | 30 << 6
        return (moment << 38 | 1 << 16 | letter.number & 0xFFFF).to_bytes(8, "big")
