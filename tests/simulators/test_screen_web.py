"""Simulated browsers before a real agent: what they show, say, and how they fail."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hall_core.clock import FixedClock
from hall_core.devices.vocabulary import DeviceState
from hall_core.errors import SettingsInvalid
from hall_core.queueing import commands as c
from simulators.device import SimDevice
from simulators.screen_web import _place
from tests.drivers.captures import Capture, all_captures
from tests.edge_agent.conftest import issue
from tests.edge_agent.whole_agent import WholeAgent, whole_agent
from tests.simulators.conftest import Simulate

CAPTURES = [capture for capture in all_captures() if capture.family == "screen_web"]
BOARD = {"name": "hall-board", "profile": "screen.board"}


@asynccontextmanager
async def watched(
    simulate: Simulate, folder: Path, clock: FixedClock, **device: Any
) -> AsyncIterator[tuple[WholeAgent, SimDevice]]:
    """A hall and one browser before it, once it is known to be there."""
    device = BOARD | device
    async with whole_agent(folder, clock, device | {"address": f"web://{device['name']}"}) as agent:
        port = urlsplit(agent.url).port
        async with simulate(device | {"address": f"web://{device['name']}@127.0.0.1:{port}"}) as hall:
            await agent.until(lambda: agent.keeper(device["name"]).state is DeviceState.ONLINE)
            yield agent, hall.devices[device["name"]]


async def call(agent: WholeAgent, n: int) -> None:
    if n == 1:
        await agent.hall.handle(c.OpenCounter(counter="1"))
    await agent.hall.handle(issue(n))
    await agent.hall.handle(c.CallNext(counter="1"))
    await agent.hall.handle(c.Start(counter="1"))
    await agent.hall.handle(c.Finish(counter="1"))


async def test_a_board_shows_the_calls_and_the_hall_knows_it(
    simulate: Simulate, tmp_path: Path, clock: FixedClock
) -> None:
    async with watched(simulate, tmp_path, clock) as (agent, screen):
        board = agent.keeper("hall-board")
        await agent.until(lambda: board.outcome == "applied")
        for n in (1, 2):
            await call(agent, n)
        await agent.until(lambda: screen.shows()["showing"] == ["A002", "A001"])
        await agent.until(lambda: board.outcome == "applied")
        assert screen.shows()["calls"][0] == {"label": "A002", "counter": "1号窗口"}
        assert screen.history[-1]["shows"]["showing"] == ["A002", "A001"]


@pytest.mark.parametrize("fault", ["frozen", "offline"])
async def test_a_board_that_freezes_or_is_cut_off_is_offline_and_comes_back(
    simulate: Simulate, tmp_path: Path, clock: FixedClock, fault: str
) -> None:
    async with watched(simulate, tmp_path, clock) as (agent, screen):
        board = agent.keeper("hall-board")
        screen.fault(fault)
        clock.advance(15)
        await agent.until(lambda: board.state is DeviceState.OFFLINE)
        await call(agent, 1)
        await agent.until(lambda: board.outcome == "unreachable")
        assert screen.shows()["showing"] == []
        screen.clear()
        await agent.until(lambda: board.state is DeviceState.ONLINE and board.outcome == "applied")
        assert screen.shows()["showing"] == ["A001"]


async def test_a_board_that_shows_an_old_picture_is_degraded_and_says_so(
    simulate: Simulate, tmp_path: Path, clock: FixedClock
) -> None:
    async with watched(simulate, tmp_path, clock) as (agent, screen):
        board = agent.keeper("hall-board")
        await call(agent, 1)
        await agent.until(lambda: screen.shows()["showing"] == ["A001"])
        screen.fault("stale")
        await call(agent, 2)
        await agent.until(lambda: board.outcome == "unconfirmed")
        for _ in range(6):
            clock.advance(5)
            seen = agent.screens._screens["hall-board"]._news
            screen.key("touch")  # whatever changes is said at once
            await seen.wait()
        await agent.until(lambda: board.state is DeviceState.DEGRADED)
        assert board.outcome == "unconfirmed"
        screen.clear()
        await agent.until(lambda: board.state is DeviceState.ONLINE and board.outcome == "applied")


async def test_an_old_page_is_loaded_anew_but_not_under_somebodys_hands(
    simulate: Simulate, tmp_path: Path, clock: FixedClock
) -> None:
    kiosk = {"name": "kiosk-1", "profile": "screen.kiosk"}
    async with watched(simulate, tmp_path, clock, **kiosk) as (agent, screen):
        loads = screen.shows()["loads"]
        screen.key("touch")
        screen.fault("old-version")
        await agent.until(lambda: agent.keeper("kiosk-1").detail.startswith("页面有新版本"))
        assert screen.shows()["loads"] == loads
        screen.body._alone()  # type: ignore[attr-defined]
        await agent.until(lambda: agent.keeper("kiosk-1").detail == "")
        assert screen.shows()["loads"] == loads + 1
        assert screen.faults.active() == []


async def test_a_power_cycle_loads_the_page_anew(
    simulate: Simulate, tmp_path: Path, clock: FixedClock
) -> None:
    async with watched(simulate, tmp_path, clock) as (agent, screen):
        await call(agent, 1)
        await agent.until(lambda: screen.shows()["showing"] == ["A001"])
        boot = agent.screens._screens["hall-board"].last.at_boot  # type: ignore[union-attr]
        clock.advance(1)
        screen.fault("power-cycle", 0)
        await agent.until(lambda: agent.keeper("hall-board").outcome == "applied")
        place = agent.screens._screens["hall-board"]
        assert await place.says(lambda beat: beat.at_boot > boot and beat.showing == ("A001",), 5)


async def test_a_rating_tablet_asks_for_the_visit_at_its_counter(
    simulate: Simulate, tmp_path: Path, clock: FixedClock
) -> None:
    tablet = {"name": "rate-1", "profile": "screen.evaluator", "counter": "1"}
    async with watched(simulate, tmp_path, clock, **tablet) as (agent, screen):
        await agent.hall.handle(c.OpenCounter(counter="1"))
        await agent.hall.handle(issue(1))
        await agent.hall.handle(c.CallNext(counter="1"))
        await agent.hall.handle(c.Start(counter="1"))
        await agent.until(lambda: screen.shows()["showing"] == ["A001"])
        await agent.until(lambda: agent.keeper("rate-1").outcome == "applied")


@pytest.mark.parametrize("capture", CAPTURES, ids=str)
async def test_a_simulated_page_says_what_the_real_one_said(
    simulate: Simulate, tmp_path: Path, clock: FixedClock, capture: Capture
) -> None:
    """Every field the browser's page sent, in its form; the words are the hall's own."""
    real = json.loads(capture.heard[0])
    device = {"name": "s", "profile": capture.profile, "counter": real.get("counter")}
    async with watched(simulate, tmp_path, clock, **device) as (agent, _):
        said = agent.screens._screens["s"].last
        assert said is not None
        mine = json.loads(said.model_dump_json(exclude_none=True))
        assert mine.keys() == real.keys()
        assert {k: type(v) for k, v in mine.items()} == {k: type(v) for k, v in real.items()}
        assert mine["page"] == real["page"]
        if mine["page"] in ("kiosk", "terminal", "info"):
            assert mine["showing"] == real["showing"]


@pytest.mark.parametrize(
    ("address", "name", "url"),
    [
        ("web://hall-board", "hall-board", "http://127.0.0.1:8070"),
        ("web://hall-board@192.0.2.7:81", "hall-board", "http://192.0.2.7:81"),
        ("web://hall-board@hall.example", "hall-board", "http://hall.example:8070"),
    ],
)
async def test_an_address_names_the_screen_and_where_its_hall_is(
    simulate: Simulate, address: str, name: str, url: str
) -> None:
    async with simulate(BOARD | {"address": address}) as hall:
        assert _place(hall.devices["hall-board"]) == (name, url)


async def test_one_browser_has_one_name(simulate: Simulate) -> None:
    with pytest.raises(SettingsInvalid, match="screen-2"):
        async with simulate(
            {"name": "screen-1", "profile": "screen.board", "address": "web://one", "unit": 1},
            {"name": "screen-2", "profile": "screen.board", "address": "web://one", "unit": 2},
        ):
            pass
