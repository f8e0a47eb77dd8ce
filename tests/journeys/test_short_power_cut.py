"""A power cut so short that nobody missed the device: what stood there stands there again within two seconds."""

import asyncio
from pathlib import Path

import pytest
import uvloop

from hall_core.devices.vocabulary import Capability
from tests.journeys.faults_scene import REPAINT_S, SHELF, SOON_S, Cell, Lag, staged
from tests.journeys.test_fault_matrix import CELLS

#: shorter than any wait for an answer
CUT_S = 0.3
TRIES = 3


def _cells() -> list[Cell]:
    """Every model that forgets its picture with its power, on a wire that may not show that it was away."""
    return [c for c in CELLS if c.fault == "power-cycle" and c.scheme in ("tcp", "serial") and _forgets(c)]


#: what a device shows, or how it stands
_STANDS = {Capability.CALL_DISPLAY, Capability.INDICATOR, Capability.LOCK}


def _forgets(cell: Cell) -> bool:
    profile = SHELF.load(cell.profile)
    return profile.volatile and bool(_STANDS & set(profile.capabilities))


async def _complaints(cell: Cell, folder: Path) -> list[str] | None:
    """What went wrong; None where this program itself stood still too long to tell."""
    lag, began = Lag(), asyncio.get_running_loop().time()
    measuring = asyncio.create_task(lag.measure(), name="lag")
    try:
        async with staged(cell, folder, lag) as scene:
            part = scene.part
            await scene.until("ready", lambda: scene.state not in ("unknown", "offline"), SOON_S)
            await part.move()
            await scene.until("present before the cut", part.present, SOON_S)
            scene.stage.sim.fault("power-cycle", CUT_S)
            await scene.until("dark", lambda: not part.present(), SOON_S)
            await scene.until("present again", part.present, CUT_S + REPAINT_S)
            return scene.complaints if lag.worst_since(began) < REPAINT_S / 8 else scene.complaints and None
    finally:
        measuring.cancel()


@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.name) for cell in _cells()])
def test_a_device_that_lost_its_power_for_a_moment_shows_the_present_again(cell: Cell, tmp_path: Path):
    found: list[str] | None = None
    for n in range(TRIES):
        folder = tmp_path / str(n)
        folder.mkdir()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(_complaints(cell, folder))
        if found is not None:
            break
    assert found == [], found
