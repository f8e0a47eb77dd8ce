"""Whatever comes back over a wire, a driver says that its device cannot be used, and nothing breaks."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firmware_profiles
from device_drivers import BusPool, families, open_driver
from hall_core.clock import FixedClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    BoardPicture,
    BoardRow,
    CounterMode,
    CounterPicture,
    Job,
    PageUser,
    Picture,
    Restart,
    ScreenPicture,
    SelfTest,
    SendText,
)
from hall_core.errors import DeviceError
from simulators import keypad_ff68
from simulators.huidu_sdk_frames import pack, pack_xml
from simulators.philips_sicp_frames import pack as pack_sicp
from simulators.samsung_mdc_frames import pack as pack_mdc
from tests.drivers.cabinets import crc
from tests.drivers.captures import all_captures
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire

#: asked over no bus; noise for them is poured in their own tests
_NO_BUS = {"mqtt_native", "satellite", "rate_ws", "screen_web"}
FAMILIES = sorted(set(families()) - _NO_BUS)
COUNTER = CounterPicture(
    counter="1", name="1号窗口", mode=CounterMode.CALLED, label="A018", call_no=1, text="请A018号到1号窗口"
)
PICTURES: tuple[Picture, ...] = (
    COUNTER,
    BoardPicture(hall="海棠", rows=(BoardRow(label="A018", counter="1号窗口"),)),
    ScreenPicture(on=True, volume=20, muted=False, brightness=50),
)
JOBS: tuple[Job, ...] = (
    JOB,
    PageUser(job_id="p", pager=7, text="A018"),
    Restart(job_id="r"),
    SelfTest(job_id="s"),
    SendText(job_id="t", to="+86" + "0" * 11, text="A018"),
)


def _card(asked: bytes, data: bytes, well: bool) -> bytes:
    body = (len(data) + 4).to_bytes(2, "big") + b"\0\0" + (b"\x90" if well else asked[-2:-1]) + data
    check = 0
    for octet in body:
        check ^= octet
    return b"\xaa\xaa\xaa\x96\x69" + body + bytes([check])


def _pdu(asked: bytes, data: bytes, well: bool) -> bytes:
    """To a question from its function code on: an exception, what was wanted, or a foreign length."""
    if not well:
        return bytes([asked[0] | 0x80]) + data[:1]
    if asked[0] in (5, 6, 15, 16):
        return asked[:5] if data[:1] != b"\0" else asked[:1] + data
    count = int.from_bytes(asked[3:5], "big")
    octets = (count + 7) // 8 if asked[0] < 3 else 2 * count
    wanted = (data * octets)[:octets] if data and data[0] % 4 else data
    return asked[:1] + bytes([len(wanted)]) + wanted


def _modbus(asked: bytes, data: bytes, well: bool) -> bytes:
    pdu = _pdu(asked[7:], data, well)
    return asked[:4] + (len(pdu) + 1).to_bytes(2, "big") + asked[6:7] + pdu


def _cabinet(asked: bytes, data: bytes, well: bool) -> bytes:
    if asked[:1] in (b"Q", b"T"):
        return b"(" + data + b"\r"
    pdu = _pdu(asked[1:], data, well)
    return asked[:1] + pdu + crc(asked[:1] + pdu)


def _huidu(asked: bytes, data: bytes, well: bool) -> bytes:
    if asked[2:4] == b"\x01\x20" or not well:
        return pack(0x2002 if well else 0x2000, data)
    text = data.decode("latin-1").translate({ord(c): " " for c in "<>&\"'"})
    return pack_xml(
        f'<sdk guid="{text}"><out method="GetDeviceInfo" result="{text}"><a b="{text}"/></out></sdk>'
    )


#: (what was asked, any data, well or refused) -> a frame of the family with a sound check sum
SOUND: dict[str, Callable[[bytes, bytes, bool], bytes]] = {
    "card_sam": _card,
    "huidu_sdk": _huidu,
    "keypad_ff68": lambda _, data, well: keypad_ff68.pack(1, 0x01 if well else 0x11, data[:8]),
    "modbus_io": _modbus,
    "modbus_text": _modbus,
    "philips_sicp": lambda asked, data, well: pack_sicp(
        1, (asked[3:4] if well else b"\0") + data, grouped=True
    ),
    "pjlink": lambda asked, data, _: asked.partition(b" ")[0][-6:] + b"=" + data + b"\r",
    "samsung_mdc": lambda asked, data, well: pack_mdc(1, asked[1], data, well=well),
    "terminal_24h": _cabinet,
    "gsm_at": lambda _, data, well: (
        b"\r\n" + data + (b"\r\nOK\r\n> " if well else b"\r\n+CMS ERROR: 500\r\n")
    ),
    "pager_http": lambda _, data, well: (b"HTTP/1.1 200 OK\r\n" if well else b"HTTP/1.1 503 No\r\n") + data,
}
CAPTURED = {f: [said for c in all_captures() if c.family == f for said in c.heard] for f in FAMILIES}
#: how the answer is made, its data, and whether the device is well
SAID = st.tuples(
    st.sampled_from(["sound", "sound", "sound", "captured", "captured", "bent", "cut", "noise", "silence"]),
    st.binary(max_size=40),
    st.booleans(),
)


def answer(family: str, asked: bytes, how: str, data: bytes, well: bool) -> bytes:
    known = CAPTURED[family] or [b""]
    captured = known[sum(data) % len(known)]
    match how:
        case "noise":
            return data
        case "sound" if family in SOUND:
            return SOUND[family](asked, data, well)
        case "captured":
            return captured
        case "bent" if captured and data:
            at = data[0] % len(captured)
            return captured[:at] + data[-1:] + captured[at + 1 :]
        case "cut":
            return captured[: len(data)]
    return b""


def quick(family: str) -> Profile:
    """The family's first model, with no patience."""
    known = next(p for p in firmware_profiles.all_profiles().values() if p.family == family)
    timing = known.timing.model_copy(
        update={"response_timeout_ms": 4, "gap_ms": 0, "quarantine_ms": 0, "retries": 0}
    )
    return known.model_copy(update={"timing": timing})


async def used(driver: Driver) -> None:
    """Everything a hall does with a device."""

    async def listen() -> None:
        async for _ in driver.events():
            pass

    async with driver:
        listening = asyncio.ensure_future(listen())
        try:
            for _ in range(2):
                for work in [
                    driver.probe,
                    *(lambda p=picture: driver.show(p) for picture in PICTURES),
                    *(lambda j=job: driver.do(j) for job in JOBS),
                ]:
                    try:
                        await work()
                    except DeviceError:
                        continue
        finally:
            listening.cancel()
            await asyncio.wait([listening])
            if not listening.cancelled() and not isinstance(listening.exception(), DeviceError | None):
                listening.result()


@pytest.mark.parametrize("family", FAMILIES)
@given(script=st.lists(SAID, min_size=1, max_size=12))
@settings(max_examples=10)
def test_no_answer_breaks_a_driver(family: str, script: list[tuple[str, bytes, bool]]) -> None:
    clock, told = FixedClock(datetime(2026, 11, 23, 1, 30, tzinfo=UTC)), cycle(script)

    def device(wire: FakeWire, asked: bytes) -> None:
        if said := answer(family, asked, *next(told)):
            wire.say(said)

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0)

    async def play() -> None:
        profile, wire = quick(family), FakeWire(device)
        address = (
            "rtu+tcp://127.0.0.1:9"
            if profile.tcp is None or family in {"terminal_24h", "keypad_ff68"}
            else "tcp://127.0.0.1:9"
        )
        options = {"pepper": "p" * 32} if family == "card_sam" else {}
        setup = DeviceSetup(name="noisy", profile=profile.id, address=address, counter="1", options=options)
        async with asyncio.timeout(60), BusPool(clock=clock, opener=wire.open, pause=pause) as buses:
            try:
                await used(open_driver(setup, profile, buses, clock))
            except DeviceError:
                return

    asyncio.run(play())
