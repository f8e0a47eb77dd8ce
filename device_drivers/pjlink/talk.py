"""One conversation with a projector: the greeting, the password, then question and answer.

Each conversation has its own connection. Most projectors serve one client at a time and hang up after 30 s of
silence, so a link that is kept would lock others out and be lost anyway.
"""

import asyncio

from device_drivers.bus import NoAnswer, Turn
from device_drivers.pjlink import codec
from hall_core.errors import DeviceRefused

__all__ = ["Hello", "NotNow", "Talk"]

_SENTENCES = {
    "ERR1": "不支持此命令 (no such command)",
    "ERR2": "没有这个取值，请核对型号档案 (no such value)",
    "ERR4": "投影机故障，请报修 (projector failure)",
    "ERRA": "PJLink 密码不正确，请更正大厅文件中的 options.password (wrong password)",
}


class NotNow(DeviceRefused):
    """ERR3: not in its present state, as while warming up. The next probe asks again."""


class Hello:
    """Hears the greeting of a fresh connection, which comes before anything is asked."""

    def __init__(self) -> None:
        self._heard = b""
        self._news = asyncio.Event()
        self._lost = False

    def hear(self, data: bytes) -> None:
        """Bytes came in."""
        self._heard += data
        self._news.set()

    def lose(self) -> None:
        """The projector ended the connection."""
        self._lost = True
        self._news.set()

    async def wait(self, seconds: float) -> codec.Greeting:
        """Raises NoAnswer when no greeting comes: the port is not PJLink, or another client holds it."""
        try:
            async with asyncio.timeout(seconds):
                while (greeting := codec.greeting(self._heard)) is None:
                    if self._lost:
                        raise NoAnswer("投影机挂断了，可能正被其他程序占用 (another client is connected)")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as error:
            raise NoAnswer("没有 PJLink 问候，请检查端口和设置 (no PJLink greeting)") from error
        return greeting


class Talk:
    """Questions and answers of one connection."""

    def __init__(self, name: str, turn: Turn, greeting: codec.Greeting, password: str) -> None:
        self._name, self._turn = name, turn
        if greeting.token and not password:
            raise DeviceRefused(
                f"「{name}」要求 PJLink 密码，请写入大厅文件 options.password (a password is wanted)"
            )
        self._first = codec.digest(greeting.token, password) if greeting.token else b""

    async def ask(self, command: str, parameter: str = "?", kind: int = 1) -> str:
        """The answer. Raises NotNow for ERR3, DeviceRefused for the other errors, NoAnswer."""
        line, self._first = self._first + codec.question(command, parameter, kind), b""
        answer = await self._turn.ask(line, lambda heard: codec.answer_to(command, kind, heard))
        if not codec.is_error(answer):
            return answer
        if answer.upper() == "ERR3":
            raise NotNow(f"「{self._name}」现在不能执行 {command} (ERR3: not now)")
        raise DeviceRefused(f"「{self._name}」{command}：{_SENTENCES[answer.upper()]}")
