"""A device's self-test on real hardware, through its driver: show, print, press. Settings stay."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from device_drivers import BusPool, open_driver
from device_drivers.bus import Neighbour, Neighbours
from device_drivers.bus.link import Opener, open_link
from edge_agent.doctor.device import Device, busy_words, columns
from hall_core.clock import Clock
from hall_core.devices.driver import Driver
from hall_core.devices.vocabulary import (
    BoardPicture,
    BoardRow,
    Capability,
    CounterMode,
    CounterPicture,
    DeviceEvent,
    DeviceState,
    Evaluated,
    KeyOp,
    KeyPressed,
    Outcome,
    PageUser,
    Picture,
    PrintTicket,
    SelfTest,
    SelfTested,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable

__all__ = ["Step", "self_test", "table"]

TEST = "测试 TEST"
#: a test picture stands so long, for people to see it
HOLD_S = 3.0
_FAILED = {Outcome.REJECTED, Outcome.EXPIRED, Outcome.UNREACHABLE}
_STATES = {
    DeviceState.ONLINE: Outcome.APPLIED,
    DeviceState.UNCONFIRMED: Outcome.UNCONFIRMED,
    DeviceState.DEGRADED: Outcome.ACCEPTED,
    DeviceState.OFFLINE: Outcome.UNREACHABLE,
    DeviceState.UNKNOWN: Outcome.UNCONFIRMED,
}
_SPEAKS = (Capability.KEYPAD, Capability.EVALUATE, Capability.CARD_READ, Capability.SCAN_CODE)
_PAINTED = (Capability.CALL_DISPLAY, Capability.TEXT, Capability.INDICATOR, Capability.KEYPAD)


@dataclass(frozen=True, slots=True)
class Step:
    """One step and what came of it."""

    name: str
    outcome: Outcome
    took_ms: float
    words: str = ""

    @property
    def good(self) -> bool:
        """False when somebody must look after it."""
        return self.outcome not in _FAILED


def table(steps: list[Step]) -> str:
    """The steps for people."""
    rows = [("步骤 step", "结果 outcome", "用时 ms", "")]
    rows += [(step.name, step.outcome.value, f"{step.took_ms:.0f}", step.words) for step in steps]
    return columns(rows)


async def self_test(
    device: Device,
    clock: Clock,
    say: Callable[[str], None],
    *,
    wait_s: float = 20.0,
    hold_s: float = HOLD_S,
    pager: int | None = None,
    opener: Opener = open_link,
) -> list[Step]:
    """Every step the model can do. A device that does not answer gets one step that says so."""
    steps: list[Step] = []
    began = clock.monotonic()
    around = Neighbours()  # the agent knows the other devices; here nobody looked at them
    around.look = lambda name: Neighbour(name, DeviceState.UNKNOWN)
    pool = BusPool(clock=clock, opener=opener, neighbours=around, broker_ca=device.broker_ca)
    async with pool as buses:
        driver = open_driver(device.setup, device.profile, buses, clock)
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(driver)
                health = await driver.probe()
            except (DeviceUnreachable, DeviceRefused) as error:
                outcome = Outcome.UNREACHABLE if isinstance(error, DeviceUnreachable) else Outcome.REJECTED
                took_ms = (clock.monotonic() - began) * 1000
                return [Step("连接 connect", outcome, took_ms, busy_words(error))]
            took_ms = (clock.monotonic() - began) * 1000
            steps.append(Step("连接 connect", _STATES[health.state], took_ms, health.detail))
            await _Test(device, driver, clock, say, steps).run(wait_s, hold_s, pager)
    return steps


class _Test:
    """The steps of one connected device."""

    def __init__(
        self, device: Device, driver: Driver, clock: Clock, say: Callable[[str], None], steps: list[Step]
    ) -> None:
        self._device, self._driver, self._clock = device, driver, clock
        self._say, self._steps = say, steps

    async def run(self, wait_s: float, hold_s: float, pager: int | None) -> None:
        """One after the other, as far as the model can."""
        can = self._device.profile.capabilities
        if any(capability in can for capability in _PAINTED):
            await self._show(hold_s)
        elif Capability.EVALUATE in can:
            await self._step("请求评价 ask to rate", self._asked_to_rate)
        elif Capability.POWER in can:
            self._say("屏幕自检只读取状态，不改变开关和输入源 (a screen is only asked how it stands)")
        if Capability.PRINT_TICKET in can:
            await self._step("打印测试小票 test slip", lambda: self._driver.do(self._slip()))
        if Capability.PAGE_USER in can:
            await self._page(pager)
        if Capability.SMS_CHANNEL in can:
            self._say("自检不发短信，只检查 SIM 卡和网络 (no message is sent: SIM and network are checked)")
        if Capability.SELF_TEST in can:
            await self._examine()
        if any(capability in can for capability in _SPEAKS):
            await self._hear(wait_s)

    async def _examine(self) -> None:
        """The device's own self-test: a step for each thing it looked at."""
        parts = self._device.setup.options.get("parts", {})
        if parts:
            names = "、".join(parts.values())
            self._say(f"部件 {names} 各是一台设备，请逐台自检 (its parts are devices: test each by itself)")
        self._say("自检约需半分钟，包括 UPS 电池测试 (takes half a minute, with the UPS's battery) …")
        job = SelfTest(job_id=f"test-{self._clock.now().isoformat()}")
        if not await self._step("自检 self-test", lambda: self._driver.do(job)):
            return
        tested: SelfTested | None = None
        async for event in self._driver.events():
            if isinstance(event, SelfTested):
                tested = event
                break
        for finding in tested.findings if tested else ():
            if finding.what not in parts:
                outcome = Outcome.APPLIED if finding.passed else Outcome.REJECTED
                self._steps.append(Step(f"自检 {finding.what}", outcome, 0, finding.detail))

    async def _show(self, hold_s: float) -> None:
        """A test picture for a while, then what a closed counter or an empty hall shows."""
        test, empty = self._pictures()
        if not await self._step("测试画面 test picture", lambda: self._driver.show(test)) and isinstance(
            test, BoardPicture
        ):
            self._steps.pop()  # not a board: it stands at a counter, whatever the hall file says
            test, empty = self._at_counter()
            await self._step("测试画面 test picture", lambda: self._driver.show(test))
        try:
            self._say(f"请看设备：应显示 {self._label} 或 {TEST} (look at it) …")
            await asyncio.sleep(hold_s)
        finally:
            await self._step("恢复空白 blank again", lambda: self._driver.show(empty))

    def _pictures(self) -> tuple[Picture, Picture]:
        if self._device.setup.counter is not None:
            return self._at_counter()
        row = BoardRow(label=self._label, counter=TEST, fresh=True)
        return BoardPicture(hall=TEST, rows=(row,)), BoardPicture(hall=" ")

    def _at_counter(self) -> tuple[CounterPicture, CounterPicture]:
        counter = self._device.setup.counter or "0"
        test = CounterPicture(
            counter=counter,
            name=TEST,
            mode=CounterMode.CALLED,
            label=self._label,
            call_no=1,
            text=f"{TEST} {self._label}",
            shown_since=self._clock.now(),
        )
        return test, CounterPicture(counter=counter, name=TEST, mode=CounterMode.CLOSED, text="")

    @property
    def _label(self) -> str:
        """As clear as the model's characters and room allow."""
        profile = self._device.profile
        if profile.limits.label_digits is not None or profile.limits.max_text_bytes < len("TEST000"):
            return "T000"
        return "TEST000" if profile.encoding == "ascii" else "测试000"

    def _slip(self) -> PrintTicket:
        return PrintTicket(
            job_id=f"test-{self._clock.now().isoformat()}",
            hall=TEST,
            label="000",
            service=TEST,
            ahead=0,
            range_text="测试小票，不是号票 (a test, no ticket)",
            issued_at=self._clock.now(),
            url="",
        )

    async def _page(self, pager: int | None) -> None:
        if pager is None:
            self._say("未指定 --pager，不让任何寻呼机振动 (name a pager with --pager to make it shake)")
            return
        job = PageUser(job_id=f"test-{self._clock.now().isoformat()}", pager=pager, text=f"{TEST} 000")
        await self._step(f"寻呼 {pager} page", lambda: self._driver.do(job))

    async def _asked_to_rate(self) -> Outcome:
        """As when a visit ends."""
        counter = self._device.setup.counter or str(self._device.setup.unit)
        visit = CounterPicture(counter=counter, name=TEST, mode=CounterMode.SERVING, label="000", text=TEST)
        await self._driver.show(visit)
        return await self._driver.show(visit.model_copy(update={"mode": CounterMode.FREE, "label": None}))

    async def _hear(self, wait_s: float) -> None:
        self._say(f"{wait_s:g} s 内：{self._invitation()}")
        heard: list[DeviceEvent] = []

        async def one() -> Outcome:
            events: AsyncIterator[DeviceEvent] = self._driver.events()
            try:
                async with asyncio.timeout(wait_s):
                    heard.append(await anext(events))
            except TimeoutError:
                return Outcome.EXPIRED
            return Outcome.APPLIED

        name, nothing = self._awaited()
        await self._step(name, one, lambda: _heard_words(heard, nothing))

    def _awaited(self) -> tuple[str, str]:
        """What people are asked for, and what to look at when it does not come."""
        can = self._device.profile.capabilities
        if Capability.KEYPAD in can or (Capability.EVALUATE in can and self._device.profile.serial):
            return "按键 key", "没有收到，请检查接线、A/B 线和地址 (nothing came: check wiring and address)"
        if Capability.EVALUATE in can:
            return (
                "评价 rating",
                "没有收到，请检查平板的网络和地址 (nothing came: check the tablet's network)",
            )
        return "刷卡 card", "没有读到，请检查读卡器，换一张卡再试 (nothing was read: try another card)"

    def _invitation(self) -> str:
        can, options = self._device.profile.capabilities, self._device.profile.options
        if Capability.KEYPAD in can:
            keys = {**options.get("keys", {}), **self._device.setup.options.get("keys", {})}
            code = next((key for key, op in keys.items() if op == KeyOp.NEXT), "")
            return f"请按「下一位 / 顺呼」键，档案中的键 {code} (press the key for next)"
        if Capability.EVALUATE in can:
            return "请在评价器上选一个评价 (rate on the tablet)"
        return "请放上一张卡，内容不显示 (lay a card down; nothing of it is shown)"

    async def _step(
        self,
        name: str,
        work: Callable[[], Awaitable[Outcome]],
        words: Callable[[], str] = lambda: "",
    ) -> bool:
        """Do one thing and note what came of it; True when it went well."""
        began = self._clock.monotonic()
        try:
            outcome, said = await work(), words()
        except DeviceRefused as error:
            outcome, said = Outcome.REJECTED, str(error)
        except DeviceUnreachable as error:
            outcome, said = Outcome.UNREACHABLE, busy_words(error)
        took_ms = (self._clock.monotonic() - began) * 1000
        self._steps.append(Step(name, outcome, took_ms, said))
        return self._steps[-1].good


def _heard_words(heard: list[DeviceEvent], nothing: str) -> str:
    """What was pressed; nothing of a card."""
    if not heard:
        return nothing
    (event,) = heard
    if isinstance(event, KeyPressed):
        return f"{event.op.value}" if event.op is KeyOp.NEXT else f"{event.op.value}（不是下一位 not next）"
    return f"{event.score}" if isinstance(event, Evaluated) else event.kind
