"""Evaluator tablets (评价服务消息规范): they dial the hall, log in, and show five levels when asked.

Nothing listens at such a device's address: the hall does.
"""

import asyncio
import json
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from hall_core.errors import SettingsInvalid
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.rate_ws_socket import BadServer, ClientSocket

__all__ = ["FAULTS", "Tablet", "build_body", "build_talk"]

FAULTS = ("offline", "silence", "slow:n", "duplicate", "power-cycle")

_AGAIN_S, _HEARTBEAT_S = 0.2, 300.0


class Tablet:
    """The body of one tablet. Keys `rate-5` (best) … `rate-1`, as far as it has such levels."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options | device.setup.options
        self._words: dict[int, str] = {score: words for words, score in options["scores"].items()}
        self.keys: tuple[str, ...] = tuple(f"rate-{score}" for score in sorted(self._words, reverse=True))
        self._writer: asyncio.StreamWriter | None = None
        self._socket: ClientSocket | None = None
        self._window, self._logged_in = "", False
        self._asking, self._chosen, self._thanks = "", 0, False
        self._unanswered: deque[str] = deque()
        self._woken = asyncio.Event()

    def shows(self) -> dict[str, Any]:
        return {
            "connected": self._writer is not None,
            "window": self._window,
            "logged_in": self._logged_in,
            "asking": self._asking,
            "thanks": self._thanks,
            "levels": {key: self._words[int(key[-1])] for key in self.keys},
        }

    def press(self, key: str) -> None:
        """A citizen touches a level; without a question nothing is there to touch."""
        if self._asking and not self._device.dead:
            self._chosen = int(key[-1])
            self._submit()

    def power_cycle(self) -> None:
        self._asking, self._chosen, self._thanks = "", 0, False
        self.hang_up()

    def fault_changed(self, name: str, on: bool) -> None:
        if name in {"offline", "power-cycle"}:
            self._woken.set()
            if on:
                self.hang_up()

    def hang_up(self) -> None:
        """Drop the connection at once."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def open(self) -> None:
        """Nothing listens here."""

    async def run(self) -> None:
        """Dial, talk, dial again; until cancelled."""
        parts = urlsplit(self._device.line.address)
        host, port = parts.hostname or "127.0.0.1", parts.port or 0
        while True:
            self._woken.clear()
            if not self._device.dead:
                try:
                    reader, self._writer = await asyncio.open_connection(host, port)
                    await self._talk(reader, f"{host}:{port}")
                except (OSError, EOFError, BadServer, ValueError, LookupError, TypeError):
                    pass  # the hall is not there, not yet, or speaks another language
                finally:
                    self._gone()
            try:
                async with asyncio.timeout(_AGAIN_S):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _talk(self, reader: asyncio.StreamReader, host: str) -> None:
        assert self._writer is not None
        socket = ClientSocket(reader, self._writer.write, self._device.random)
        self._writer.write(socket.hello(host))
        await socket.welcome()
        self._socket = socket
        self._device.showed()
        self._ask("GetWindowList")
        while (words := await socket.read()) is not None:
            await self._take(json.loads(words))

    def _gone(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._writer, self._socket, self._window, self._logged_in = None, None, "", False
        self._unanswered.clear()
        self._device.alarm(None)
        self._device.changed()

    async def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            self._answered(self._unanswered.popleft() if self._unanswered else "", message)
            return
        if slow := self._device.faults.number("slow"):
            await asyncio.sleep(slow / 1000)
        if message["method"] != "RateQuest":
            self._say({"code": "999", "result": "未知指令"})
            return
        rate_id = message["param"]["RateID"]
        if rate_id != self._asking:
            self._asking, self._chosen, self._thanks = rate_id, 0, False
            self._device.showed()
        if not self._device.faults.on("silence"):
            self._say({"code": "0", "result": "请求成功!"})

    def _answered(self, method: str, message: dict[str, Any]) -> None:
        well, result = message.get("code") == "0", message.get("result")
        if method == "GetWindowList" and well and isinstance(result, list):
            window = result[0]
            self._window = window["WindowNumber"]
            user = window["UserList"][0]["UserNumber"]
            self._ask("Login", WindowNumber=self._window, UserNumber=user)
        elif method == "Login" and well:
            self._logged_in = True
            self._beat()
            self._device.showed()
            if self._chosen:
                self._submit()  # chosen before the line broke, and never answered
        elif method == "RateSubmit":
            self._asking, self._chosen, self._thanks = "", 0, well
            self._device.showed()

    def _submit(self) -> None:
        given = {"RateID": self._asking, "Content": self._words[self._chosen]}
        for _ in range(2 if self._device.faults.on("duplicate") else 1):
            self._ask("RateSubmit", **given)

    def _beat(self) -> None:
        self._ask("HeartBeat", DateTime=f"{self._device.clock.now():%Y-%m-%d %H:%M:%S}")
        self._device.alarm(_HEARTBEAT_S, self._beat)

    def _ask(self, method: str, **param: str) -> None:
        if self._socket is not None:
            self._unanswered.append(method)
            self._say({"method": method, "param": param} if param else {"method": method})

    def _say(self, message: dict[str, Any]) -> None:
        if self._socket is not None and self._writer is not None and not self._writer.is_closing():
            self._writer.write(self._socket.text(json.dumps(message, ensure_ascii=False)))


class _NoTalk:
    """Nobody calls a tablet."""

    async def heard(self, link: Link, data: bytes) -> None:
        raise AssertionError((link, data))

    def lost(self, link: Link) -> None:
        raise AssertionError(link)


def build_body(device: SimDevice) -> Tablet:
    """The tablet of one device."""
    return Tablet(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _NoTalk:
    """The tablet takes the line's place: it dials where a line would listen."""
    if len(devices) > 1:
        msg = f"{line.address}: one evaluator tablet to one port; give {devices[1].name} its own"
        raise SettingsInvalid(msg)
    tablet = devices[0].body
    assert isinstance(tablet, Tablet)
    line.open, line.run, line.close = tablet.open, tablet.run, tablet.hang_up  # type: ignore[method-assign]
    return _NoTalk()
