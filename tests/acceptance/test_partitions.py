"""Every way a line fails × what people do meanwhile × what is restarted: afterwards both sides agree.

36 of the 120 cells by default, all of them with `--all-cells`.
"""

import asyncio

import pytest

from simulators.checkers import unique_ids
from tests.acceptance.district import HALL, district
from tests.acceptance.machine import need

pytestmark = [pytest.mark.root, pytest.mark.slow]

LINES = ("none", "up", "down", "both", "flap", "hang")
DOINGS = ("idle", "issue", "call", "online", "day")
RESTARTS = ("nothing", "agent", "controller", "broker")
ALL = [(line, doing, what) for line in LINES for doing in DOINGS for what in RESTARTS]


def chosen(line, doing, what):
    """Each pair of line and doing once, with the restarts in turn; online requests with a second one."""
    i, j, k = LINES.index(line), DOINGS.index(doing), RESTARTS.index(what)
    return (i + j) % 4 == k or (doing == "online" and (i + j + 2) % 4 == k)


def test_the_default_is_36_cells_that_hold_every_pair():
    cells = [cell for cell in ALL if chosen(*cell)]
    assert (len(cells), len(ALL)) == (36, 120)
    assert len({cell[:2] for cell in cells}) == 30
    assert len({(cell[0], cell[2]) for cell in cells}) == 24


async def do(d, doing):
    if doing == "issue":
        for _ in range(10):
            await d.take()
    elif doing == "call":
        for _ in range(3):
            await d.take()
            await d.call()
    elif doing == "online":
        await d.order()
    elif doing == "day":
        await d.next_day()


async def one(d, line, doing, what):
    """The line fails, people go on, something is restarted, people go on, the line heals."""
    await d.cable.fail(line)
    await do(d, doing)
    await d.restart(what)
    if doing != "day":
        await do(d, doing)
    if line in ("up", "down", "both", "hang") and doing in ("issue", "call"):
        assert (await d.state())["uplink"]["unsynced"] > 0, "the line never failed"
    await d.cable.heal()
    if doing == "online":
        await d.known()
    await d.agree()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("lines", [LINES[:3], LINES[3:]], ids="-".join)
async def test_after_every_outage_both_sides_agree_and_nothing_is_lost_or_doubled(lines, tmp_path, request):
    need("nft")
    everything = request.config.getoption("--all-cells")
    cells = [cell for cell in ALL if cell[0] in lines and (everything or chosen(*cell))]
    async with district(tmp_path) as d:
        assert (await d.act("open")).status_code == 200
        for cell in cells:
            try:
                await one(d, *cell)
            except Exception as error:
                error.add_note(f"in cell {'/'.join(cell)}")
                raise
        here, there = await d.facts("agent"), await d.facts("centre", hall=HALL)
    bodies = [(f["n"], f["kind"], f.get("label")) for f in here]
    assert [(f["n"], f["kind"], f.get("label")) for f in there] == bodies, "every fact once, in order"
    issued = [f for f in here if f["kind"] == "ticket-issued"]
    assert unique_ids((f["day"], f["label"]) for f in issued) == {}
    gone = set(d.told) - {f["ticket_id"] for f in issued}
    assert gone == set(), f"numbers that people hold and nobody knows: {[d.told[t] for t in gone]}"


async def test_a_broker_that_forgets_everything_costs_nothing(tmp_path):
    async with district(tmp_path) as d:
        async with asyncio.TaskGroup() as tasks:
            restarting = tasks.create_task(_again_and_again(d))
            for _ in range(60):
                await d.take()
            await restarting
        await d.agree()
        there = await d.facts("centre", hall=HALL)
    labels = [f["label"] for f in there if f["kind"] == "ticket-issued"]
    assert sorted(labels) == sorted(d.told.values())


async def _again_and_again(d):
    for _ in range(3):
        await d.restart("broker")
