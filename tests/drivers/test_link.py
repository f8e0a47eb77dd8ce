"""Real links: TCP on loopback and a pseudo terminal."""

import asyncio
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

import firmware_profiles
from device_drivers import open_driver
from device_drivers.bus import BusPool, Turn, Urgency
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.errors import DeviceUnreachable, ProfileInvalid

PROFILE = firmware_profiles.load("modbus.led-strip-generic")


def setup(address: str) -> DeviceSetup:
    return DeviceSetup(name="strip-3", profile=PROFILE.id, address=address)


def three(data: bytes) -> bytes | None:
    return data if len(data) >= 3 else None


async def talk(turn: Turn) -> bytes:
    return await turn.ask(b"abc", three)


async def test_bytes_go_over_tcp_and_the_end_of_the_link_is_noticed() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(3)).upper())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        number = server.sockets[0].getsockname()[1]
        async with BusPool(clock=SystemClock()) as buses:
            port = buses.port(setup(f"tcp://127.0.0.1:{number}"), PROFILE)
            async with port.standing():
                assert await port.run(Urgency.CALL, talk) == b"ABC"
                with pytest.raises(DeviceUnreachable, match="连接已断开"):
                    await port.until_lost()


async def test_a_closed_tcp_port_is_unreachable() -> None:
    async with await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0) as server:
        number = server.sockets[0].getsockname()[1]
    async with BusPool(clock=SystemClock()) as buses:
        port = buses.port(setup(f"tcp://127.0.0.1:{number}"), PROFILE)
        async with port.standing():
            with pytest.raises(DeviceUnreachable, match="连接不上"):
                await port.run(Urgency.CALL, talk)


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """The far side of a serial line, and the path of the near one."""
    far, near = os.openpty()
    tty.setraw(near)
    os.set_blocking(far, False)
    path = os.ttyname(near)
    yield far, path
    os.close(far)
    os.close(near)


async def test_bytes_go_over_a_serial_line(terminal: tuple[int, str]) -> None:
    far, path = terminal
    asyncio.get_running_loop().add_reader(far, lambda: os.write(far, os.read(far, 100).upper()))
    async with BusPool(clock=SystemClock()) as buses:
        port = buses.port(setup(f"serial://{path}"), PROFILE)
        async with port.standing():
            assert await port.run(Urgency.CALL, talk) == b"ABC"
        async with port.standing():
            assert await port.run(Urgency.CALL, talk) == b"ABC", "the line can be opened again"
    asyncio.get_running_loop().remove_reader(far)


async def test_a_missing_serial_device_is_unreachable(tmp_path: Path) -> None:
    async with BusPool(clock=SystemClock()) as buses:
        port = buses.port(setup(f"serial://{tmp_path}/ttyUSB0"), PROFILE)
        async with port.standing():
            with pytest.raises(DeviceUnreachable, match="连接不上"):
                await port.run(Urgency.CALL, talk)


async def test_a_family_without_a_driver_is_refused_and_the_known_ones_are_named() -> None:
    async with BusPool(clock=SystemClock()) as buses:
        strange = PROFILE.model_copy(update={"family": "bus"})
        with pytest.raises(ProfileInvalid, match=r"escpos、.*keypad_ff68、.*modbus_text、.*onbon_k"):
            open_driver(setup("tcp://127.0.0.1:1"), strange, buses, SystemClock())
