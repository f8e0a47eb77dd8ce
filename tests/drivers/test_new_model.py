"""A new model of a known family is one file: nothing else is written, and what is wrong in it is named."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import firmware_profiles
from device_drivers import BusPool, open_driver
from firmware_profiles import Shelf
from hall_core.clock import SystemClock
from hall_core.devices.firmware import firmware_fits
from hall_core.devices.layout import DeviceSetup, HallFile
from hall_core.devices.vocabulary import CounterMode, CounterPicture, DeviceState, Outcome
from hall_core.errors import ProfileInvalid
from simulators.cli import app
from simulators.hall import SimulatedHall
from tests.edge_agent.conftest import hall_setup

NEW = """\
schema: hall.profile/1
id: acme.strip-9
extends: modbus.led-strip-generic
name: 爱科 9 号条屏
status: drafted
match: {vendor: acme, models: [Strip 9], firmware: ">=1.0 <3"}
limits: {max_text_bytes: 16}
options:
  registers:
    text: {address: 100, count: 8}
  reserved: null
  modes: {called: 7}
  shows: {text: {called: "{label} {counter}"}}
quirks:
  - what: until 1.4 it has its bytes the other way round
    firmware: "<1.4"
    evidence: capture of a strip with firmware 1.2
    changes: {timing: {response_timeout_ms: 900}, options: {registers: {text: {order: lo-hi}}}}
frames:
  - name: the first two registers
    source: manual of the Strip 9, page 12
    command: {op: read, unit: 1, rtu: true, space: holding, address: 100, count: 8}
    sent: 01 03 00 64 00 08 05 D3
"""
CALLED = CounterPicture(
    counter="1", name="1号窗口", mode=CounterMode.CALLED, label="A018", call_no=1, text="请A018号到1号窗口"
)


def shelf(folder: Path, text: str = NEW, name: str = "acme.strip-9") -> Shelf:
    """The profiles of this project, and this file on top of them."""
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Shelf(folder, below=Shelf())


async def shown_by(shelf: Shelf, address: str, **entry: str) -> tuple[Outcome, DeviceState, str]:
    """A call through the real driver on a real wire; what came of it, and what stands on the strip."""
    setup = DeviceSetup.model_validate(
        {"name": "new", "profile": "acme.strip-9", "address": address, **entry}
    )
    clock = SystemClock()
    async with SimulatedHall(HallFile(hall=hall_setup(), devices=(setup,)), clock, shelf) as sim:
        placed = setup.model_copy(update={"address": sim.devices["new"].address})
        async with (
            BusPool(clock=clock) as buses,
            open_driver(placed, shelf.load(setup.profile), buses, clock) as driver,
        ):
            outcome = await driver.show(CALLED)
            return outcome, (await driver.probe()).state, str(sim.devices["new"].shows()["text"])


@pytest.mark.parametrize("scheme", ["tcp", "serial"])
async def test_one_file_is_all_a_new_model_needs(tmp_path: Path, scheme: str) -> None:
    address = "tcp://127.0.0.1:0" if scheme == "tcp" else f"serial://{tmp_path}/line"
    seen = await shown_by(shelf(tmp_path), address)
    assert seen == (Outcome.APPLIED, DeviceState.ONLINE, "A018 1")


async def test_the_firmware_in_the_hall_file_chooses_the_quirks(tmp_path: Path) -> None:
    kept = shelf(tmp_path)
    old, new = (kept.load("acme.strip-9").fitted(version) for version in ("1.2", "2.0"))
    assert old.options["registers"]["text"]["order"] == "lo-hi"
    assert old.timing.response_timeout_ms == 900
    assert (
        "order" not in new.options["registers"]["text"]
        or new.options["registers"]["text"]["order"] == "hi-lo"
    )
    seen = await shown_by(kept, "tcp://127.0.0.1:0", firmware="1.2")
    assert seen == (Outcome.APPLIED, DeviceState.ONLINE, "A018 1")
    with pytest.raises(ProfileInvalid, match=r"固件 3\.1 不在"):
        await shown_by(kept, "tcp://127.0.0.1:0", firmware="3.1")


def test_a_model_takes_what_it_does_not_say_from_the_one_it_extends(tmp_path: Path) -> None:
    new, old = shelf(tmp_path).load("acme.strip-9"), firmware_profiles.load("modbus.led-strip-generic")
    assert (new.family, new.serial, new.capabilities) == (old.family, old.serial, old.capabilities)
    assert new.options["modes"] == old.options["modes"] | {"called": 7}
    assert "reserved" not in new.options
    assert [frame.name for frame in new.frames] == ["the first two registers"], "frames prove one model only"
    assert new.status == "drafted"


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("1.2", ">=1.0 <3", True),
        ("v2.10", ">=2.9", True),
        ("3", "<3.0", False),
        ("3.0.0", "==3", True),
        ("1.2-beta", ">1.2", False),
        ("0.9", ">=1.0 <3", False),
    ],
)
def test_versions_are_compared_by_their_numbers(version: str, wanted: str, fits: bool) -> None:
    assert firmware_fits(version, wanted) is fits


MISTAKES = [
    (
        "extends: modbus.led-strip-generic",
        "extends: modbus.led-strip",
        "3: extends",
        "modbus.led-strip-generic",
    ),
    (
        "extends: modbus.led-strip-generic",
        "extends: acme.strip-9",
        "3: extends",
        "acme.strip-9 → acme.strip-9",
    ),
    ("status: drafted", "status: drafted\nfamily: onbon_k", "6: family", "extend one of its own family"),
    ("status: drafted", "status: drafted\ncolour: red", "6: colour", "mend its spelling"),
    ('">=1.0 <3"', '"1.0 to 3"', "6: match.firmware", "no range of firmware"),
    ("  reserved: null", "  blink: 6", "11: options.blink", "remove it or mend its spelling"),
    ("count: 8}", "count: eight}", "10: options.registers.text.count", "valid integer"),
    ("limits: {max", "encoding: hex\nlimits: {max", "7: encoding", "take gbk"),
    ("limits: {max", "encoding: gbq\nlimits: {max", "7: encoding", "take gbk"),
    (
        "limits: {max",
        "timing: {response_timeout_ms: 0}\nlimits: {max",
        "7: timing.response_timeout_ms",
        "mend the value",
    ),
    (
        "limits: {max",
        "timing: {response_timeout_ms: 9000}\nlimits: {max",
        "7: timing.response_timeout_ms",
        "less than 15 s",
    ),
    (
        "{response_timeout_ms: 900}",
        "{response_timeout: 900}",
        "18: quirks.0.changes.timing.response_timeout",
        "mend its spelling",
    ),
    ("{order: lo-hi}", "{order: upside-down}", "18: quirks.0.changes.options.registers.text.order", "lo-hi"),
    ("    evidence: capture of a strip with firmware 1.2\n", "", "15: quirks.0.evidence", "add this key"),
    (
        "sent: 01 03 00 64 00 08 05 D3",
        "sent: 01 03 00 64 00 08 05 13",
        "23: frames.0.sent",
        "the driver sends 01 03",
    ),
    ("op: read, unit", "op: raed, unit", "22: frames.0.command", "read, write"),
    ("{op: read, unit: 1,", "{op: read,", "22: frames.0.command", "unit"),
]


@pytest.mark.parametrize(
    ("old", "new", "place", "remedy"), MISTAKES, ids=[m[2] + " " + m[1][:24] for m in MISTAKES]
)
def test_a_mistake_is_named_by_file_line_and_remedy(
    tmp_path: Path, old: str, new: str, place: str, remedy: str
) -> None:
    assert old in NEW
    code, out = checked(tmp_path, NEW.replace(old, new, 1))
    assert code == 2, out
    assert f"acme.strip-9.yaml:{place}" in out, out
    assert remedy in out, out


def test_a_good_file_is_valid(tmp_path: Path) -> None:
    code, out = checked(tmp_path, NEW)
    assert (code, "可用" in out) == (0, True), out


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "acme.other.yaml").write_text("schema: hall.profile/1\nextends: acme.strip-9\n", "utf-8")
    code, out = checked(tmp_path, NEW.replace("extends: modbus.led-strip-generic", "extends: acme.other"))
    assert (code, "acme.strip-9 → acme.other → acme.strip-9" in out) == (2, True), out


def checked(folder: Path, text: str) -> tuple[int, str]:
    """`hall-sim profiles check` on this file; its words on one line."""
    path = folder / "acme.strip-9.yaml"
    path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["profiles", "check", str(path)], env={"COLUMNS": "200"})
    return result.exit_code, re.sub(r"\s+", " ", result.output)
