"""Bytes to and from one address."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

import serial
import serial_asyncio_fast

from device_drivers.bus.address import Address
from hall_core.devices.profile import Profile, SerialLine
from hall_core.errors import DeviceUnreachable

__all__ = ["Link", "Opener", "open_link"]

#: a link that does not close in this time (s) is forgotten
CLOSING_S = 1.0
#: a serial device that cannot be opened in this time (s) is not there
SERIAL_OPEN_S = 3.0


class Link(asyncio.Protocol):
    """One open link. `hear` gets every byte; `lost` is called once when the other side ends it."""

    def __init__(self, hear: Callable[[bytes], None], lost: Callable[["Link"], None]) -> None:
        self._hear, self._lost = hear, lost
        self._transport: asyncio.WriteTransport | None = None
        self._closing = False
        self._gone = asyncio.Event()

    @property
    def alive(self) -> bool:
        """True while bytes can be written."""
        return self._transport is not None and not self._closing and not self._gone.is_set()

    def write(self, data: bytes) -> None:
        """Send bytes. Only when `alive`."""
        assert self._transport is not None
        self._transport.write(data)

    async def close(self) -> None:
        """End the link; whatever still arrives is heard by nobody."""
        self._closing = True
        if self._transport is None:
            return
        self._transport.close()
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._gone.wait()
        except TimeoutError:
            # a transport that has begun to close its port must not be aborted on top of it
            if self._transport.get_write_buffer_size():
                self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A stream's transport writes; other loops' transports do not inherit from asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        if not self._closing:
            self._hear(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whatever the cause, the link is gone
        self._gone.set()
        if not self._closing:
            self._lost(self)


#: opens an address for a model: (address, profile, hear, lost). Raises DeviceUnreachable
Opener = Callable[[Address, Profile, Callable[[bytes], None], Callable[[Link], None]], Awaitable[Link]]


async def open_link(
    address: Address, profile: Profile, hear: Callable[[bytes], None], lost: Callable[[Link], None]
) -> Link:
    """Connect, within the profile's time. Raises DeviceUnreachable."""
    link = Link(hear, lost)
    try:
        if address.scheme == "serial":
            await _open_serial(link, address.path, profile.serial or SerialLine())
        else:
            connect_s = profile.tcp.connect_timeout_ms / 1000 if profile.tcp else 3.0
            async with asyncio.timeout(connect_s):
                await _open_tcp(link, address)
    except TimeoutError as error:
        await link.close()
        raise DeviceUnreachable(f"{address} 连接超时，请检查网络和电源 (connecting timed out)") from error
    except (OSError, serial.SerialException) as error:
        raise DeviceUnreachable(f"{address} 连接不上，请检查网络、接线和电源 ({error})") from error
    return link


async def _open_tcp(link: Link, address: Address) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(lambda: link, address.host, address.port)
    plug = transport.get_extra_info("socket")
    # a serial server that lost its power never says so; without this a silent bus would look well for hours
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            plug.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class _SerialPort(serial.Serial):
    """Reads without `select`, which knows no file descriptor above 1023."""

    def read(self, size: int | None = 1, /) -> bytes:
        assert self.fd is not None
        try:
            data = os.read(self.fd, size or 1)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise serial.SerialException(f"read failed: {error}") from error
        if not data:
            raise serial.SerialException("ready to be read and empty: is it unplugged?")
        return data


async def _open_serial(link: Link, path: str, line: SerialLine) -> None:
    bits, parity, stop = line.format
    open_port = partial(
        _SerialPort,
        path,
        baudrate=line.baud,
        bytesize=int(bits),
        parity=parity,
        stopbits=int(stop),
        exclusive=True,
    )
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(SERIAL_OPEN_S):
        port = await loop.run_in_executor(None, open_port)
    link.connection_made(serial_asyncio_fast.SerialTransport(loop, link, port))
