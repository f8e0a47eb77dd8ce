"""The doctor looks at the box: every line is a sentence with a remedy, and nothing is changed."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from edge_agent import cli
from edge_agent.accounts import Accounts
from edge_agent.doctor import around, box
from edge_agent.doctor.check import State
from edge_agent.doctor.examine import Findings, Wish, examine
from edge_agent.doctor.machine import Machine, clock_synchronised, filesystem_of, serial_ports
from edge_agent.doctor.targets import parse_units
from edge_agent.doctor.told import told_of
from edge_agent.settings import load_hall_file, load_settings
from firmware_profiles import Shelf
from hall_core.clock import SystemClock
from hall_core.errors import SettingsInvalid
from tests.edge_agent.conftest import open_journal
from tests.simulators.conftest import HALL


@pytest.fixture
def machine(tmp_path):
    """A machine with an ordinary disk and no serial port."""
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda1 / ext4 rw 0 0\n", encoding="utf-8")
    return Machine(mounts=mounts, devices=str(tmp_path / "dev"))


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def hall_path(tmp_path):
    path = tmp_path / "hall.yaml"
    write(path)
    return path


def write(path: Path, *devices: dict) -> None:
    path.write_text(yaml.safe_dump({"hall": HALL, "devices": list(devices)}), encoding="utf-8")


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


async def findings(machine: Machine, hall: Path | None = None, data: Path | None = None) -> Findings:
    return await examine(Wish(hall=hall, data=data), SystemClock(), lambda _: None, machine)


async def test_an_empty_machine_gets_a_sentence_for_everything_and_nothing_is_made(machine, tmp_path):
    before = listing(tmp_path)
    found = await findings(machine)
    names = {check.name for check in found.checks}
    assert {"python", "clock", "data", "hall", "broker", "pages", "serial"} <= names
    assert all(check.words for check in found.checks)
    assert [c.name for c in found.checks if c.state is State.BAD and c.name not in {"clock", "pages"}] == []
    assert listing(tmp_path) == before


async def test_a_box_that_is_set_up_is_well(machine, data, hall_path):
    open_journal(data / "journal.db").close()
    Accounts(data / "accounts.json", SystemClock()).add_token("wang")
    found = await findings(machine, hall_path, data)
    states = {check.name: check.state for check in found.checks}
    well = {"python", "data", "disk", "journal", "accounts", "hall", "profiles"}
    assert {name for name in well if states[name] is State.WELL} == well


async def test_an_examination_changes_no_file(machine, data, hall_path):
    open_journal(data / "journal.db").close()
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    await findings(machine, hall_path, data)
    after = {path.name: path.read_bytes() for path in data.iterdir()}
    assert {n: b for n, b in after.items() if not n.endswith(("-wal", "-shm"))} == before


def test_a_missing_data_folder_and_one_in_memory_are_named_with_their_remedy(machine, data, tmp_path):
    assert "install -d" in box.data_folder(data / "none", machine).words
    machine.mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\ntmpfs {tmp_path} tmpfs rw 0 0\n", encoding="utf-8")
    check = box.data_folder(data, machine)
    assert (check.state, "tmpfs" in check.words) == (State.BAD, True)
    assert filesystem_of(Path("/"), machine) == "ext4"


def test_a_damaged_journal_is_named(machine, data):
    path = data / "journal.db"
    journal = open_journal(path)
    journal.close()
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\xff" * len(whole[4096:])
    path.write_bytes(whole)
    check = box.journal(path, machine)
    assert (check.state, "corrupt" in check.words) == (State.BAD, True)


def test_a_journal_in_use_is_looked_at_and_its_process_named(machine, data):
    path = data / "journal.db"
    script = (
        "import sys; from pathlib import Path; from edge_agent.journal import Journal\n"
        "j = Journal.open(Path(sys.argv[1]), new_id='x', stamp='s'); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == "open\n"
        check = box.journal(path, machine)
        holder = machine.journal_holder(path)
        agent.communicate("\n", timeout=30)
    assert check.state is State.WELL
    assert holder == agent.pid
    assert str(agent.pid) in check.words
    assert machine.journal_holder(path) is None


def test_a_box_without_staff_is_told_how_to_make_some_and_no_file_is_made(data):
    path = data / "accounts.json"
    assert box.accounts(path, "127.0.0.1", SystemClock()).state is State.NOTE
    open_to_all = box.accounts(path, "0.0.0.0", SystemClock())
    assert (open_to_all.state, "hall-agent staff add" in open_to_all.words) == (State.BAD, True)
    assert not path.exists()


def test_a_disk_that_takes_no_commit_is_named(tmp_path):
    assert box.disk(tmp_path / "nowhere", SystemClock()).state is State.BAD
    assert box.disk(tmp_path, SystemClock()).state in {State.WELL, State.NOTE}
    assert listing(tmp_path) == set()


def test_the_clock_is_right_wrong_or_unknown():
    assert clock_synchronised(Machine()) in {True, False, None}
    assert box.clock_right(Machine()).words


async def test_a_wrong_hall_file_and_wrong_options_are_named(hall_path, data, machine):
    hall_path.write_text("hall: [", encoding="utf-8")
    found = await findings(machine, hall_path, data)
    assert {c.name: c.state for c in found.checks}["hall"] is State.BAD
    assert not found.well
    write(
        hall_path,
        {"name": "s", "profile": "no.such", "address": "tcp://127.0.0.1:1"},
        {"name": "t", "profile": "escpos.80mm", "address": "tcp://127.0.0.1:1", "options": {"colums": 3}},
    )
    check = await around.profiles(load_hall_file(hall_path), Shelf(), SystemClock())
    assert check.state is State.BAD
    assert "no such profile" in check.words
    assert "colums" in check.words


def settings(tmp_path, **more):
    return load_settings(hall=tmp_path / "h", data=tmp_path / "d", **more)


async def test_a_broker_is_reachable_refuses_or_is_no_broker_at_all(tmp_path):
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        there = await around.broker(settings(tmp_path, broker=f"mqtt://127.0.0.1:{port}"))
    gone = await around.broker(settings(tmp_path, broker=f"mqtt://127.0.0.1:{port}"))
    unset = await around.broker(settings(tmp_path))
    assert [there.state, gone.state, unset.state] == [State.WELL, State.BAD, State.NOTE]


async def test_a_broker_whose_certificate_nobody_vouches_for_is_named(tmp_path):
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (tmp_path / "ca.pem").write_text("nothing\n", encoding="ascii")
    async with server:
        check = await around.broker(
            settings(tmp_path, broker=f"mqtts://127.0.0.1:{port}", broker_ca=tmp_path / "ca.pem")
        )
    assert check.state is State.BAD
    assert "TLS" in check.words


async def test_a_certificate_that_is_not_there_is_no_fault_of_the_network(tmp_path):
    check = await around.broker(
        settings(tmp_path, broker="mqtts://127.0.0.1:9", broker_ca=tmp_path / "none.pem")
    )
    assert (check.state, "none.pem" in check.words) == (State.BAD, True)


async def test_the_port_of_the_pages_is_free_taken_or_the_agents(tmp_path):
    async def healthy(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    async def foreign(_reader, writer):
        writer.write(b"SSH-2.0-x\r\n")
        writer.close()

    for served, state in ((healthy, State.WELL), (foreign, State.BAD)):
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            assert (await around.pages(settings(tmp_path, port=port))).state is state
    assert (await around.pages(settings(tmp_path, port=port))).state is State.WELL


def test_serial_ports_are_listed_by_the_name_that_stays(machine, tmp_path):
    dev = tmp_path / "dev"
    (dev / "serial/by-id").mkdir(parents=True)
    (dev / "ttyUSB0").touch()
    (dev / "serial/by-id/usb-FTDI").symlink_to(dev / "ttyUSB0")
    (port,) = serial_ports(machine)
    assert port.best == str(dev / "serial/by-id/usb-FTDI")
    assert port.allowed


def test_what_nobody_named_is_not_known(tmp_path):
    told = told_of(None, tmp_path)
    assert (told.hall, told.data) == (None, tmp_path)
    assert told.settings is not None
    assert told_of(None, None).settings is not None


@pytest.mark.parametrize(("text", "units"), [("1-3", (1, 2, 3)), ("5", (5,)), ("1,7-8", (1, 7, 8))])
def test_units_are_read(text, units):
    assert parse_units(text) == units


@pytest.mark.parametrize("text", ["", "0", "3-1", "1-300", "x"])
def test_what_are_no_units_is_refused(text):
    with pytest.raises(SettingsInvalid, match="--units"):
        parse_units(text)


def test_the_command_says_it_for_programs_and_fails_when_something_is_wrong(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["doctor", "--json", "--hall", str(tmp_path / "none.yaml"), "--data", str(tmp_path)])
    assert left.value.code == 1
    said = json.loads(capsys.readouterr().out)
    assert said["well"] is False
    assert {"name": "hall", "state": "bad"}.items() <= next(
        check for check in said["checks"] if check["name"] == "hall"
    ).items()


def test_the_doctor_is_no_part_of_the_running_agent():
    script = "import sys, edge_agent.app, edge_agent.cli; print([m for m in sys.modules if 'doctor' in m or 'recognis' in m])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
