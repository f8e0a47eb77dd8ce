"""The demo's folder, halls and programs."""

import json
import sys

import psutil
import pytest

from firmware_profiles import Shelf
from hall_core.devices.layout import HallFile
from hall_core.errors import SettingsInvalid
from simulators.demo_folder import Folder
from simulators.demo_halls import HALLS, hall_file, keypad_counters, write_hall_file
from simulators.demo_programs import ProgramDied, Programs, free_port, run_to_end
from simulators.demo_stage import _first_here
from simulators.hall import read_hall_file


@pytest.mark.parametrize("hall", HALLS, ids=lambda hall: hall.id)
def test_every_counter_has_a_strip_and_every_hall_a_printer_and_a_keypad(hall, tmp_path):
    file = hall_file(hall, tmp_path, tmp_path / "pepper")
    strips = {d.counter for d in file.devices if d.name.startswith("strip")}
    assert strips == {c.id for c in file.hall.counters}
    assert [d.profile for d in file.devices if d.profile.startswith("escpos")] == ["escpos.80mm"]
    assert len(keypad_counters(file)) == hall.keypads >= 1


def test_the_halls_form_a_tree_of_the_three_levels(tmp_path):
    assert [hall.level for hall in HALLS] == ["district", "street", "community"]
    assert [hall.parent for hall in HALLS] == [None, HALLS[0].id, HALLS[1].id]
    sizes = [(len(hall.services), len(hall.counters)) for hall in HALLS]
    assert sizes == [(4, 7), (3, 4), (2, 2)]


def test_all_kinds_of_links_stand_in_the_district_hall(tmp_path):
    file = hall_file(HALLS[0], tmp_path, tmp_path / "pepper")
    links = {(d.profile, d.address.split(":")[0]) for d in file.devices}
    assert links >= {
        ("modbus.led-strip-generic", "tcp"),
        ("modbus.led-strip-generic", "serial"),
        ("onbon.bx-6k1", "tcp"),
        ("keypad.ff68-21", "serial"),
    }
    on_bus = [d.unit for d in file.devices if d.address == f"serial://{tmp_path}/{HALLS[0].id}-strips"]
    assert on_bus == [1, 2, 3]


def test_the_halls_show_every_family_but_the_modem_and_the_relays(tmp_path):
    """A hall with a modem would tell people by itself during the outage that the story is about."""
    file = [
        hall_file(hall, tmp_path, tmp_path / "pepper", local="mqtt://127.0.0.1:1", port=8070)
        for hall in HALLS
    ]
    shelf = Shelf()
    shown = {shelf.load(device.profile).family for hall in file for device in hall.devices}
    every = {shelf.load(name).family for name in shelf.ids()}
    assert every - shown == {"gsm_at", "modbus_io"}


def test_every_hall_of_every_fresh_demo_hashes_cards_with_a_secret_of_its_own(tmp_path):
    def peppers(*, fresh):
        with Folder(tmp_path / ".demo", fresh=fresh, keep=True) as folder:
            (folder.root / "data").mkdir(exist_ok=True)
            folder.remember({"halls": []})
            files = [folder.pepper(hall.id) for hall in HALLS]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
        named = hall_file(HALLS[0], tmp_path, files[0]).devices
        assert [d.options["pepper_file"] for d in named if d.profile == "card.sam-v"] == [str(files[0])]
        return [file.read_text("ascii") for file in files]

    first = peppers(fresh=True)
    assert peppers(fresh=False) == first
    others = peppers(fresh=True)
    assert len({*first, *others}) == 2 * len(HALLS)
    assert min(map(len, others)) == 64


def test_a_hall_file_reads_back_as_it_was(tmp_path):
    file = hall_file(HALLS[1], tmp_path, tmp_path / "pepper", local="mqtt://127.0.0.1:1", port=8070)
    write_hall_file(file, tmp_path / "hall.yaml")
    read = read_hall_file(tmp_path / "hall.yaml")
    assert isinstance(read, HallFile)
    assert read == file


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path):
    first = Folder(tmp_path / ".demo", fresh=False, keep=False)
    with first, pytest.raises(SettingsInvalid, match="already runs"):
        Folder(tmp_path / ".demo", fresh=False, keep=False).__enter__()
    with Folder(tmp_path / ".demo", fresh=False, keep=False):
        pass


@pytest.mark.parametrize(("keep", "there"), [(True, True), (False, False)])
def test_data_stay_only_when_they_are_to_be_kept(tmp_path, keep, there):
    with Folder(tmp_path / ".demo", fresh=False, keep=keep) as folder:
        folder.data("haitang").mkdir(parents=True)
        folder.remember({"halls": []})
    assert (tmp_path / ".demo" / "data" / "haitang").exists() is there
    assert (tmp_path / ".demo" / "demo.json").exists() is there


def test_kept_data_are_found_again_and_fresh_empties_them(tmp_path):
    with Folder(tmp_path / ".demo", fresh=False, keep=True) as folder:
        folder.data("haitang").mkdir(parents=True)
        folder.remember({"seed": 1})
    with Folder(tmp_path / ".demo", fresh=False, keep=True) as folder:
        assert folder.remembered() == {"seed": 1}
        assert folder.data("haitang").exists()
    with Folder(tmp_path / ".demo", fresh=True, keep=True) as folder:
        assert folder.remembered() == {}
        assert not folder.data("haitang").exists()


def test_data_stay_after_a_failure_and_demo_json_is_its_owners_alone(tmp_path):
    def fail(folder):
        folder.data("haitang").mkdir(parents=True)
        folder.remember({"seed": 1})
        raise ProgramDied("agent-haitang ended")

    with Folder(tmp_path / ".demo", fresh=False, keep=False) as folder, pytest.raises(ProgramDied):
        fail(folder)
    folder = Folder(tmp_path / ".demo", fresh=False, keep=False)
    with pytest.raises(ProgramDied), folder:
        fail(folder)
    path = tmp_path / ".demo" / "demo.json"
    assert json.loads(path.read_text("utf-8")) == {"seed": 1}
    assert path.stat().st_mode & 0o077 == 0


async def test_a_program_that_dies_is_named_with_its_last_words(tmp_path):
    async with Programs(tmp_path) as programs:
        script = "print('no port left'); raise SystemExit(3)"
        program = await programs.start("agent-x", [sys.executable, "-c", script])
        with pytest.raises(ProgramDied, match=r"(?s)agent-x ended with code 3.*no port left"):
            await programs.ready(program)


async def test_the_watch_ends_when_a_program_ends_by_itself(tmp_path):
    async with Programs(tmp_path) as programs:
        await programs.start("controller", [sys.executable, "-c", "raise SystemExit(7)"])
        with pytest.raises(ProgramDied, match="controller ended with code 7"):
            await programs.watch()


async def test_a_program_that_ignores_the_wish_to_stop_is_killed(tmp_path):
    script = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready x', flush=True); signal.pause()"
    async with Programs(tmp_path) as programs:
        program = await programs.start("deaf", [sys.executable, "-c", script])
        assert await programs.ready(program) == "x"
    assert program.process.returncode == -9
    assert not psutil.pid_exists(program.process.pid)


async def test_a_command_that_fails_is_shown_with_what_it_said(tmp_path):
    with pytest.raises(ProgramDied, match=r"(?s)failed with code 1.*not today"):
        await run_to_end([sys.executable, "-c", "raise SystemExit('not today')"])


async def test_settings_people_exported_for_a_real_hall_do_not_leak_into_the_demo(monkeypatch):
    monkeypatch.setenv("HALL_AGENT_BROKER", "mqtts://real.example:8883")
    script = "import os; print(os.environ.get('HALL_AGENT_BROKER', 'nothing'))"
    assert (await run_to_end([sys.executable, "-c", script])).strip() == "nothing"


def test_a_port_is_given_once_however_late_it_is_used():
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)


def test_of_two_demos_that_begin_together_one_at_most_takes_the_usual_ports():
    with _first_here() as first, _first_here() as second:
        assert not (first and second)
    with _first_here() as again:
        assert again == first
