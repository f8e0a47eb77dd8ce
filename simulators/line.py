"""The wire of one address: a listening TCP port or a pty, shared by all devices that hang on it.

Bytes are handled one after another by one task, as on a real bus: whoever is slow holds up the others.
"""

import asyncio
import os
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlsplit

from hall_core.errors import SettingsInvalid

__all__ = ["Line", "Link"]


#: seconds until a taken port is tried again
_AGAIN_S = 0.2


class Link(Protocol):
    """The other side of one connection (for a pty there is one for good)."""

    def send(self, data: bytes) -> None: ...

    def hang_up(self) -> None: ...


class _TcpLink(asyncio.Protocol):
    def __init__(self, line: "Line") -> None:
        self._line = line
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Other loops' transports do not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._line.joined(self)

    def data_received(self, data: bytes) -> None:
        self._line.came_in(self, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 — asyncio's signature
        self._line.left(self)

    def send(self, data: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)

    def hang_up(self) -> None:
        if self._transport:
            self._transport.abort()


class _PtyLink:
    """The master side of a pty whose slave is linked at `path`. What nobody reads is lost, as on a wire."""

    def __init__(self, line: "Line", path: Path) -> None:
        self._line, self._path = line, path
        if path.exists() and not path.is_symlink():
            msg = f"{path} exists and is no link; a simulated line cannot take its place: choose another path"
            raise SettingsInvalid(msg)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._readable)
        line.joined(self)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, 4096)
        except BlockingIOError:
            return
        self._line.came_in(self, data)

    def send(self, data: bytes) -> None:
        try:
            os.write(self._master, data)
        except BlockingIOError:
            return

    def hang_up(self) -> None:
        """A cable is not hung up."""

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        if self._path.is_symlink() and self._path.readlink() == Path(os.ttyname(self._slave)):
            self._path.unlink()
        os.close(self._master)
        os.close(self._slave)


class Line:
    """One address of a hall. Plug `heard`, `lost` and `in_service` before opening.

    `in_service` tells whether any device is alive; a TCP port without a living device refuses connections.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        parts = urlsplit(address)
        self.scheme = parts.scheme
        self.links: set[Link] = set()
        self.heard: Callable[[Link, bytes], Awaitable[None]] = _deaf
        self.lost: Callable[[Link], None] = lambda _link: None
        self.in_service: Callable[[], bool] = lambda: True
        self._host, self._port, self._path = parts.hostname or "127.0.0.1", parts.port, parts.path
        if self.scheme not in {"serial", "web"} and self._port is None:
            msg = f"address {address!r} names no port; write {self.scheme}://host:port"
            raise SettingsInvalid(msg)
        self._inbox: asyncio.Queue[tuple[Link, bytes] | None] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self._pty: _PtyLink | None = None
        self._late: set[asyncio.TimerHandle] = set()
        self._again: asyncio.TimerHandle | None = None

    @property
    def is_rtu(self) -> bool:
        """True where frames carry serial framing rather than native TCP framing."""
        return self.scheme in {"serial", "rtu+tcp"}

    async def open(self) -> None:
        """Listen. Raises OSError when the port is taken, SettingsInvalid when the path is."""
        if self.scheme == "serial":
            self._pty = _PtyLink(self, Path(self._path))
        else:
            await self._listen()

    async def run(self) -> None:
        """Handle what comes in and follow the devices' faults; runs until cancelled."""
        while True:
            item = await self._inbox.get()
            if item is None:
                await self._follow_service()
            elif item[0] in self.links:
                await self.heard(*item)

    def close(self) -> None:
        """Hang up everybody and free the address."""
        for handle in (*self._late, self._again):
            if handle:
                handle.cancel()
        self._late.clear()
        if self._pty:
            self.links.discard(self._pty)
            self._pty.close()
            self._pty = None
        self._shut()

    def speak(self, data: bytes) -> None:
        """Send to everybody on the line."""
        for link in self.links:
            link.send(data)

    def send_later(self, link: Link, data: bytes, seconds: float) -> None:
        """Send after a while, if the other side still listens then."""

        def due() -> None:
            self._late.discard(handle)
            if link in self.links:
                link.send(data)

        handle = asyncio.get_running_loop().call_later(seconds, due)
        self._late.add(handle)

    def device_changed(self) -> None:
        """A device's fault changed: the line may have to go down or come back."""
        self._inbox.put_nowait(None)

    def joined(self, link: Link) -> None:
        self.links.add(link)

    def left(self, link: Link) -> None:
        if link in self.links:
            self.links.discard(link)
            self.lost(link)

    def came_in(self, link: Link, data: bytes) -> None:
        self._inbox.put_nowait((link, data))

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _TcpLink(self), self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.address = f"{self.scheme}://{self._host}:{self._port}"

    async def _follow_service(self) -> None:
        if self.scheme == "serial":
            return
        if not self.in_service():
            self._shut()
        elif self._server is None:
            try:
                await self._listen()
            except OSError:
                # somebody took the port meanwhile; the device comes back when it is free again
                self._again = asyncio.get_running_loop().call_later(_AGAIN_S, self.device_changed)

    def _shut(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for link in [*self.links]:
            link.hang_up()
            self.left(link)


async def _deaf(_link: Link, _data: bytes) -> None:
    return
