"""Projectors with PJLink class 1 or 2 on TCP 4352: greeting, password, lamp that warms up and cools down.

One client at a time; a connection without a word for half a minute is hung up.
"""

import asyncio
import hashlib

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.pjlink_projector import Projector

__all__ = ["FAULTS", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "nack:n", "busy", "stuck")

#: a projector hangs up after so many seconds of silence
IDLE_S = 30.0
#: bytes without a carriage return that are no PJLink
_LONGEST = 256


class _Connection:
    """One client: what it said so far, and whether it has shown that it knows the password."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.known = not token
        self.heard = b""
        self.idle: asyncio.TimerHandle | None = None

    def wait(self, link: Link) -> None:
        """Hang up when nothing is said for a while."""
        self.close()
        self.idle = asyncio.get_running_loop().call_later(IDLE_S, link.hang_up)

    def close(self) -> None:
        if self.idle:
            self.idle.cancel()


class _Socket:
    """The network socket of one projector."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options | device.setup.options
        self._password: str = options.get("password", "")
        self._connections: dict[Link, _Connection] = {}

    def greet(self, link: Link) -> None:
        """A client connected."""
        if self._connections:
            link.hang_up()
            return
        token = f"{self._device.random.getrandbits(32):08x}" if self._password else ""
        connection = self._connections[link] = _Connection(token)
        connection.wait(link)
        faults = self._device.faults
        if faults.on("silence"):
            return
        words = f"PJLINK 1 {token}\r" if token else "PJLINK 0\r"
        self._device.line.send_later(link, words.encode("ascii"), (faults.number("slow") or 0) / 1000)

    async def heard(self, link: Link, data: bytes) -> None:
        connection = self._connections.get(link)
        if connection is None or not hears(self._device):
            return
        connection.wait(link)
        *lines, connection.heard = (connection.heard + data).split(b"\r")
        if len(connection.heard) > _LONGEST:
            link.hang_up()
            return
        for line in lines:
            await self._serve(link, connection, line)

    def lost(self, link: Link) -> None:
        connection = self._connections.pop(link, None)
        if connection:
            connection.close()

    async def _serve(self, link: Link, connection: _Connection, line: bytes) -> None:
        if not connection.known:
            right = hashlib.md5((connection.token + self._password).encode(), usedforsecurity=False)
            given, line = line[:32], line[32:]
            if given.decode("latin-1").lower() != right.hexdigest():
                await answer(self._device, link, b"PJLINK ERRA\r")
                return
            connection.known = True
        words = line.decode("utf-8", errors="replace")
        if words[:1] != "%" or words[6:7] != " ":
            return  # nothing PJLink knows: the standard lets it be ignored
        kind, command, parameter = words[1], words[2:6].upper(), words[7:]
        projector = self._device.body
        assert isinstance(projector, Projector)
        reply = projector.do(kind, command, parameter)
        await answer(self._device, link, f"%{kind}{command}={reply}\r".encode())


def build_body(device: SimDevice) -> Projector:
    """The body of one projector."""
    return Projector(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Socket:
    """The socket of one address. Only one projector can stand at it."""
    socket = _Socket(devices[0])
    joined = line.joined

    def greeted(link: Link) -> None:
        joined(link)
        socket.greet(link)

    # a line tells of what it hears; PJLink alone speaks first
    line.joined = greeted  # type: ignore[method-assign]
    return socket
