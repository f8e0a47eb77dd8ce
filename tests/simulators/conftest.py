"""Halls of simulated devices on free ports and ptys of this machine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hall_core.clock import FixedClock
from hall_core.devices.layout import HallFile
from simulators.hall import SimulatedHall
from simulators.line import Line, Link

HALL = {
    "hall": "haitang",
    "name": "海棠区政务服务中心",
    "level": "district",
    "services": [{"id": "realty", "name": "不动产登记", "prefix": "A"}],
    "counters": [{"id": "1", "name": "1号窗口", "services": ["realty"]}],
}

Simulate = Callable[..., AbstractAsyncContextManager[SimulatedHall]]


@pytest.fixture
def simulate(clock: FixedClock) -> Simulate:
    """Run a hall with these devices; `address` is a free TCP port unless told."""

    @asynccontextmanager
    async def run(*devices: dict[str, Any]) -> AsyncIterator[SimulatedHall]:
        setups = [
            {"name": f"device-{n}", "address": "tcp://127.0.0.1:0"} | d for n, d in enumerate(devices, 1)
        ]
        async with SimulatedHall(HallFile.model_validate({"hall": HALL, "devices": setups}), clock) as hall:
            yield hall

    return run


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


def stands(path: Path) -> bool:
    """True when anything is at this path, also a link that leads nowhere."""
    return path.exists() or path.is_symlink()


class Ear:
    """Notes how many bytes a line's devices have dealt with."""

    def __init__(self, line: Line) -> None:
        self._heard, self._size, self._event = line.heard, 0, asyncio.Event()
        line.heard = self._note

    async def until(self, size: int) -> None:
        async with asyncio.timeout(5):
            while self._size < size:
                self._event.clear()
                await self._event.wait()

    async def _note(self, link: Link, data: bytes) -> None:
        await self._heard(link, data)
        self._size += len(data)
        self._event.set()


class Wire:
    """The host's end of a TCP line, bytes only."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, frame: str | bytes) -> None:
        self._writer.write(bytes.fromhex(frame) if isinstance(frame, str) else frame)

    async def receive(self, size: int) -> bytes:
        async with asyncio.timeout(5):
            return await self._reader.readexactly(size)

    async def ask(self, frame: str | bytes, answer: str | bytes) -> bytes:
        """Send a frame and take as many bytes as the answer has."""
        self.send(frame)
        return await self.receive(len(bytes.fromhex(answer) if isinstance(answer, str) else answer))

    async def reply(self, frame: str | bytes, end: bytes) -> bytes:
        """Send a frame and take the answer up to its last byte."""
        self.send(frame)
        async with asyncio.timeout(5):
            return await self._reader.readuntil(end)

    async def ended(self) -> bool:
        async with asyncio.timeout(5):
            try:
                return await self._reader.read(1) == b""
            except ConnectionResetError:
                return True

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return


@asynccontextmanager
async def wire(address: str) -> AsyncIterator[Wire]:
    """Connect to a simulated device's TCP address."""
    end = Wire(*await asyncio.open_connection("127.0.0.1", port_of(address)))
    try:
        yield end
    finally:
        await end.close()
