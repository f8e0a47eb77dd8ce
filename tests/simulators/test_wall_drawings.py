"""Each kind of device on the wall in a real browser: it is seen as itself, and all its keys are there."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect

import firmware_profiles
from device_drivers import open_driver
from device_drivers.bus import BusPool
from hall_core.clock import SystemClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    BoardPicture,
    BoardRow,
    CounterMode,
    CounterPicture,
    PageUser,
    ScreenPicture,
    SendText,
)
from simulators.demo_programs import free_port
from simulators.device import SimDevice
from simulators.hall import SimulatedHall
from simulators.wall import wall_app
from tests.drivers.samples import JOB
from tests.local_broker import local_broker
from tests.simulators.conftest import Simulate
from tests.simulators.test_rate_ws import driven as rated_by
from tests.simulators.test_rate_ws import served as visited
from tests.simulators.test_rate_ws import until
from tests.simulators.test_wall_page import browser_at, pytestmark, served

__all__ = ["pytestmark"]

#: a number of no network, never written out
NUMBER = "+86" + "0" * 7 + "4321"


def named(profile: str) -> str:
    """A device's name made of its profile's."""
    return profile.replace(".", "-")


def one(profile: str) -> dict[str, Any]:
    """A device at a free port; a tablet dials, so nobody listens for it, nor for what goes to a broker."""
    port = free_port() if profile == "rate.ws-tablet" else 0
    if profile.startswith(("mqtt.", "satellite.")):
        place = {"address": f"mqtt://127.0.0.1:{free_port()}/{named(profile)}/dev", "counter": "1"}
        return {"name": named(profile), "profile": profile, **place}
    return {"name": named(profile), "profile": profile, "address": f"tcp://127.0.0.1:{port}", "counter": "1"}


@asynccontextmanager
async def wall_of(
    simulate: Simulate, *profiles: str
) -> AsyncIterator[tuple[SimulatedHall, Page, list[Locator], list[str]]]:
    """The hall, its page, the sections of its devices, and what the browser complains about."""
    async with (
        simulate(*map(one, profiles)) as hall,
        served(wall_app({"haitang": hall})) as url,
        browser_at(f"{url}/halls/haitang") as (page, complaints),
    ):
        await expect(page.locator("#link")).to_have_text("实时")
        yield hall, page, [page.get_by_label(named(profile), exact=True) for profile in profiles], complaints


@asynccontextmanager
async def driven(device: SimDevice) -> AsyncIterator[Driver]:
    """The driver at the other end of the wire."""
    setup = device.setup.model_copy(update={"address": device.address})
    clock = SystemClock()
    async with BusPool(clock=clock) as buses, open_driver(setup, device.profile, buses, clock) as driver:
        yield driver


async def test_every_profile_has_a_drawing_with_all_its_keys_and_words_for_its_faults(
    simulate: Simulate,
) -> None:
    profiles = [*firmware_profiles.all_profiles()]
    async with wall_of(simulate, *profiles) as (hall, page, sections, complaints):
        assert await page.locator(".device").count() == len(profiles)
        assert await page.locator(".face.anything").count() == 0
        for section, device in zip(sections, hall.devices.values(), strict=True):
            drawn = await section.locator("[data-key]").evaluate_all("all => all.map(key => key.dataset.key)")
            assert sorted(drawn) == sorted(device.body.keys), device.name
            words = await section.locator(".choices button").all_text_contents()
            assert all(re.search("[\u4e00-\u9fff]", word) for word in words), device.name
            assert len(words) == len({*words}) == len(device.faults.kinds), device.name
        await page.set_viewport_size({"width": 400, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []


async def test_a_device_nobody_drew_shows_its_facts_and_keys(simulate: Simulate) -> None:
    async with wall_of(simulate, "card.sam-v") as (hall, page, (section,), _):
        hall.devices["card-sam-v"].kind = "teapot"
        await page.reload()
        await section.get_by_role("button", name="card-1", exact=True).click()
        await expect(section.locator("dl")).to_contain_text("999999********")


async def test_a_display_is_dark_waits_and_shows_its_input(simulate: Simulate) -> None:
    async with wall_of(simulate, "samsung.qm55r") as (hall, _, (section,), _):
        screen = section.locator(".screen")
        async with driven(hall.devices["samsung-qm55r"]) as driver:
            await driver.show(ScreenPicture(on=True, input="hdmi2", volume=35))
        await expect(screen).to_have_attribute("data-picture", "lit")
        await expect(screen.locator(".input")).to_have_text("HDMI2")
        await expect(screen.locator(".volume")).to_have_text("音量 35")
        await section.get_by_role("button", name="静音").click()
        await expect(screen.locator(".volume")).to_have_text("静音")
        await section.get_by_role("button", name="拔掉信号线").click()
        await expect(screen).to_contain_text("无信号")
        await section.get_by_role("button", name="堵住风口").click()
        await expect(section.locator(".troubles")).to_contain_text("过热")
        power = section.get_by_role("button", name="电源")
        await power.click()
        await expect(screen).to_have_attribute("data-picture", "dark")
        await power.click()
        await expect(screen).to_have_text("等待…")
        await expect(power).to_be_focused()


async def test_a_projector_cools_down_and_tells_its_errors(simulate: Simulate) -> None:
    async with wall_of(simulate, "pjlink.class1") as (_, _, (section,), _):
        await section.get_by_role("button", name="打开机盖").click()
        await expect(section.locator(".troubles")).to_have_text("机盖故障")
        await section.get_by_role("button", name="遮挡画面").click()
        await expect(section.locator(".screen")).to_contain_text("画面已遮挡")
        await expect(section.locator(".notes")).to_contain_text("灯泡 1234 小时")
        await section.get_by_role("button", name="电源").click()
        await expect(section.locator(".screen")).to_have_text("冷却中…")


async def test_an_led_wall_shows_its_lines_in_colour_where_they_stand(simulate: Simulate) -> None:
    async with wall_of(simulate, "huidu.hd-a3", "huidu.hd-c15") as (hall, _, (board, strip), _):
        rows = tuple(BoardRow(label=f"A{n:03}", counter="3号窗口") for n in (19, 18))
        async with driven(hall.devices["huidu-hd-a3"]) as driver:
            await driver.show(BoardPicture(hall="海棠", rows=rows, notice="请留意叫号"))
        areas = board.locator(".area")
        await expect(areas).to_have_text(["A019 → 3号窗口", "A018 → 3号窗口", "请留意叫号"])
        await expect(areas.last).to_have_css("color", "rgb(255, 255, 0)")
        first, second = await areas.nth(0).bounding_box(), await areas.nth(1).bounding_box()
        assert first is not None
        assert second is not None
        assert second["y"] == pytest.approx(first["y"] + first["height"], abs=1)
        await expect(strip.locator(".led")).to_be_visible()
        await expect(strip.locator(".notes")).to_contain_text("192×32 点 · 无节目")


async def test_called_pagers_shake_until_they_are_returned_and_stand_still_for_who_asks(
    simulate: Simulate,
) -> None:
    async with wall_of(simulate, "pager.rps-pocsag") as (hall, page, (section,), _):
        async with driven(hall.devices["pager-rps-pocsag"]) as driver:
            await driver.do(PageUser(job_id="1", pager=17, text="A018 -> 3"))
        pager = section.get_by_label("17 号，震动，A018 -> 3")
        await expect(pager).to_have_css("animation-name", "shake")
        await page.emulate_media(reduced_motion="reduce")
        await expect(pager).to_have_css("animation-name", "none")
        await section.get_by_role("button", name="全部收回架上").click()
        await expect(section.locator(".pager")).to_have_count(0)


async def test_a_tablet_asks_and_thanks(simulate: Simulate) -> None:
    async with wall_of(simulate, "rate.ws-tablet") as (hall, _, (section,), _):
        tablet = hall.devices["rate-ws-tablet"]
        satisfied = section.get_by_role("button", name="满意", exact=True)
        await expect(satisfied).to_have_attribute("aria-disabled", "true")
        async with rated_by(tablet) as driver:
            await until(tablet, logged_in=True)
            await visited(driver)
            await expect(section.locator(".glass")).to_contain_text("-1-A018-1")
            await expect(satisfied).to_have_attribute("aria-disabled", "false")
            await satisfied.click()
            await expect(section.locator(".glass")).to_contain_text("感谢您的评价")
            async with asyncio.timeout(5):
                assert (await anext(driver.events())).model_dump()["score"] == 4


async def test_a_modem_shows_what_it_sent_to_masked_numbers_and_its_network(simulate: Simulate) -> None:
    async with wall_of(simulate, "gsm.at-modem") as (hall, page, (section,), _):
        async with driven(hall.devices["gsm-at-modem"]) as driver:
            await driver.do(SendText(job_id="1", to=NUMBER, text="请A018号到3号窗口"))
        await expect(section.locator(".sent li")).to_have_text("000****4321请A018号到3号窗口")
        assert NUMBER[3:] not in await page.content()
        for name, bars in (("信号弱", 1), ("接好天线", 4), ("拔卡", 0)):
            hand = section.get_by_role("button", name=name)
            await hand.click()
            await expect(hand).to_have_attribute("aria-pressed", "true")
            await expect(section.locator(".bars .lit")).to_have_count(bars)
        await expect(section.locator(".state")).to_have_text("无 SIM 卡 · 未入网 · 已发 1 条")
        await section.get_by_text("故障", exact=True).click()
        await section.get_by_role("button", name="SIM 卡忙").click()
        await expect(section.locator(".faults")).to_have_text("SIM 卡忙 ✕")


async def test_a_card_is_laid_on_and_lifted(simulate: Simulate) -> None:
    async with wall_of(simulate, "card.sam-v") as (_, _, (section,), _):
        plate = section.locator(".plate")
        await section.get_by_role("button", name="放 2 号证").click()
        await expect(plate).to_contain_text(re.compile(r"999999\*{8}\w{4}$"))
        await section.get_by_role("button", name="拿起").click()
        await expect(plate).to_have_text("请将证件放在此处")


async def test_lamps_burn_and_a_pressed_key_springs_back(simulate: Simulate) -> None:
    async with wall_of(simulate, "waveshare.modbus-rtu-io-8ch") as (hall, _, (section,), _):
        device = hall.devices["waveshare-modbus-rtu-io-8ch"]
        await expect(section.locator(".lamp")).to_have_count(8)
        seen: list[list[int]] = []
        device.watchers.add(lambda changed: seen.append(changed.shows()["pressed"]))
        await section.get_by_role("button", name="6", exact=True).click()
        await expect(section.locator(".channels .down")).to_have_count(0)
        assert seen[0] == [6]
        device.key("di2")
        await expect(section.locator(".channels .down")).to_have_text("2")


@pytest.mark.mosquitto
async def test_a_light_burns_in_its_colour_and_a_box_shows_what_hangs_on_it(
    simulate: Simulate, tmp_path: Path
) -> None:
    devices = {"mqtt.light": "lamp", "satellite.strip": "kiosk", "satellite.printer": "terminal"}
    async with local_broker(tmp_path, *devices.values()) as broker:
        placed = [
            {"name": name, "profile": profile, "address": f"{broker.url(name)}/{name}"}
            for profile, name in devices.items()
        ]
        async with (
            simulate(*placed) as hall,
            served(wall_app({"haitang": hall})) as url,
            browser_at(f"{url}/halls/haitang") as (page, complaints),
        ):
            for name in devices.values():
                setup = hall.devices[name].setup
                address = f"{broker.url('hall')}/{name}" + ("" if name == "lamp" else f"/{name}")
                await tell(hall.devices[name], setup.model_copy(update={"address": address}))
            lamp, kiosk, terminal = (page.get_by_label(n, exact=True) for n in devices.values())
            await expect(lamp.locator(".bulb")).to_have_css("background-color", "rgb(255, 0, 0)")
            await expect(kiosk.locator(".glow")).to_have_text("请A018号到3号窗口")
            await expect(kiosk.locator(".box")).to_contain_text("从盒 kiosk")
            await expect(terminal.locator(".slip")).to_contain_text("A018")
            assert "secret" not in await page.content()
            assert complaints == []


async def tell(device: SimDevice, setup: DeviceSetup) -> None:
    """A call, or a slip where paper comes out."""
    clock = SystemClock()
    async with BusPool(clock=clock) as buses, open_driver(setup, device.profile, buses, clock) as driver:
        if device.kind == "printer":
            await driver.do(JOB)
            return
        called = CounterPicture(
            counter="3",
            name="3号窗口",
            mode=CounterMode.CALLED,
            label="A018",
            call_no=1,
            text="请A018号到3号窗口",
        )
        await driver.show(called)


async def test_a_wall_of_one_of_each_is_accessible(simulate: Simulate) -> None:
    # a satellite box has the kind of what hangs on it, and a drawing of its own
    all_profiles = firmware_profiles.all_profiles().values()
    kinds = {p.id if p.family == "satellite" else p.kind: p.id for p in all_profiles}
    async with wall_of(simulate, *kinds.values()) as (hall, page, _, _):
        hall.devices[named(kinds["card-reader"])].key("card-1")
        hall.devices[named(kinds["modem"])].fault("busy")
        await expect(page.locator(".id-card")).to_be_visible()
        found = await Axe().run(page)
        assert found.response["violations"] == []


async def test_a_cabinet_shows_its_door_its_lock_and_what_is_wrong(simulate: Simulate) -> None:
    async with wall_of(simulate, "terminal.h24") as (hall, _, (section,), _):
        device = hall.devices["terminal-h24"]
        await section.get_by_role("button", name="开关柜门").click()
        await expect(section.locator(".door")).to_have_text("柜门开")
        async with driven(device) as driver:
            await driver.show(ScreenPicture(on=False))
        await expect(section.locator(".glass")).to_have_text("已锁定")
        device.fault("hot")
        await expect(section.locator(".troubles")).to_have_text("过热")
        await expect(section.locator(".notes")).to_contain_text("62 °C")


async def test_a_browser_that_finds_no_hall_says_so(simulate: Simulate) -> None:
    async with wall_of(simulate, "screen.board") as (_, _, (section,), _):
        await expect(section.locator(".where")).to_have_text("叫号大屏 /board")
        await expect(section.locator(".shown")).to_have_text("页面打不开")
        await section.get_by_role("button", name="触摸屏幕").click()
        await expect(section.locator(".notes")).to_contain_text("有人使用")
