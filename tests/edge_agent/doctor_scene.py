"""A hall of simulated devices for the doctor to find, and a record of all that is said to them."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

import firmware_profiles
from device_drivers.recognising import Unaskable, recogniser_of
from edge_agent.doctor.proposals import Proposal, as_yaml, proposals
from edge_agent.doctor.scan import Look, Scanner
from edge_agent.doctor.targets import targets_of
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup, HallFile
from simulators.hall import SimulatedHall
from simulators.modbus_io_frames import crc16
from tests.simulators.conftest import HALL

PROFILES = firmware_profiles.all_profiles()
#: profiles of families that are simulated at an address of their own and can be asked or heard
FINDABLE = {i: p for i, p in PROFILES.items() if not isinstance(recogniser_of(p.family), Unaskable)}
#: what can only be found with a hand's help
SPEAKERS = {i for i, p in FINDABLE.items() if p.family == "keypad_ff68"}
#: listens to everything and answers nothing
MUTE = {i: p for i, p in PROFILES.items() if p.family == "pager_pocsag"}
WRITING = {5, 6, 15, 16, 22, 23}


class Said:
    """Every piece of bytes each simulated device's line has heard."""

    def __init__(self, hall: SimulatedHall) -> None:
        self.pieces: defaultdict[str, list[bytes]] = defaultdict(list)
        for device in hall.devices.values():
            line = device.line
            line.came_in = self._noting(line.address, line.came_in)

    def _noting(self, address: str, came_in):
        def note(link, data: bytes) -> None:
            self.pieces[address].append(data)
            came_in(link, data)

        return note

    def modbus_functions(self) -> set[int]:
        """Function codes of everything that is a Modbus request, in either framing."""
        found = set()
        for address, pieces in self.pieces.items():
            for piece in pieces:
                if address.startswith("tcp://"):
                    if len(piece) > 7 and piece[2:4] == b"\0\0" and len(piece) == 6 + piece[5]:
                        found.add(piece[7])
                elif len(piece) > 3 and crc16(piece[:-2]) == piece[-2:]:
                    found.add(piece[1])
        return found


@asynccontextmanager
async def simulated(*devices: dict[str, Any]) -> AsyncIterator[SimulatedHall]:
    """These devices on real time: half-heard frames are forgotten by the clock."""
    setups = [{"name": f"sim-{n}", "address": "tcp://127.0.0.1:0"} | d for n, d in enumerate(devices, 1)]
    hall_file = HallFile.model_validate({"hall": HALL, "devices": setups})
    async with SimulatedHall(hall_file, SystemClock()) as hall:
        yield hall


def on_its_own_port(profile_id: str) -> dict[str, Any]:
    scheme = "tcp" if PROFILES[profile_id].tcp else "rtu+tcp"
    return {"profile": profile_id, "address": f"{scheme}://127.0.0.1:0"}


async def look(
    *addresses: str, units=(1, 2, 3), listen_s=0.2, between_s=0.3, said: list[str] | None = None
) -> list[Look]:
    """`between_s`: no device here keeps half a frame of another family for longer."""
    lines: list[str] = [] if said is None else said
    scanner = Scanner(
        PROFILES, SystemClock(), lines.append, units=units, listen_s=listen_s, between_s=between_s
    )
    return await scanner.look(targets_of(list(addresses), PROFILES))


def proposed(looks: list[Look], there=()) -> list[Proposal]:
    return proposals((s for one in looks for s in one.sightings), PROFILES, there)


def setups(made: list[Proposal], folder: Path) -> dict[tuple[str, int], DeviceSetup]:
    """The proposed YAML as the hall file's loader takes it, by address and unit."""
    content = yaml.safe_load(as_yaml(made, PROFILES))
    pepper = folder / "pepper"
    pepper.write_text("0123456789abcdef", encoding="ascii")
    pepper.chmod(0o600)
    for entry in content["devices"]:
        if "pepper_file" in entry.get("options", {}):
            entry["options"]["pepper_file"] = str(pepper)
    layout = HallFile.model_validate({"hall": HALL, **content})
    return {(setup.address, setup.unit): setup for setup in layout.devices}
