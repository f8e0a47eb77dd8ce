"""The hall's door for screens that report: what they say, and what nobody may say."""

import asyncio
from contextlib import asynccontextmanager

import httpx2
import pytest

import firmware_profiles
from device_drivers import open_driver
from device_drivers.bus import BusPool, NamedScreens
from device_drivers.bus.screens import BURST, MOST_BYTES
from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.reactions import board_picture
from edge_agent.web.app import web_app
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import DeviceState
from hall_core.queueing import commands as c
from tests.edge_agent.conftest import issue

URL = "/api/screens/hall-board/beat"


def beat(**says):
    return {"page": "board", "version": "1", "at_boot": "2026-11-23T01:00:00Z", **says}


@pytest.fixture
def screens(clock, hall):
    return NamedScreens(clock, lambda: hall.journal.last)


@pytest.fixture
async def http(view, new_id, screens):
    app = web_app(view, new_id=new_id, version="test", screens=screens)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://hall.example") as client:
        yield client


@pytest.fixture
def standing(screens):
    with screens.standing("hall-board") as screen:
        yield screen


@asynccontextmanager
async def kept(hall, clock, screens, new_id):
    """The keeper of one board, probed often."""
    profile = firmware_profiles.load("screen.board")
    timing = profile.timing.model_copy(update={"probe_s": 0.01, "response_timeout_ms": 20})
    profile = profile.model_copy(update={"timing": timing})
    setup = DeviceSetup(name="board", profile=profile.id, address="web://hall-board")
    async with BusPool(clock=clock, screens=screens) as buses:
        devices = Devices(
            hall,
            [(setup, profile)],
            lambda setup, profile: open_driver(setup, profile, buses, clock),
            new_id=new_id,
            jitter=lambda: 0.0,
            ticket_url=lambda token: token,
            bell=Bell(),
        )
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(devices.run(), name="devices")
            yield devices.keepers[0], devices.bell
            running.cancel()


async def until(bell, truth):
    async with asyncio.timeout(30):
        while not truth():
            await bell.wait_past(bell.count)


async def test_a_beat_is_heard_and_answered_with_what_to_do(http, screens, standing):
    answer = await http.post(URL, json=beat(version=screens.version, showing=["A018"], seen_n=3))
    assert (answer.status_code, answer.json()) == (200, {"reload": False, "every_s": 5})
    assert standing.last.showing == ("A018",)


async def test_a_page_of_another_version_is_told_to_load_anew(http, screens, standing):
    assert screens.version
    assert (await http.post(URL, json=beat(version="older", in_use=True))).json()["reload"] is False
    assert (await http.post(URL, json=beat(version="older"))).json()["reload"] is True


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"", 422, "bad-request"),
        (b"not json", 422, "bad-request"),
        (b"\xff\xfe", 422, "bad-request"),
        (b'{"page":"board"}', 422, "bad-request"),
        (b" " * (MOST_BYTES + 1), 422, "bad-request"),
    ],
)
async def test_a_bad_beat_is_explained_and_changes_nothing(http, standing, body, status, slug):
    answer = await http.post(URL, content=body)
    assert (answer.status_code, answer.json()["type"]) == (status, slug)
    assert answer.headers["content-type"] == "application/problem+json"
    assert standing.last is None


async def test_a_long_body_is_not_read_to_its_end(http, standing):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 1024
            yield b" " * 1024

    answer = await http.post(URL, content=endless())
    assert answer.status_code == 422
    assert sent <= 2 * MOST_BYTES


async def test_a_name_nobody_gave_is_unknown_and_leaves_nothing_behind(http, screens):
    for number in range(50):
        answer = await http.post(f"/api/screens/name-{number}/beat", json=beat())
        assert (answer.status_code, answer.json()["type"]) == (404, "unknown-screen")
    assert screens._screens == {}


async def test_too_many_beats_are_refused_until_some_time_has_passed(http, clock, standing):
    answers = [(await http.post(URL, json=beat())).status_code for _ in range(BURST + 5)]
    assert answers == [200] * BURST + [429] * 5
    clock.advance(2)
    assert (await http.post(URL, json=beat())).status_code == 200


async def test_another_site_may_not_speak_for_a_screen(http, standing):
    answer = await http.post(URL, json=beat(), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert standing.last is None


async def test_a_board_is_online_shows_the_call_falls_silent_and_comes_back(
    http, hall, clock, screens, new_id
):
    async with kept(hall, clock, screens, new_id) as (board, bell):
        await until(bell, lambda: board.outcome == "unreachable")
        await http.post(URL, json=beat(version=screens.version))
        await until(bell, lambda: board.state is DeviceState.ONLINE)
        await until(bell, lambda: board.outcome == "applied")
        await hall.handle(c.OpenCounter(counter="1"))
        await hall.handle(issue(1))
        await hall.handle(c.CallNext(counter="1"))
        await until(bell, lambda: board.outcome == "unconfirmed")
        await http.post(URL, json=beat(version=screens.version, showing=["A001"]))
        await until(bell, lambda: board.outcome == "applied")
        clock.advance(15)
        await until(bell, lambda: board.state is DeviceState.OFFLINE)
        await hall.handle(issue(2))
        await hall.handle(c.NoShow(counter="1"))
        await hall.handle(c.CallNext(counter="1"))
        await until(bell, lambda: board.outcome == "unreachable")
        shown = [row.label for row in board_picture(hall.queue, hall.now()).rows]
        assert shown[0] == "A002"
        await http.post(URL, json=beat(version=screens.version, showing=shown))
        await until(bell, lambda: board.state is DeviceState.ONLINE and board.outcome == "applied")
