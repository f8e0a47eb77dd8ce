"""The shelf of profiles: what is wrong is named by file, line and remedy."""

from pathlib import Path

import pytest

import firmware_profiles
from device_drivers.modbus_text.driver import DeviceDriver
from firmware_profiles import Shelf
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.errors import ProfileInvalid, SettingsInvalid
from tests.drivers.wires import FakeWire, pool

GOOD = """\
schema: hall.profile/1
id: test.strip
family: modbus_text
kind: strip
name: 测试条屏
status: drafted
match: {vendor: test, models: [T1]}
tcp: {port: 502}
timing: {retries: 0}
capabilities: {call-display: readback}
options: {}
frames:
  - {name: a, source: nobody, command: {}, sent: 01 02}
"""


def shelf(folder: Path, text: str, name: str = "test.strip") -> Shelf:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Shelf(folder)


def test_a_good_profile_is_read(tmp_path: Path) -> None:
    assert shelf(tmp_path, GOOD).load("test.strip").timing.retries == 0


@pytest.mark.parametrize(
    ("old", "new", "place", "remedy"),
    [
        ("kind: strip\n", "", "test.strip.yaml:1: kind", "add this key"),
        ("kind: strip", "kindd: strip", "test.strip.yaml:1: kind", "add this key"),
        ("status: drafted", "status: perfect", "test.strip.yaml:6: status", "one of the values"),
        ("{port: 502}", "{port: 70000}", "test.strip.yaml:8: tcp.port", "mend the value"),
        ("{retries: 0}", "{retry: 0}", "test.strip.yaml:9: timing.retry", "mend its spelling"),
        ("call-display: readback", "call-display: sure", "test.strip.yaml:10: capabilities", "one of"),
        ("sent: 01 02", "sent: 01 0", "test.strip.yaml:13: frames.0.sent", "pairs of hex digits"),
        ("id: test.strip", "id: test.other", "test.strip.yaml:2: id", "like the file"),
        ("tcp: {port: 502}\n", "", "test.strip.yaml:1: profile", "how the device is connected"),
        ("status: drafted", "status: drafted\nstatus: field", "test.strip.yaml:7: status", "one of the two"),
        ("status: drafted", "status: drafted\nencoding: klingon", "test.strip.yaml:7: encoding", "gbk"),
        ("match: {vendor", "match: [vendor", "test.strip.yaml:7", "mend the YAML"),
    ],
)
def test_a_wrong_profile_is_refused_with_place_and_remedy(
    tmp_path: Path, old: str, new: str, place: str, remedy: str
) -> None:
    assert old in GOOD
    with pytest.raises(ProfileInvalid) as refused:
        shelf(tmp_path, GOOD.replace(old, new)).load("test.strip")
    assert str(refused.value).startswith(place)
    assert remedy in str(refused.value)


@pytest.mark.parametrize("name", ["no.such", "../secrets", ""])
def test_an_unknown_profile_is_refused_and_the_known_ones_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProfileInvalid, match=r"test\.strip"):
        shelf(tmp_path, GOOD).load(name)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match=r"test\.strip\.yaml:1"):
        shelf(tmp_path, "").load("test.strip")


def test_a_shelf_reads_a_file_once_and_a_new_shelf_reads_it_again(tmp_path: Path) -> None:
    first = shelf(tmp_path, GOOD)
    assert first.load("test.strip").name == "测试条屏"
    second = shelf(tmp_path, GOOD.replace("测试", "新"))
    assert first.load("test.strip").name == "测试条屏"
    assert second.load("test.strip").name == "新条屏"


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("{registers: {mode: {address: 0}}}", "modes"),
        ("{registers: {text: {address: 0, count: 4}}, shows: {other: {}}}", "no text registers"),
        ("{registers: {text: {address: 0, count: 4}, mode: {address: 3}}}", "modes"),
        ("{registers: {a: {address: 0, count: 4}, b: {address: 3, count: 2}}}", "overlap"),
        ("{registers: {a: {address: 0, count: 4}}, shows: {a: {free: '{nmae}'}}}", "unknown field"),
        ("{registers: {a: {address: 0, count: 4}}, speed: 9}", "speed"),
        ("{registers: {a: {address: 0, count: 4, pad: 空}}}", "one ASCII character"),
        ("{registers: {brightness: {address: 0, count: 4}}}", "only text has a count"),
    ],
)
async def test_options_the_family_cannot_use_are_refused(
    tmp_path: Path, clock: FixedClock, options: str, what: str
) -> None:
    profile = shelf(tmp_path, GOOD.replace("options: {}", f"options: {options}")).load("test.strip")
    setup = DeviceSetup(name="strip", profile=profile.id, address="tcp://127.0.0.1:1")
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(ProfileInvalid, match=what):
            DeviceDriver(setup, profile, buses, clock)


async def test_wrong_options_of_the_hall_are_the_halls_fault(clock: FixedClock) -> None:
    profile = firmware_profiles.load("modbus.led-strip-generic")
    setup = DeviceSetup(
        name="strip", profile=profile.id, address="tcp://127.0.0.1:1", options={"brightnes": 1}
    )
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(SettingsInvalid, match=r"「strip」.*brightnes"):
            DeviceDriver(setup, profile, buses, clock)
