"""Browsers that show the hall's pages: they load the page, follow the hall's stream and say what they show.

A headless one of each page: real HTTP, real server-sent events, no picture but what its labels say.
Nothing listens at such a device's address: `web://NAME@host:port` names the screen and where its browser
finds the hall.
"""

import asyncio
import json
import re
from typing import Any
from urllib.parse import urlsplit

import httpx2

from hall_core.errors import SettingsInvalid
from simulators.device import SimDevice
from simulators.line import Line, Link

__all__ = ["FAULTS", "Browser", "build_body", "build_talk"]

FAULTS = ("offline", "frozen", "stale", "old-version", "power-cycle")

_AGAIN_S = 0.2
#: a page hears something of its hall at least every 5 s; silent for longer than this it opens the stream anew
_WATCHDOG_S = 12.0
_BEAT_S = 5.0
#: so long after a touch somebody still stands there
_USED_S = 20.0
_VERSION = re.compile(r'data-version="([^"]+)"')


class _Left(Exception):
    """The page is no more: loaded anew, cut off, or without power."""


class Browser:
    """The body of one screen. `touch` is somebody who uses it."""

    keys: tuple[str, ...] = ("touch",)

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options | device.setup.options
        self._path = str(options["path"]).replace("{counter}", device.setup.counter or "1")
        self._rows = int(options.get("rows", 5))
        self._connected, self._loads = False, 0
        self._version, self._boot = "", ""
        self._heard: dict[str, Any] = {}
        self._shown: dict[str, Any] = {}
        self._heard_at = 0.0
        self._in_use = False
        self._leave, self._news = asyncio.Event(), asyncio.Event()

    def shows(self) -> dict[str, Any]:
        names = {c["id"]: c["name"] for c in self._shown.get("counters", [])}
        calls = self._shown.get("calls", [])[: self._rows] if self._page == "board" else []
        return {
            "page": self._path,
            "connected": self._connected,
            "version": self._version,
            "loads": self._loads,
            "showing": self._showing(),
            "seen_n": self._seen_n,
            "in_use": self._in_use,
            "hall": self._shown.get("name", ""),
            "calls": [{"label": c["label"], "counter": names.get(c["counter"], c["counter"])} for c in calls],
        }

    def press(self, key: str) -> None:
        """Somebody touches the screen."""
        del key
        self._in_use = True
        self._news.set()
        self._device.alarm(_USED_S, self._alone)

    def power_cycle(self) -> None:
        self._heard, self._shown = {}, {}
        self._leave.set()

    def fault_changed(self, name: str, on: bool) -> None:
        if name in {"offline", "power-cycle"}:
            self._leave.set()
        elif name == "old-version" and on:
            self._version = "0" * 12
            self._news.set()
        elif name in {"frozen", "stale"} and not on:
            self._render()
            self._news.set()

    async def open(self) -> None:
        """Nothing listens here."""

    async def run(self) -> None:
        """Load the page, follow the hall, load it again; until cancelled."""
        name, base = _place(self._device)
        async with httpx2.AsyncClient(base_url=base, timeout=4.0, trust_env=False) as http:
            while True:
                self._leave.clear()
                if not self._device.dead:
                    try:
                        await self._visit(http, name)
                    except* (_Left, httpx2.HTTPError, OSError, ValueError, LookupError):
                        pass  # the hall is not there, not yet, or the page was left
                    self._gone()
                try:
                    async with asyncio.timeout(_AGAIN_S):
                        await self._leave.wait()
                except TimeoutError:
                    continue

    def hang_up(self) -> None:
        """Close the window."""
        self._leave.set()

    @property
    def _page(self) -> str:
        return self._path.split("/")[1]

    @property
    def _seen_n(self) -> int:
        return int(self._shown.get("stream", {}).get("last", 0))

    async def _visit(self, http: httpx2.AsyncClient, name: str) -> None:
        page = await http.get(self._path)
        page.raise_for_status()
        found = _VERSION.search(page.text)
        self._version = found[1] if found else ""
        self._boot = self._device.clock.now().isoformat(timespec="milliseconds")
        self._loads += 1
        self._connected, self._heard_at = True, self._device.clock.monotonic()
        self._device.clear("old-version")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(http), name=f"{name}.stream")
            tasks.create_task(self._speak(http, name), name=f"{name}.beats")
            await self._leave.wait()
            raise _Left

    async def _follow(self, http: httpx2.AsyncClient) -> None:
        """Server-sent events: `event:` and `data:` lines, each event ended by an empty one."""
        while True:
            try:
                wait = httpx2.Timeout(4.0, read=_WATCHDOG_S)
                async with http.stream("GET", "/api/stream", timeout=wait) as stream:
                    stream.raise_for_status()
                    event = ""
                    async for line in stream.aiter_lines():
                        self._heard_at = self._device.clock.monotonic()
                        if line.startswith("event: "):
                            event = line[7:]
                        elif line.startswith("data: ") and event == "snapshot":
                            self._heard = json.loads(line[6:])
                            self._render()
            except (httpx2.HTTPError, OSError):
                await asyncio.sleep(_AGAIN_S)

    async def _speak(self, http: httpx2.AsyncClient, name: str) -> None:
        while True:
            if not self._device.faults.on("frozen"):
                self._news.clear()
                await self._beat(http, name)
            try:
                async with asyncio.timeout(_BEAT_S):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _beat(self, http: httpx2.AsyncClient, name: str) -> None:
        said = {
            "page": self._page,
            "version": self._version,
            "at_boot": self._boot,
            "seen_n": self._seen_n,
            "showing": self._showing(),
            "fresh": self._fresh(),
            "in_use": self._in_use,
        }
        if self._page == "rate":
            said["counter"] = self._device.setup.counter or "1"
        try:
            answer = await http.post(f"/api/screens/{name}/beat", json=said)
            told = answer.json() if answer.is_success else {}
        except (httpx2.HTTPError, ValueError):
            return  # the hall is away or busy; the next beat comes
        if told.get("reload") and not self._in_use:
            raise _Left

    def _render(self) -> None:
        """What was heard is shown, if the page still can."""
        faults = self._device.faults
        if faults.on("frozen") or faults.on("stale"):
            return
        before, self._shown = self._showing(), self._heard
        if self._showing() != before:
            self._news.set()
            self._device.showed()

    def _showing(self) -> list[str]:
        """As the real page says it: labels, or the part of it that is in sight."""
        match self._page:
            case "board":
                return [c["label"] for c in self._shown.get("calls", [])[: self._rows]]
            case "rate":
                mine = [c for c in self._shown.get("counters", []) if c["id"] == self._device.setup.counter]
                tickets = [c["ticket"] for c in mine if c["ticket"] and c["ticket"]["state"] == "serving"]
                return [ticket["label"] for ticket in tickets]
            case "kiosk":
                return ["menu"]
            case "terminal":
                return ["start"]
        return []

    def _fresh(self) -> str:
        age_s = self._device.clock.monotonic() - self._heard_at
        limits = ((10, "live"), (60, "quiet"), (300, "stale"))
        return next((word for limit, word in limits if age_s < limit), "dark")

    def _alone(self) -> None:
        self._in_use = False
        self._news.set()
        self._device.changed()

    def _gone(self) -> None:
        if self._connected:
            self._connected = False
            self._device.showed()


class _NoTalk:
    """Nobody calls a browser."""

    async def heard(self, link: Link, data: bytes) -> None:
        raise AssertionError((link, data))

    def lost(self, link: Link) -> None:
        raise AssertionError(link)


def build_body(device: SimDevice) -> Browser:
    """The browser of one device."""
    return Browser(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _NoTalk:
    """The browser takes the line's place: it dials where a line would listen."""
    if len(devices) > 1:
        msg = f"{line.address}: one browser to one name; give {devices[1].name} its own"
        raise SettingsInvalid(msg)
    browser = devices[0].body
    assert isinstance(browser, Browser)
    line.open, line.run, line.close = browser.open, browser.run, browser.hang_up  # type: ignore[method-assign]
    return _NoTalk()


def _place(device: SimDevice) -> tuple[str, str]:
    """The screen's name, and the address of its hall."""
    parts = urlsplit(device.setup.address)
    named = parts.scheme == "web"
    name = (parts.username or parts.hostname if named else None) or device.name
    host = parts.hostname if parts.username or not named else None
    port = parts.port if parts.port is not None else (device.profile.tcp.port if device.profile.tcp else 0)
    return name, f"http://{host or '127.0.0.1'}:{port}"
