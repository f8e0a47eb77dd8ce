"""The rule for families: a driver, a profile, a simulator and a capture, found by name alone."""

import asyncio
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import device_drivers
import firmware_profiles
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import GoldenFrame, Profile
from hall_core.devices.vocabulary import DeviceState, Outcome, Picture
from tests.drivers.captures import FOLDER, Capture, all_captures
from tests.drivers.codec_ops import build
from tests.drivers.wires import FakeWire, Script, pool

ROOT = Path(__file__).parent.parent.parent
FAMILIES = device_drivers.families()
PROFILES = firmware_profiles.all_profiles()
CAPTURES = all_captures()
GOLDEN = [(p, frame) for p in PROFILES.values() for frame in p.frames]
#: families that are reached over the hall's own broker
AT_A_BROKER = {"mqtt_native", "satellite"}
#: captures of these are played against a whole driver, all others against the codec
WHOLE = {"show", "press", "probe"}


def address(profile: Profile) -> str:
    """Serial framing where the model has it: only there frames have no numbers of their own."""
    if profile.family == "screen_web":
        return "web://device"
    if profile.family in AT_A_BROKER:
        return "mqtt://127.0.0.1:9/box/device"
    return "rtu+tcp://127.0.0.1:9" if profile.serial else "tcp://127.0.0.1:9"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_profile_capture_and_simulator(family: str) -> None:
    assert any(p.family == family for p in PROFILES.values()), f"write firmware_profiles/*.yaml for {family}"
    assert any(c.family == family for c in CAPTURES), f"put captured frames into tests/captures/{family}/"
    found = [ROOT / "simulators" / f"{family}.py", ROOT / "simulators" / family / "__init__.py"]
    assert any(path.is_file() for path in found), f"write simulators/{family}.py"


def test_nothing_stands_without_its_family() -> None:
    assert {p.family for p in PROFILES.values()} <= set(FAMILIES)
    assert {path.name for path in FOLDER.iterdir()} <= set(FAMILIES)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.id)
async def test_a_profile_opens_with_its_driver_and_has_frames(profile: Profile, clock: FixedClock) -> None:
    setup = DeviceSetup(name="device", profile=profile.id, address=address(profile))
    async with pool(clock, FakeWire()) as buses:
        device_drivers.open_driver(setup, profile, buses, clock)
    captured = [c for c in CAPTURES if c.profile == profile.id]
    assert profile.frames or captured, f"{profile.id} has no golden frame and no capture"


@pytest.mark.parametrize(("profile", "frame"), GOLDEN, ids=[f"{p.id}-{f.name}" for p, f in GOLDEN])
def test_a_golden_frame_is_what_the_codec_builds(profile: Profile, frame: GoldenFrame) -> None:
    sent, read = build(profile, frame.command)
    assert sent.hex(" ") == bytes.fromhex(frame.sent).hex(" ")
    if frame.answer:
        assert read is not None
        assert read(bytes.fromhex(frame.answer)) is not None


@pytest.mark.parametrize("capture", [c for c in CAPTURES if c.command["op"] not in WHOLE], ids=str)
def test_a_captured_frame_is_what_the_codec_builds(capture: Capture) -> None:
    profile = PROFILES[capture.profile]
    assert profile.family == capture.family
    sent, read = build(profile, capture.command)
    assert [sent.hex(" ")] == [data.hex(" ") for data in capture.sent]
    for answer in capture.heard:
        assert read is not None
        assert read(answer) is not None


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in-pieces"])
@pytest.mark.parametrize("capture", [c for c in CAPTURES if c.command["op"] in WHOLE], ids=str)
async def test_a_driver_plays_a_capture(capture: Capture, in_pieces: bool, clock: FixedClock) -> None:
    profile, command = PROFILES[capture.profile], capture.command
    assert profile.family == capture.family
    setup = DeviceSetup(
        name="device",
        profile=profile.id,
        address=address(profile),
        unit=command.get("unit", 1),
        options=command.get("options", {}),
    )
    script = Script(list(capture.lines), in_pieces, greets=command["op"] != "press")
    wire = FakeWire(script)
    async with (
        pool(clock, wire) as buses,
        device_drivers.open_driver(setup, profile, buses, clock) as driver,
    ):
        if command["op"] == "show":
            outcome = await driver.show(TypeAdapter(Picture).validate_python(command["picture"]))
            assert outcome is Outcome(command["outcome"])
        elif command["op"] == "press":
            script.speak(wire)
            event = await anext(driver.events())
            assert event.model_dump(mode="json") == command["event"]
            for _ in range(5):  # the echo leaves with the bus's next step
                await asyncio.sleep(0)
        elif command["op"] == "probe":
            # entering has asked already: the device starts again from the top
            script.lines = list(capture.lines)
            assert (await driver.probe()).state is DeviceState(command["state"])
    assert script.surprises == []
    assert script.lines == []
