"""The wall in a real browser: devices look like devices, keys press, what changes is seen."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Page, async_playwright, expect

from simulators.wall import end_streams, wall_app
from tests.simulators.conftest import Simulate, wire
from tests.simulators.test_escpos import SLIP, printed
from tests.simulators.test_modbus_text import CALLED, TEXT

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DEVICES = (
    {"name": "strip-1", "profile": "modbus.led-strip-generic", "counter": "1"},
    {"name": "pad-1", "profile": "keypad.ff68-21", "unit": 5},
    {"name": "printer", "profile": "escpos.80mm"},
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2))
    server.capture_signals = nullcontext
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listening]), name="wall")
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            end_streams(app)
            server.should_exit = True


@asynccontextmanager
async def browser_at(url: str) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page and what its console complains about."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = await browser.new_page(viewport={"width": 1440, "height": 1000})
        complaints: list[str] = []
        page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        await page.goto(url)
        yield page, complaints
        await browser.close()


async def test_strips_slips_keys_and_faults_are_seen_live(simulate: Simulate) -> None:
    async with (
        simulate(*DEVICES) as hall,
        served(wall_app({"haitang": hall})) as url,
        browser_at(f"{url}/halls/haitang") as (page, complaints),
    ):
        devices = hall.devices
        await expect(page.locator("#link")).to_have_text("实时")
        async with wire(devices["strip-1"].address) as host:
            await host.ask(TEXT, "00" * 12)
            await host.ask(CALLED, "00" * 12)
        panel = page.get_by_label("strip-1").locator(".panel")
        await expect(panel).to_have_text("A001请")
        await expect(panel).to_have_class("panel blinking")
        async with wire(devices["printer"].address) as host:
            host.send(SLIP)
            await printed(devices["printer"], 1)
        slip = page.get_by_label("printer").locator(".slip")
        await expect(slip).to_contain_text("海棠区政务服务中心")
        await expect(slip.locator("img")).to_have_js_property("complete", value=True)
        await page.get_by_label("pad-1").get_by_role("button", name="7", exact=True).click()
        await expect(page.locator(".lcd")).to_contain_text("输入 7")
        strip = page.get_by_label("strip-1")
        await strip.get_by_text("故障", exact=True).click()
        await strip.get_by_role("button", name="断线（不通）").click()
        await expect(strip).to_have_class("device dead")
        assert devices["strip-1"].faults.active() == ["offline"]
        await page.get_by_role("button", name="全部恢复").click()
        await expect(strip).to_have_class("device")
        await page.set_viewport_size({"width": 400, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []
