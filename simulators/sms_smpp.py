"""A carrier's message centre over SMPP 3.4 with the faults of a bad day."""

import asyncio
from contextlib import suppress
from itertools import count

from simulators.sms_house import House, Letter, Mood
from simulators.sms_smpp_pdus import BadPdu, Pdu, Submit, login_of, receipt, whole

__all__ = ["SmppCentre"]

OK, NOT_BOUND, BAD_PASSWORD, BAD_LENGTH = 0x00, 0x04, 0x0E, 0x01
BAD_NUMBER, SYSTEM_ERROR, THROTTLED, LIMIT, UNKNOWN_COMMAND = 0x0B, 0x08, 0x58, 0x0400, 0x03
LONGEST = 64 * 1024
#: a receipt nobody confirmed is sent again after so long
AGAIN_S = 2.0
BINDS = ("bind_transceiver", "bind_transmitter", "bind_receiver")


class _Esme:
    """One client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.bound = ""
        self.waiting: dict[int, Letter] = {}
        self.sequence = count(1)

    @property
    def receives(self) -> bool:
        return self.bound in ("bind_transceiver", "bind_receiver")


class SmppCentre:
    """Serves clients that know `login`, system id and password. `hex_ids`: answers say ids in hex, receipts
    in decimal, as some centres do.
    """

    def __init__(
        self,
        house: House,
        login: tuple[str, str] = ("hall", "secret"),
        *,
        hex_ids: bool = False,
        again_s: float = AGAIN_S,
    ) -> None:
        self._again_s = again_s
        self.house, self._login, self._hex_ids = house, login, hex_ids
        self._clients: set[_Esme] = set()
        self.owed: list[Letter] = []
        self.parts: list[Submit] = []
        house.on_receipt = self._owe

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
        """Listens; the port is in the server's socket."""
        return await asyncio.start_server(self._connected, host, port)

    def cut(self) -> None:
        """Every connection breaks."""
        for client in self._clients:
            client.writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Esme(reader, writer)
        self._clients.add(client)
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    head = await reader.readexactly(4)
                    size = int.from_bytes(head, "big")
                    if not 16 <= size <= LONGEST:
                        break
                    pdu = Pdu.read(head + await reader.readexactly(size - 4))
                    tasks.create_task(self._heard(client, pdu), name="pdu")
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._clients.discard(client)
            self.owed += client.waiting.values()
            writer.close()

    async def _heard(self, client: _Esme, pdu: Pdu) -> None:
        if pdu.answer:
            self._confirmed(client, pdu)
            return
        if pdu.name in BINDS:
            self._bind(client, pdu)
        elif pdu.name == "submit_sm":
            await self._submit(client, pdu)
        elif pdu.name in ("enquire_link", "unbind"):
            client.writer.write(whole(pdu.name, pdu.sequence, answer=True))
            if pdu.name == "unbind":
                client.writer.close()
        else:
            client.writer.write(whole("", pdu.sequence, answer=True, status=UNKNOWN_COMMAND))

    def _bind(self, client: _Esme, pdu: Pdu) -> None:
        try:
            right = login_of(pdu) == self._login
        except BadPdu:
            right = False
        if right:
            client.bound = pdu.name
        status = OK if right else BAD_PASSWORD
        client.writer.write(whole(pdu.name, pdu.sequence, b"centre\0", answer=True, status=status))
        if client.receives:
            owed, self.owed = self.owed, []
            for letter in owed:
                self._owe(letter)

    async def _submit(self, client: _Esme, pdu: Pdu) -> None:
        mood = self.house.mood()
        if "slow" in mood:
            await asyncio.sleep(mood.seconds("slow"))
        status, letter = self._taken(client, pdu, mood)
        if letter is not None and "accept-then-cut" in mood:
            client.writer.transport.abort()
            return
        if letter is not None and "accept-then-timeout" in mood:
            await asyncio.sleep(mood.seconds("accept-then-timeout"))
        body = b"" if letter is None else self._id(letter, answer=True).encode() + b"\0"
        with suppress(OSError):
            client.writer.write(whole("submit_sm", pdu.sequence, body, answer=True, status=status))

    def _taken(self, client: _Esme, pdu: Pdu, mood: Mood) -> tuple[int, Letter | None]:
        if client.bound not in ("bind_transceiver", "bind_transmitter"):
            return NOT_BOUND, None
        for fault, status in (("throttle", THROTTLED), ("unavailable", SYSTEM_ERROR), ("limit", LIMIT)):
            if fault in mood:
                return status, None
        try:
            submit = Submit.read(pdu)
        except BadPdu:
            self.house.refuse()
            return BAD_LENGTH, None
        if not self.house.known(submit.to):
            self.house.refuse()
            return BAD_NUMBER, None
        self.parts.append(submit)
        return OK, self.house.take(submit.to, submit.text, mood)

    def _owe(self, letter: Letter) -> None:
        """A receipt goes to somebody who receives; until it is confirmed it is owed."""
        client = next((c for c in self._clients if c.receives and not c.writer.is_closing()), None)
        if client is None:
            self.owed.append(letter)
            return
        sequence = next(client.sequence)
        client.waiting[sequence] = letter
        letter.receipts += 1
        day = f"{self.house.clock.now():%y%m%d%H%M}"
        stat = "DELIVRD" if letter.delivered else "UNDELIV"
        message_id = self._id(letter, answer=False)
        client.writer.write(receipt(sequence, message_id, "10690000", letter.to, stat, day))

    def _confirmed(self, client: _Esme, pdu: Pdu) -> None:
        letter = client.waiting.pop(pdu.sequence, None)
        if letter is not None and pdu.status != OK:
            asyncio.get_running_loop().call_later(self._again_s, self._owe, letter)

    def _id(self, letter: Letter, *, answer: bool) -> str:
        number = 0xA0000000 + letter.number
        return f"{number:x}" if answer and self._hex_ids else str(number)
