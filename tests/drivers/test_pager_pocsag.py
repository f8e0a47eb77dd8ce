"""POCSAG: code words by the standard, a decoder of other authors as the judge, and pages that go out once."""

import shutil
import subprocess
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.pager_pocsag import codec
from device_drivers.pager_pocsag.driver import DeviceDriver, PocsagOptions, transmission
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import BoardPicture, DeviceState, Job, Outcome, PageUser
from hall_core.errors import DeviceRefused, DeviceUnreachable, ProfileInvalid
from tests.drivers.captures import FOLDER, Capture, _read
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, Script, pool

PROFILE = firmware_profiles.load("pager.pocsag-serial")
CAPTURES = [
    replace(_read(path), family="pager_pocsag")
    for path in sorted((FOLDER / "pager_pocsag" / "whole").glob("*.txt"))
]
PAGE = PageUser(job_id="job-1", pager=17, text="请A018号到3号窗口")
RATE = 22_050


def transmitter(
    buses: BusPool, clock: FixedClock, profile: Profile = PROFILE, **options: Any
) -> DeviceDriver:
    setup = DeviceSetup(name="pagers", profile=profile.id, address="serial:///dev/ttyX", options=options)
    return DeviceDriver(setup, profile, buses, clock)


def sound(bits: str, baud: int) -> bytes:
    """Bits as the base band a receiver gives: 16 bits a sample, a 1 below zero, silence around."""
    samples = array("h", [0] * RATE)
    samples.extend(
        -12_000 if bits[at * baud // RATE] == "1" else 12_000 for at in range(len(bits) * RATE // baud)
    )
    samples.extend([0] * RATE)
    return samples.tobytes()


def decoded(folder: Path, data: bytes, baud: int, kind: str) -> list[str]:
    """What multimon-ng reads in a transmission."""
    program = shutil.which("multimon-ng")
    if program is None:
        pytest.skip("needs multimon-ng")
    raw = folder / "air.raw"
    raw.write_bytes(sound("".join(f"{byte:08b}" for byte in data), baud))
    command = [program, "-q", "-t", "raw", "-a", f"POCSAG{baud}", "-f", kind, str(raw)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    return [line.replace("<NUL>", "").rstrip() for line in found.splitlines()]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
async def test_the_driver_plays_every_capture(capture: Capture, clock: FixedClock) -> None:
    script = Script(list(capture.lines))
    profile = firmware_profiles.load(capture.profile)
    async with (
        pool(clock, FakeWire(script)) as buses,
        transmitter(buses, clock, profile, **capture.command["options"]) as driver,
    ):
        job: PageUser = TypeAdapter(Job).validate_python(capture.command["job"])
        assert await driver.do(job) is Outcome(capture.command["outcome"])
    assert (script.surprises, script.lines) == ([], [])


@pytest.mark.peer
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
def test_a_decoder_of_other_authors_reads_every_capture(capture: Capture, tmp_path: Path) -> None:
    baud = int(capture.command["decoded"][6:].partition(":")[0])
    kind = "numeric" if "Numeric" in capture.command["decoded"] else "alpha"
    assert decoded(tmp_path, capture.sent[0], baud, kind) == [capture.command["decoded"]]


@pytest.mark.peer
@pytest.mark.parametrize("address", range(2_000_000, 2_000_008))
def test_a_decoder_of_other_authors_finds_the_pager_in_each_frame(address: int, tmp_path: Path) -> None:
    data = transmission(PocsagOptions(), address, f"A{address}", 40)
    line = f"POCSAG1200: Address: {address:7}  Function: 3  Alpha:   A{address}"
    assert decoded(tmp_path, data, 1200, "alpha") == [line]


@pytest.mark.peer
def test_a_decoder_of_other_authors_hears_a_beep(tmp_path: Path) -> None:
    data = transmission(PocsagOptions(message="beep", function=1), 700_136, "A018", 40)
    assert decoded(tmp_path, data, 1200, "auto") == ["POCSAG1200: Address:  700136  Function: 1"]


def test_the_standards_own_words_have_sound_check_bits() -> None:
    """Sync and idle words of ITU-R M.584-2 are code words themselves."""
    assert codec.code_word(codec.SYNC >> 11) == codec.SYNC
    assert codec.code_word(codec.IDLE >> 11) == codec.IDLE


@given(st.integers(0, 2**21 - 1), st.integers(0, 31), st.integers(0, 31))
def test_two_wrong_bits_never_make_another_code_word(data: int, first: int, second: int) -> None:
    spoilt = codec.code_word(data) ^ 1 << first ^ (1 << second if second != first else 0)
    assert codec.code_word(spoilt >> 11) != spoilt


@given(st.integers(0, codec.HIGHEST_ADDRESS), st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_a_transmission_is_preamble_and_whole_batches_with_the_address_in_its_frame(
    address: int, text: str
) -> None:
    data = transmission(PocsagOptions(), address, text, 80)
    assert data[:72] == b"\xaa" * 72
    words = [int.from_bytes(data[at : at + 4], "big") for at in range(72, len(data), 4)]
    assert len(words) % 17 == 0
    assert set(words[::17]) == {codec.SYNC}
    at = words.index(codec.address_word(address, 3))
    assert (at - 1) // 2 == address & 7
    assert words[-1] == codec.IDLE


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ("请A018号到3号窗口", "A018 3"),
        ("请　Ａ０１８　号到３号窗口", "A018 3"),
        ("请到窗口", ""),
        ("A018 -> 3", "A018 -> 3"),
        ("A018\n\t3\x00", "A018 3"),
    ],
)
def test_a_sentence_is_reduced_to_label_and_counter(words: str, sent: str) -> None:
    assert codec.ascii_text(words, 40) == sent
    assert codec.ascii_text(words, 4) == sent[:4].rstrip()


async def test_a_page_is_sent_once_and_never_confirmed(clock: FixedClock) -> None:
    wire = FakeWire()
    async with pool(clock, wire) as buses, transmitter(buses, clock) as driver:
        assert [await driver.do(PAGE) for _ in range(3)] == [Outcome.UNCONFIRMED] * 3
        assert len(wire.frames) == 1
        assert await driver.do(PAGE.model_copy(update={"job_id": "job-2"})) is Outcome.UNCONFIRMED
        assert len(wire.frames) == 2


async def test_the_next_page_waits_until_the_one_before_is_off_the_air(clock: FixedClock) -> None:
    wire = FakeWire(clock=clock)
    async with pool(clock, wire) as buses, transmitter(buses, clock, baud=512) as driver:
        await driver.do(PAGE)
        await driver.do(PAGE.model_copy(update={"job_id": "job-2"}))
    (first, data), (second, _) = wire.log
    assert second - first >= len(data) * 8 / 512


async def test_bits_go_out_as_the_profile_says(clock: FixedClock) -> None:
    wire = FakeWire()
    options = {"bits": "lowest-first", "inverted": True, "head": "02 54", "tail": "03"}
    async with pool(clock, wire) as buses, transmitter(buses, clock, **options) as driver:
        await driver.do(PAGE)
    (frame,) = wire.frames
    usual = transmission(PocsagOptions(), 700_000 + 17 * 8, "A018 3", 40)
    assert (frame[:2], frame[-1:]) == (b"\x02T", b"\x03")
    assert bytes(int(f"{byte ^ 0xFF:08b}"[::-1], 2) for byte in frame[2:-1]) == usual


@pytest.mark.parametrize("pager", [2_000_000, 174_644])
async def test_a_number_no_pager_can_have_is_refused(clock: FixedClock, pager: int) -> None:
    wire = FakeWire()
    async with (
        pool(clock, wire) as buses,
        transmitter(buses, clock, function=codec.IDLE >> 11 & 3, first_address=610_512) as driver,
    ):
        # 174644 * 8 + 610512 would be the idle word itself
        with pytest.raises(DeviceRefused, match=f"没有 {pager} 号寻呼机"):
            await driver.do(PAGE.model_copy(update={"pager": pager}))
    assert wire.frames == []


async def test_pictures_and_other_jobs_are_refused(clock: FixedClock) -> None:
    async with pool(clock, FakeWire()) as buses, transmitter(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="不能显示 board"):
            await driver.show(BoardPicture(hall="海棠"))
        with pytest.raises(DeviceRefused, match="不能执行 print-ticket"):
            await driver.do(JOB)


async def test_health_is_passive_and_a_line_that_is_gone_is_unreachable(clock: FixedClock) -> None:
    wire = FakeWire()
    async with pool(clock, wire) as buses, transmitter(buses, clock) as driver:
        assert (await driver.probe()).state is DeviceState.UNCONFIRMED
        assert wire.frames == []
        wire.hang_up()
        wire.unreachable = True
        for ask in (driver.probe, lambda: driver.do(PAGE)):
            with pytest.raises(DeviceUnreachable):
                await ask()
        wire.unreachable = False
        assert await driver.do(PAGE) is Outcome.UNCONFIRMED


@pytest.mark.parametrize(
    "wrong", [{"baud": 9600}, {"function": 4}, {"preamble_bits": 100}, {"head": "0"}, {"bits": "both"}]
)
async def test_options_no_transmitter_has_are_refused(clock: FixedClock, wrong: dict[str, Any]) -> None:
    profile = PROFILE.model_copy(update={"options": PROFILE.options | wrong})
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(ProfileInvalid, match=next(iter(wrong))):
            transmitter(buses, clock, profile)
