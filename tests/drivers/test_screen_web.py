"""Browsers as devices: what a page says of itself is what the hall knows of the screen."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import firmware_profiles
from device_drivers.bus import BusPool, NamedScreens
from device_drivers.bus.screens import BURST, read_beat
from device_drivers.screen_web.driver import DeviceDriver
from device_drivers.screen_web.judging import shows
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    BoardPicture,
    BoardRow,
    CounterMode,
    CounterPicture,
    DeviceState,
    Outcome,
    Restart,
    ScreenPicture,
)
from hall_core.errors import (
    BadFrame,
    DeviceRefused,
    DeviceUnreachable,
    SettingsInvalid,
    TooManyAttempts,
    UnknownScreen,
)
from tests.drivers.samples import JOB

BOOT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
VERSION = "0123456789ab"


def picture(*labels: str) -> BoardPicture:
    return BoardPicture(hall="海棠", rows=tuple(BoardRow(label=label, counter="3号窗口") for label in labels))


class Page:
    """A page that speaks when the test says so."""

    def __init__(self, screens: NamedScreens, name: str = "hall-board", page: str = "board") -> None:
        self._screens, self._name = screens, name
        self.says: dict[str, Any] = {"page": page, "version": VERSION, "at_boot": BOOT.isoformat()}

    def beat(self, *labels: str, **says: Any) -> dict[str, Any]:
        told = {**self.says, "showing": labels, **says}
        screen = self._screens.admit(self._name)
        answer: dict[str, Any] = json.loads(self._screens.hear(screen, read_beat(json.dumps(told).encode())))
        return answer


@asynccontextmanager
async def standing(
    clock: FixedClock, profile: str = "screen.board", patience_ms: int = 40, **setup: Any
) -> AsyncIterator[tuple[DeviceDriver, Page]]:
    kept = firmware_profiles.load(profile)
    timing = kept.timing.model_copy(update={"response_timeout_ms": patience_ms})
    kept = kept.model_copy(update={"timing": timing})
    setup = {"name": "board", "address": "web://hall-board"} | setup
    async with BusPool(clock=clock) as buses:
        buses.screens.version = VERSION
        device = DeviceSetup.model_validate({**setup, "profile": profile})
        async with DeviceDriver(device, kept, buses, clock) as driver:
            yield driver, Page(buses.screens, page=kept.options["pages"][0])


async def test_a_screen_nobody_opened_is_offline_and_says_which_page_to_open(clock: FixedClock) -> None:
    async with standing(clock) as (driver, _):
        assert (await driver.probe()).state is DeviceState.UNKNOWN, "the hall has only just begun"
        clock.advance(12)
        found = await driver.probe()
        assert found.state is DeviceState.OFFLINE
        assert "/board?screen=hall-board" in found.detail


async def test_a_screen_whose_heart_beats_is_online_and_offline_when_it_has_stopped_for_two_beats(
    clock: FixedClock,
) -> None:
    async with standing(clock) as (driver, page):
        for _ in range(4):
            page.beat()
            clock.advance(5)
            assert (await driver.probe()).state is DeviceState.ONLINE
        clock.advance(5)
        assert (await driver.probe()).state is DeviceState.ONLINE, "one lost beat is no failure"
        clock.advance(2)
        found = await driver.probe()
        assert found.state is DeviceState.OFFLINE
        clock.advance(100)
        assert await driver.probe() == found, "a sentence that changes by itself would wake every screen"
        page.beat()
        assert (await driver.probe()).state is DeviceState.ONLINE


def test_the_profile_notices_a_stopped_heart_within_15_s() -> None:
    for profile in firmware_profiles.all_profiles().values():
        if profile.family == "screen_web":
            assert profile.options.get("heard_for_s", 11) + profile.timing.probe_s < 15, profile.id


async def test_a_picture_is_applied_when_the_screen_says_so(clock: FixedClock) -> None:
    async with standing(clock, patience_ms=5_000) as (driver, page):
        page.beat("A017")
        async with asyncio.TaskGroup() as tasks:
            showing = tasks.create_task(driver.show(picture("A018", "A017")))
            await asyncio.sleep(0)
            page.beat("A017")
            await asyncio.sleep(0)
            assert not showing.done(), "it still says the old call"
            page.beat("A018", "A017")
        assert showing.result() is Outcome.APPLIED
        assert await driver.show(picture("A018", "A017")) is Outcome.APPLIED


async def test_a_picture_is_unconfirmed_when_the_screen_lives_and_does_not_show_it(clock: FixedClock) -> None:
    async with standing(clock) as (driver, page):
        page.beat("A017")
        assert await driver.show(picture("A018", "A017")) is Outcome.UNCONFIRMED


async def test_a_picture_is_unreachable_at_once_when_the_heart_has_stopped(clock: FixedClock) -> None:
    async with standing(clock, patience_ms=60_000) as (driver, page):
        async with asyncio.timeout(5):
            assert await driver.show(picture("A018")) is Outcome.UNREACHABLE
            page.beat("A017")
            clock.advance(12)
            assert await driver.show(picture("A018")) is Outcome.UNREACHABLE


@pytest.mark.parametrize(
    ("showing", "labels", "true"),
    [
        ((), (), True),
        (("A1",), (), False),
        ((), ("A1",), False),
        (("A2", "A1"), ("A2", "A1"), True),
        (("A3", "A2", "A1"), ("A2", "A1"), True),  # a newer call came in between
        (("A6", "A5", "A4", "A3", "A2"), ("A5", "A4", "A3", "A2", "A1"), True),
        (("A1", "A2"), ("A2", "A1"), False),
        (("A2",), ("A2", "A1"), False),
        (("A9", "A8"), ("A2", "A1"), False),
    ],
)
def test_which_labels_are_the_pictures(showing: tuple[str, ...], labels: tuple[str, ...], true: bool) -> None:
    said = {"page": "board", "version": "1", "at_boot": BOOT.isoformat(), "showing": showing}
    assert shows(read_beat(json.dumps(said).encode()), labels, 5) is true


async def test_a_board_that_shows_an_outdated_call_is_degraded_and_says_which(clock: FixedClock) -> None:
    async with standing(clock) as (driver, page):
        page.beat("A017")
        await driver.show(picture("A018", "A017"))
        assert (await driver.probe()).state is DeviceState.ONLINE, "news may be under way"
        for _ in range(5):
            page.beat("A017")
            clock.advance(5)
            found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert "A017" in found.detail
        assert "A018" in found.detail
        page.beat("A018", "A017")
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_each_new_picture_has_its_own_time_to_arrive(clock: FixedClock) -> None:
    async with standing(clock, patience_ms=1) as (driver, page):
        for number in range(8):
            await driver.show(picture(f"A{number:03}"))
            clock.advance(5)
            page.beat(f"A{number - 1:03}")
            assert (await driver.probe()).state is DeviceState.ONLINE


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ({"page": "kiosk"}, "/board?screen=hall-board"),
        ({"fresh": "stale"}, "收不到"),
        ({"fresh": "dark"}, "收不到"),
    ],
)
async def test_a_page_that_is_no_good_is_degraded_with_the_reason(
    clock: FixedClock, says: dict[str, Any], words: str
) -> None:
    async with standing(clock) as (driver, page):
        page.beat(**says)
        found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert words in found.detail


async def test_a_page_that_knows_less_than_the_hall_for_a_while_has_fallen_behind(clock: FixedClock) -> None:
    async with standing(clock, "screen.info") as (driver, page):
        page._screens.newest_n = lambda: 41
        page.beat(seen_n=40)
        clock.advance(3)
        page.beat(seen_n=40)
        assert (await driver.probe()).state is DeviceState.ONLINE, "the news may be under way"
        clock.advance(2)
        page.beat(seen_n=40)
        assert (await driver.probe()).state is DeviceState.DEGRADED
        page._screens.newest_n = lambda: 42
        page.beat(seen_n=41)
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_the_rating_page_of_another_counter_is_degraded(clock: FixedClock) -> None:
    async with standing(clock, "screen.evaluator", counter="3") as (driver, page):
        page.beat(counter="4")
        found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert "/rate/3?screen=hall-board" in found.detail
        page.beat(counter="3")
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_a_rating_page_has_applied_what_it_has_seen(clock: FixedClock) -> None:
    shown = CounterPicture(
        counter="3", name="3号窗口", mode=CounterMode.SERVING, label="A018", call_no=1, text=""
    )
    async with standing(clock, "screen.evaluator", counter="3") as (driver, page):
        page._screens.newest_n = lambda: 7
        page.beat(counter="3", seen_n=6)
        assert await driver.show(shown) is Outcome.UNCONFIRMED
        page.beat(counter="3", seen_n=7)
        assert await driver.show(shown) is Outcome.APPLIED


async def test_an_old_page_is_told_to_load_anew_once_nobody_uses_it(clock: FixedClock) -> None:
    async with standing(clock) as (driver, page):
        assert page.beat()["reload"] is False
        assert page.beat(version="old", in_use=True)["reload"] is False
        assert (await driver.probe()).state is DeviceState.ONLINE
        assert "新版本" in (await driver.probe()).detail
        assert page.beat(version="old")["reload"] is True
        assert page.beat(version="old")["reload"] is False, "not again before it can have loaded"
        clock.advance(61)
        assert page.beat(version="old")["reload"] is True
        assert page.beat(at_boot=(BOOT + timedelta(seconds=9)).isoformat())["reload"] is False
        assert (await driver.probe()).detail == ""


async def test_a_page_that_stays_old_is_degraded(clock: FixedClock) -> None:
    async with standing(clock) as (driver, page):
        for _ in range(190):
            page.beat(version="old")
            clock.advance(5)
        assert (await driver.probe()).state is DeviceState.DEGRADED


async def test_two_pages_under_one_name_are_noticed_and_a_page_loaded_anew_is_not(clock: FixedClock) -> None:
    later = (BOOT + timedelta(minutes=1)).isoformat()
    async with standing(clock) as (driver, page):
        page.beat()
        page.beat(at_boot=later)
        assert (await driver.probe()).state is DeviceState.ONLINE
        page.beat()
        found = await driver.probe()
        assert found.state is DeviceState.DEGRADED
        assert "hall-board" in found.detail
        clock.advance(16)
        page.beat(at_boot=later)
        page.beat(at_boot=later)
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_a_restart_loads_the_page_anew_and_a_dead_screen_cannot(clock: FixedClock) -> None:
    async with standing(clock) as (driver, page):
        with pytest.raises(DeviceUnreachable):
            await driver.do(Restart(job_id="1"))
        page.beat()
        async with asyncio.TaskGroup() as tasks:
            doing = tasks.create_task(driver.do(Restart(job_id="1")))
            await asyncio.sleep(0)
            assert page.beat()["reload"] is True
            anew = (BOOT + timedelta(minutes=1)).isoformat()
            assert page.beat(at_boot=anew)["reload"] is False
        assert doing.result() is Outcome.APPLIED


async def test_what_a_browser_cannot_do_is_refused(clock: FixedClock) -> None:
    async with standing(clock) as (driver, _):
        with pytest.raises(DeviceRefused):
            await driver.show(ScreenPicture(on=True))
        with pytest.raises(DeviceRefused):
            await driver.do(JOB)


async def test_a_name_without_a_driver_is_unknown_and_too_many_beats_are_refused(clock: FixedClock) -> None:
    async with standing(clock) as (_, page):
        for _ in range(BURST):
            page.beat()
        with pytest.raises(TooManyAttempts):
            page.beat()
        clock.advance(5)
        page.beat()
        with pytest.raises(UnknownScreen, match="lobby"):
            page._screens.admit("lobby")
    with pytest.raises(UnknownScreen):
        page.beat()


async def test_one_name_is_one_screen(clock: FixedClock) -> None:
    profile = firmware_profiles.load("screen.board")
    async with BusPool(clock=clock) as buses:

        def driver(name: str) -> DeviceDriver:
            setup = DeviceSetup(name=name, profile=profile.id, address="web://hall-board")
            return DeviceDriver(setup, profile, buses, clock)

        async with driver("one"):
            with pytest.raises(SettingsInvalid, match="hall-board"):
                async with driver("two"):
                    pass
        async with driver("two"):
            pass


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8070", "web://Hall Board", "web://", "web://a@b:99999"])
async def test_an_address_that_names_no_screen_is_refused(clock: FixedClock, address: str) -> None:
    profile = firmware_profiles.load("screen.board")
    async with BusPool(clock=clock) as buses:
        with pytest.raises((SettingsInvalid, ValueError), match=r"web://|address"):
            DeviceDriver(
                DeviceSetup(name="board", profile=profile.id, address=address), profile, buses, clock
            )


async def test_a_strip_has_no_place_among_the_browsers(clock: FixedClock) -> None:
    profile = firmware_profiles.load("onbon.bx-6k1")
    setup = DeviceSetup(name="strip", profile=profile.id, address="web://strip")
    async with BusPool(clock=clock) as buses:
        with pytest.raises(SettingsInvalid, match="strip"):
            buses.port(setup, profile)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'{"page":"board","version":"1"}', "at_boot"),
        (b'{"page":"/etc","version":"1","at_boot":"2026-11-23T01:00:00Z"}', "page"),
        (b'{"page":"board","version":"1","at_boot":"2026-11-23T01:00:00"}', "at_boot"),
        (b'{"page":"board","version":"1","at_boot":"2026-11-23T01:00:00Z","seen_n":-1}', "seen_n"),
        (b'{"page":"board","version":"1","at_boot":"2026-11-23T01:00:00Z","fresh":"old"}', "fresh"),
        (b'{"page":"board","version":"1","at_boot":"2026-11-23T01:00:00Z","showing":[1]}', "showing.0"),
    ],
)
def test_a_beat_that_is_wrong_is_refused_by_its_field(body: bytes, where: str) -> None:
    with pytest.raises(BadFrame, match=where):
        read_beat(body)
