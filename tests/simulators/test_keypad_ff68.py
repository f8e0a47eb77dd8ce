"""Key-pads on a serial line, judged by the frames of the field."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import serial_asyncio_fast

from simulators.device import SimDevice
from simulators.faults import UnknownFault, UnknownKey
from tests.simulators.conftest import Simulate, Wire, stands

CALL = "FF 68 03 03 68 05 01 0C 12 16"
NO_SHOW = "FF 68 04 04 68 05 01 06 0F 1B 16"
RATED = "FF 68 03 03 68 05 11 01 17 16"
RATED_ECHO = "FF 68 03 03 68 05 01 01 07 16"
SHOW_001 = "FF 68 08 08 68 05 02 0A 0A 0A 00 00 01 26 16"
BEEP = "FF 68 02 02 68 05 03 08 16"


@asynccontextmanager
async def pads(
    simulate: Simulate, tmp_path: Path, *units: int
) -> AsyncIterator[tuple[list[SimDevice], Wire]]:
    tty = tmp_path / "tty"
    setups: list[dict[str, Any]] = [
        {"profile": "keypad.ff68-21", "address": f"serial://{tty}", "unit": unit} for unit in units
    ]
    async with simulate(*setups) as hall:
        reader, writer = await serial_asyncio_fast.open_serial_connection(url=str(tty), baudrate=9600)
        try:
            yield [*hall.devices.values()], Wire(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()


async def until(device: SimDevice, **shown: Any) -> None:
    """Wait until the pad shows this."""
    changed = asyncio.Event()
    device.watchers.add(lambda _: changed.set())
    async with asyncio.timeout(5):
        while not shown.items() <= device.shows().items():
            changed.clear()
            await changed.wait()


@pytest.mark.parametrize(
    ("keys", "frame"),
    [
        (["next"], CALL),
        (["no-show"], NO_SHOW),
        (["6", "confirm"], NO_SHOW),
        (["1", "0", "2", "recall"], "FF 68 06 06 68 05 01 01 00 02 0D 16 16"),
        (["9", "clear", "next"], CALL),
    ],
)
async def test_a_key_sends_its_golden_frame(
    simulate: Simulate, tmp_path: Path, keys: list[str], frame: str
) -> None:
    async with pads(simulate, tmp_path, 5) as ((pad,), host):
        for key in keys:
            pad.key(key)
        golden = bytes.fromhex(frame)
        assert await host.receive(len(golden)) == golden
        assert pad.shows()["unanswered"]
        host.send(golden)
        await until(pad, unanswered=False)


async def test_an_evaluator_key_is_echoed_under_the_other_function(
    simulate: Simulate, tmp_path: Path
) -> None:
    async with pads(simulate, tmp_path, 5) as ((pad,), host):
        pad.key("rate-1")
        assert await host.receive(10) == bytes.fromhex(RATED)
        host.send(RATED)
        # the plain echo does not quiet it: it says its frame again
        assert await host.receive(10) == bytes.fromhex(RATED)
        host.send(RATED_ECHO)
        await until(pad, unanswered=False)


async def test_a_pad_repeats_until_it_is_echoed(simulate: Simulate, tmp_path: Path) -> None:
    async with pads(simulate, tmp_path, 5) as ((pad,), host):
        pad.key("next")
        assert await host.receive(30) == bytes.fromhex(CALL) * 3
        host.send(CALL)
        await until(pad, unanswered=False)


async def test_golden_show_and_beep_reach_the_addressed_pad_only(simulate: Simulate, tmp_path: Path) -> None:
    async with pads(simulate, tmp_path, 5, 6) as ((pad, other), host):
        host.send("FF FF 68 02 02" + BEEP + SHOW_001 + BEEP)
        await until(pad, ticket="001", waiting="", beeps=2)
        host.send("FF 68 08 08 68 05 02 0A 01 02 0A 0A 0A 32 16")
        await until(pad, ticket="001", waiting="12")
        host.send("FF 68 03 03 68 05 02 05 0C 16")
        await until(pad, stars=5)
        host.send("FF 68 03 03 68 05 01 0B 11 16")
        await until(pad, asking=True)
        assert (other.shows()["ticket"], other.shows()["beeps"]) == ("", 0)


async def test_broken_frames_from_the_host_are_passed_over(simulate: Simulate, tmp_path: Path) -> None:
    async with pads(simulate, tmp_path, 5) as ((pad,), host):
        host.send(BEEP[:-5] + "09 16")
        host.send("FF 68 02 03 68 05 03 08 16")
        host.send(SHOW_001[:20])
        host.send(BEEP)
        await until(pad, beeps=1)
        assert pad.shows()["ticket"] == ""


@pytest.mark.parametrize("fault", ["collision", "len-mismatch", "garble"])
async def test_spoilt_frames_are_no_frames_and_the_repetition_is(
    simulate: Simulate, tmp_path: Path, fault: str
) -> None:
    async with pads(simulate, tmp_path, 5) as ((pad,), host):
        pad.fault(fault)
        pad.key("next")
        pad.clear()
        golden = bytes.fromhex(CALL)
        heard = b""
        while not heard.endswith(golden):
            heard += await host.receive(1)
        assert len(heard) >= 2 * len(golden)
        assert heard[: len(golden)] != golden


async def test_a_duplicated_frame_comes_twice_and_one_echo_is_enough(
    simulate: Simulate, tmp_path: Path
) -> None:
    async with pads(simulate, tmp_path, 5) as ((pad,), host):
        pad.fault("duplicate")
        pad.key("next")
        assert await host.receive(20) == bytes.fromhex(CALL) * 2
        host.send(CALL)
        await until(pad, unanswered=False)


async def test_an_unplugged_pad_says_and_hears_nothing(simulate: Simulate, tmp_path: Path) -> None:
    async with pads(simulate, tmp_path, 5, 6) as ((pad, other), host):
        pad.fault("offline")
        pad.key("next")
        other.key("next")
        assert await host.receive(10) == bytes.fromhex("FF 68 03 03 68 06 01 0C 13 16")
        host.send(SHOW_001)
        host.send("FF 68 02 02 68 06 03 09 16")
        await until(other, beeps=1)
        assert pad.shows()["ticket"] == ""


async def test_unknown_keys_and_faults_are_named(simulate: Simulate, tmp_path: Path) -> None:
    async with pads(simulate, tmp_path, 5) as ((pad,), _):
        with pytest.raises(UnknownKey, match="next, recall"):
            pad.key("dance")
        for fault in ("paper-out", "garble:3", "drop:many", "drop:"):
            with pytest.raises(UnknownFault, match="collision"):
                pad.fault(fault)


async def test_the_line_does_not_take_the_place_of_a_file(simulate: Simulate, tmp_path: Path) -> None:
    (tmp_path / "tty").write_text("precious")
    with pytest.raises(Exception, match="choose another path"):
        async with pads(simulate, tmp_path, 5):
            pass
    assert (tmp_path / "tty").read_text() == "precious"


async def test_a_dangling_link_of_an_earlier_run_is_replaced(simulate: Simulate, tmp_path: Path) -> None:
    (tmp_path / "tty").symlink_to("/dev/pts/does-not-exist")
    async with pads(simulate, tmp_path, 5) as ((pad,), host):
        pad.key("next")
        assert await host.receive(10) == bytes.fromhex(CALL)
    assert not stands(tmp_path / "tty")
