"""The doctor finds devices on their real wires, and leaves them as they were."""

import asyncio
from dataclasses import dataclass, replace

import pytest
import serial

from edge_agent.doctor.device import Device
from edge_agent.doctor.examine import _troubles
from edge_agent.doctor.proposals import Proposal, as_yaml
from edge_agent.doctor.selftest import Step, self_test
from edge_agent.doctor.targets import targets_of
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import Capability, Outcome
from hall_core.errors import SettingsInvalid
from tests.edge_agent.doctor_scene import (
    FINDABLE,
    MUTE,
    PROFILES,
    SPEAKERS,
    WRITING,
    Said,
    look,
    on_its_own_port,
    proposed,
    setups,
    simulated,
)

ASKED = sorted(set(FINDABLE) - SPEAKERS)
_PAINTED = {Capability.CALL_DISPLAY, Capability.TEXT, Capability.PRINT_TICKET, Capability.PAGE_USER}


def inside(device) -> str:
    """What a simulated device shows, has shown, and keeps: registers, lamps, areas, settings, slips, pages."""
    names = ("_registers", "_coils", "_state", "_programs", "_pagers", "_settings", "_slips", "_seen")
    kept = {name: getattr(device.body, name, None) for name in names}
    return repr(
        (device.shows(), len(device.history), {n: getattr(v, "__dict__", v) for n, v in kept.items()})
    )


@dataclass
class Finding:
    """What a look at a host found, said and changed, and what became of what it proposed."""

    functions: set[int]
    before: dict[str, str]
    after: dict[str, str]
    #: by the profile that really stands there
    claims: dict[str, Proposal]
    driven: dict[str, tuple[list[Step], int]]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """One look at a host with a device of every profile, each at its port, and at what it did to them."""

    async def run():
        async with simulated(*map(on_its_own_port, [*ASKED, *MUTE])) as hall:
            said = Said(hall)
            before = {d.profile.id: inside(d) for d in hall.devices.values()}
            made = proposed(await look(*(d.address for d in hall.devices.values())))
            after = {d.profile.id: inside(d) for d in hall.devices.values()}
            functions = said.modbus_functions()
            by_address = {d.address: d for d in hall.devices.values()}
            entries = setups(made, tmp_path_factory.mktemp("pepper"))
            driven = {}
            for setup in entries.values():
                # a hall picks one of the alternatives; here the one that is really there
                device = by_address[setup.address]
                real = setup.model_copy(update={"profile": device.profile.id})
                steps = await self_test(
                    Device(real, device.profile),
                    SystemClock(),
                    lambda _: None,
                    wait_s=0.05,
                    hold_s=0,
                    pager=1,
                )
                driven[device.profile.id] = (steps, len(device.history))
            claims = {by_address[one.address].profile.id: one for one in made}
            return Finding(functions, before, after, claims, driven)

    return asyncio.run(run())


@pytest.mark.parametrize("profile_id", ASKED)
def test_a_device_is_found_among_all_others_and_its_model_is_among_the_proposed(found, profile_id):
    claim = found.claims[profile_id]
    assert profile_id in claim.profiles
    assert claim.unit in (None, 1)
    assert {PROFILES[i].family for i in claim.profiles} == {PROFILES[profile_id].family}


def test_a_model_that_can_be_told_by_asking_is_proposed_alone_and_others_as_alternatives(found):
    several = {i for i, claim in found.claims.items() if len(claim.profiles) > 1}
    assert {PROFILES[i].family for i in several} == {
        "escpos",
        "pager_http",
    }  # paper and pagers cannot be asked


def test_whatever_answers_nothing_is_not_found(found):
    assert set(found.claims) == set(ASKED)


@pytest.mark.parametrize("profile_id", ASKED)
def test_the_proposed_entry_loads_and_drives_the_device(found, profile_id):
    steps, seen = found.driven[profile_id]
    failed = [s for s in steps if not s.good and not s.name.startswith(("按键", "刷卡"))]
    assert failed == []
    if _PAINTED & set(PROFILES[profile_id].capabilities):
        assert seen > 0


def test_a_scan_changes_nothing_on_any_device(found):
    assert found.after == found.before


def test_a_scan_sends_no_modbus_request_that_writes(found):
    assert found.functions >= {1, 2, 3, 4}
    assert found.functions & WRITING == set()


async def test_units_on_one_line_are_found_and_absent_ones_are_not(tmp_path):
    path = f"serial://{tmp_path}/ttyA"
    units = [
        {"profile": "modbus.led-strip-generic", "address": path, "unit": 1},
        {"profile": "modbus.dm36b06", "address": path, "unit": 3},
    ]
    progress: list[str] = []
    async with simulated(*units) as hall:
        said = Said(hall)
        (seen,) = await look(path, said=progress)
        assert said.modbus_functions() & WRITING == set()
        assert said.modbus_functions() >= {3, 4}
    made = proposed([seen])
    assert [(one.unit, one.profiles[0]) for one in made] == [
        (1, "modbus.led-strip-generic"),
        (3, "modbus.dm36b06"),
    ]
    assert any("9600 8N1" in line and "modbus_text" in line and "#1–3" in line for line in progress)


async def test_displays_in_a_chain_are_found_by_their_ids():
    async with simulated({"profile": "samsung.p50hp", "address": "rtu+tcp://127.0.0.1:0", "unit": 2}) as hall:
        (device,) = hall.devices.values()
        (seen,) = await look(device.address)
    assert [(s.family, s.found.unit) for s in seen.sightings] == [("samsung_mdc", 2)]


async def test_key_pads_are_found_by_a_key_pressed_while_the_doctor_listens():
    async with simulated(
        {"profile": "keypad.ff68-21", "address": "rtu+tcp://127.0.0.1:0", "unit": 5}
    ) as hall:
        (pad,) = hall.devices.values()

        class Clerk(list[str]):
            def append(self, line: str) -> None:
                """Presses the key when invited to; the line is open a moment later."""
                if "重呼" in line:
                    asyncio.get_running_loop().call_later(0.2, pad.key, "recall")

        (seen,) = await look(pad.address, listen_s=1, units=(1,), said=Clerk())
        assert pad.shows()["unanswered"]  # it was not even echoed
    assert [(s.family, s.found.unit) for s in seen.sightings] == [("keypad_ff68", 5)]


async def test_a_wire_without_anybody_costs_few_questions_and_ends():
    pieces: list[bytes] = []

    class Deaf(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            pieces.append(data)

    server = await asyncio.get_running_loop().create_server(Deaf, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asyncio.timeout(60):
        (seen,) = await look(f"127.0.0.1:{port}", listen_s=0.1)
    assert seen.sightings == ()
    assert 5 < len(pieces) <= 30


async def test_a_port_nobody_listens_on_is_named_and_the_usual_ports_of_a_host_are_passed_over_in_silence():
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    (refused,) = await look(f"127.0.0.1:{port}")
    assert str(port) in refused.trouble
    (check,) = _troubles([refused])
    assert check.state == "bad"
    quiet = [replace(refused, trouble="", target=replace(refused.target, sure=False))]
    assert [c.state for c in _troubles(quiet)] == ["note"]


async def test_a_serial_port_somebody_holds_is_left_alone_and_the_remedy_is_named(tmp_path):
    async with simulated({"profile": "modbus.dm36b06", "address": f"serial://{tmp_path}/ttyA"}) as hall:
        (device,) = hall.devices.values()
        with serial.Serial(f"{tmp_path}/ttyA", 9600, exclusive=True):
            (seen,) = await look(device.address)
    (check,) = _troubles([seen])
    assert check.state == "bad"
    assert "systemctl stop hall-agent" in check.words


async def test_a_device_of_the_hall_file_is_not_proposed_again():
    async with simulated({"profile": "escpos.80mm"}) as hall:
        (device,) = hall.devices.values()
        there = (DeviceSetup(name="printer-1", profile="escpos.80mm", address=device.address),)
        made = proposed(await look(device.address), there)
    assert [(one.known_as, one.name) for one in made] == [("printer-1", "")]
    assert as_yaml(made, PROFILES) == ""


async def test_a_printer_is_asked_first_and_nothing_else_is_said_to_it():
    async with simulated({"profile": "escpos.80mm"}) as hall:
        said = Said(hall)
        (device,) = hall.devices.values()
        await look(device.address)
        assert said.pieces[device.address]
        assert all(piece.startswith(b"\x10\x04") for piece in said.pieces[device.address])


async def test_a_projector_with_a_password_is_found_and_none_is_tried():
    async with simulated({"profile": "pjlink.class1", "options": {"password": "geheim"}}) as hall:
        said = Said(hall)
        (device,) = hall.devices.values()
        (one,) = proposed(await look(device.address))
        assert said.pieces[device.address] == []
    assert "password" in one.why[0]


def test_a_host_means_the_usual_ports_and_who_stands_there():
    targets = {t.address: t for t in targets_of(["192.0.2.7"], PROFILES)}
    assert targets["tcp://192.0.2.7:9100"].families == ("escpos",)
    assert targets["tcp://192.0.2.7:502"].families == ("modbus_text", "modbus_io")
    assert "keypad_ff68" in targets["rtu+tcp://192.0.2.7:4001"].families
    assert not any(t.sure for t in targets.values())


def test_a_network_means_each_of_its_hosts():
    hosts = {t.address.rpartition(":")[0] for t in targets_of(["192.0.2.0/30"], PROFILES)}
    assert {"tcp://192.0.2.1", "tcp://192.0.2.2"} <= hosts


@pytest.mark.parametrize("text", ["http://x", "192.0.2.0/8", "host:99999", "a b", "tcp://"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(SettingsInvalid, match="--scan"):
        targets_of([text], PROFILES)


def test_an_outcome_of_a_key_nobody_pressed_is_expired(found):
    steps, _ = found.driven["waveshare.modbus-rtu-io-8ch"]
    assert steps[-1].outcome is Outcome.EXPIRED
