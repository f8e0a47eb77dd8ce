"""The simulated pager gateway, asked by an HTTP client of other authors, and by the driver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import httpx2
import pytest

from device_drivers import open_driver
from device_drivers.bus import BusPool
from hall_core.clock import SystemClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import DeviceState, Outcome, PageUser
from hall_core.errors import DeviceUnreachable
from simulators.device import SimDevice
from tests.drivers.captures import FOLDER, Capture, _read
from tests.simulators.conftest import Simulate, wire

CAPTURES = [
    replace(_read(path), family="pager_http") for path in sorted((FOLDER / "pager_http").rglob("*.txt"))
]
LRS = {"profile": "pager.rps-lrs"}


async def get(device: SimDevice, target: str) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=device.address.replace("tcp", "http"), timeout=5) as client:
        return await client.get(target)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
async def test_the_gateway_answers_as_captured(simulate: Simulate, capture: Capture) -> None:
    async with simulate({"profile": capture.profile}) as hall:
        address = hall.devices["device-1"].address
        for (_, asked), (_, told) in zip(capture.lines[::2], capture.lines[1::2], strict=True):
            async with wire(address) as host:
                assert (await host.ask(asked, told)).hex(" ") == told.hex(" ")
                assert await host.ended()


async def test_a_page_makes_its_pager_shake_until_it_is_returned(simulate: Simulate) -> None:
    async with simulate(LRS) as hall:
        device = hall.devices["device-1"]
        answer = await get(device, "/page?force=1&mode=0&pager_number=17&alert_type=1")
        assert (answer.status_code, "pager_number: 17" in answer.text) == (200, True)
        assert device.shows() == {"pages": 1, "pagers": {"17": {"shaking": True, "text": ""}}}
        device.key("return")
        assert device.shows()["pagers"] == {}


async def test_the_readmes_own_example_is_understood(simulate: Simulate) -> None:
    target = (
        "/page?force=1&pager_number=17&alert_type=1&mode=1&pocsag_baud=1200&pocsag_telegram_type=2"
        "&message=this%20is%20a%20test"
    )
    async with simulate(
        {"profile": "pager.rps-pocsag", "options": {"first_address": 0, "address_step": 1}}
    ) as hall:
        device = hall.devices["device-1"]
        assert (await get(device, target)).status_code == 200
        assert device.shows()["pagers"] == {"17": {"shaking": True, "text": "this is a test"}}


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [
        ("/page", 400, "Invalid parameters supplied"),
        ("/page?pager_number=0", 400, "Invalid parameters supplied"),
        ("/page?pager_number=4096&mode=0", 400, "Invalid parameters supplied"),
        ("/nowhere", 404, "File Not Found"),
    ],
)
async def test_what_it_does_not_take_is_refused_as_by_the_real_one(
    simulate: Simulate, target: str, status: int, text: str
) -> None:
    async with simulate(LRS) as hall:
        answer = await get(hall.devices["device-1"], target)
        assert (answer.status_code, text in answer.text) == (status, True)
        assert hall.devices["device-1"].shows()["pages"] == 0


async def test_number_zero_by_force_is_everybody(simulate: Simulate) -> None:
    async with simulate(LRS) as hall:
        device = hall.devices["device-1"]
        for number in (3, 4):
            await get(device, f"/page?mode=0&pager_number={number}")
        device.key("return")
        for number in (5, 6):
            await get(device, f"/page?mode=0&pager_number={number}")
        await get(device, "/page?mode=0&pager_number=0&force=1")
        assert list(device.shows()["pagers"]) == ["5", "6"]


async def test_a_retekess_pager_can_be_told_to_stop(simulate: Simulate) -> None:
    async with simulate({"profile": "pager.rps-t112"}) as hall:
        device = hall.devices["device-1"]
        await get(device, "/page?mode=2&pager_number=7")
        assert device.shows()["pagers"]["7"]["shaking"]
        await get(device, "/page?mode=2&pager_number=7&cancel=1")
        assert not device.shows()["pagers"]["7"]["shaking"]


async def test_pagers_of_another_kind_hear_nothing(simulate: Simulate) -> None:
    async with simulate(LRS) as hall:
        device = hall.devices["device-1"]
        assert (await get(device, "/page?mode=3&pager_number=7")).status_code == 200
        assert device.shows() == {"pages": 0, "pagers": {}}


class _Host:
    def send(self, data: bytes) -> None:
        """Nobody reads it."""

    def hang_up(self) -> None:
        """It stays on."""


async def test_no_bytes_break_the_gateway(simulate: Simulate) -> None:
    rng = Random("rps")
    async with simulate(LRS) as hall:
        device = hall.devices["device-1"]
        for _ in range(300):
            data = bytearray(rng.choice(CAPTURES).sent[0])
            for _ in range(rng.randrange(6)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            host = _Host()
            for at in range(0, len(data), 20):
                await device.line.heard(host, bytes(data[at : at + 20]))
            device.line.lost(host)
            await asyncio.sleep(0)
        assert (await get(device, "/")).status_code == 200


@asynccontextmanager
async def driven(device: SimDevice) -> AsyncIterator[Driver]:
    setup = DeviceSetup(name="pagers", profile=device.profile.id, address=device.address)
    quick = device.profile.model_copy(
        update={"timing": device.profile.timing.model_copy(update={"response_timeout_ms": 300})}
    )
    clock = SystemClock()
    async with BusPool(clock=clock) as buses, open_driver(setup, quick, buses, clock) as driver:
        yield driver


async def test_a_burst_of_pages_all_arrive(simulate: Simulate) -> None:
    async with simulate({"profile": "pager.rps-pocsag"}) as hall:
        device = hall.devices["device-1"]
        async with driven(device) as driver:
            for number in range(1, 21):
                page = PageUser(job_id=f"job-{number}", pager=number, text=f"A{number:03} 到 3号窗口")
                assert await driver.do(page) is Outcome.UNCONFIRMED
            assert (await driver.probe()).state is DeviceState.ONLINE
        assert device.shows()["pages"] == 20
        assert device.shows()["pagers"]["20"] == {"shaking": True, "text": "A020 3"}


async def test_faults_reach_the_driver_as_what_they_are(simulate: Simulate) -> None:
    async with simulate(LRS) as hall:
        device = hall.devices["device-1"]
        async with driven(device) as driver:
            device.fault("silence")
            assert await driver.do(PageUser(job_id="a", pager=1)) is Outcome.UNCONFIRMED
            assert device.shows()["pagers"]["1"]["shaking"]
            with pytest.raises(DeviceUnreachable):
                await driver.probe()
            device.clear()
            device.fault("offline")
            await asyncio.sleep(0)
            with pytest.raises(DeviceUnreachable):
                await driver.do(PageUser(job_id="b", pager=2))
        assert "2" not in device.shows()["pagers"]
