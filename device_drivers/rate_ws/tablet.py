"""One tablet's connection."""

import asyncio
from collections.abc import Callable
from typing import cast

from device_drivers.bus.tap import Note
from device_drivers.rate_ws.websocket import ServerSocket

__all__ = ["Tablet"]


class Tablet(asyncio.Protocol):
    """Stands in `among` while it is connected; `hear` gets each of its messages and must not wait.

    `tap` hears the bytes of both sides.
    """

    def __init__(
        self, among: set["Tablet"], hear: Callable[["Tablet", str], None], tap: Note | None = None
    ) -> None:
        self.logged_in = False
        self._among, self._hear, self._tap = among, hear, tap
        self._socket = ServerSocket()
        self._transport: asyncio.Transport | None = None

    def say(self, text: str) -> None:
        """Send one message, if it still listens."""
        self._socket.say(text)
        self._send()

    def hang_up(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport by birth.
        self._transport = cast("asyncio.Transport", transport)
        self._among.add(self)

    def data_received(self, data: bytes) -> None:
        if self._tap:
            self._tap("<", data)
        for text in self._socket.feed(data):
            self._hear(self, text)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whatever the cause, it is gone and will dial again
        self.logged_in = False
        self._among.discard(self)

    def _send(self) -> None:
        data = self._socket.outgoing()
        if self._transport is None or self._transport.is_closing():
            return
        if data:
            if self._tap:
                self._tap(">", data)
            self._transport.write(data)
        if self._socket.ended:
            self._transport.close()
