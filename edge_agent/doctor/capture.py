"""Records what is said on a device's wire, as `tests/captures` has it, with everything personal taken out."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from device_drivers import BusPool, open_driver
from device_drivers.bus.link import Opener, open_link
from device_drivers.bus.tap import Mark
from device_drivers.recognising import redactor_of
from device_drivers.redacting import masked_topic
from edge_agent.doctor.device import Device, busy_words
from hall_core.clock import Clock
from hall_core.devices.driver import Driver
from hall_core.devices.vocabulary import Capability
from hall_core.errors import DeviceError, SettingsInvalid

__all__ = ["Recording", "capture"]

_SPEAKS = (Capability.KEYPAD, Capability.EVALUATE, Capability.CARD_READ, Capability.SCAN_CODE)


@dataclass(slots=True)
class _Turn:
    """What one side said before the other did; one message where it has a topic."""

    mark: Mark
    topic: str
    said: bytearray


class Recording:
    """What both sides said, each turn in one piece however it was cut: a rule must see whole frames."""

    def __init__(self) -> None:
        self._turns: list[_Turn] = []

    def note(self, mark: Mark, data: bytes, topic: str = "") -> None:
        """Bytes passed by; with a topic they are a whole message."""
        last = self._turns[-1] if self._turns else None
        if last is None or last.mark != mark or topic or last.topic:
            last = _Turn(mark, topic, bytearray())
            self._turns.append(last)
        last.said.extend(data)

    @property
    def empty(self) -> bool:
        """True while nothing was said."""
        return not self._turns

    def as_text(self, device: Device, clock: Clock, seconds: float) -> str:
        """The file. Without the address, which is the hall's business, and redacted by the family's rule."""
        redact = redactor_of(device.profile.family)
        kind = device.setup.address.partition("://")[0]
        command = {"op": "capture", "unit": device.setup.unit, "seconds": seconds}
        head = {
            "source": f"hall-agent device capture, redacted by the rule of {device.profile.family}",
            "profile": device.profile.id,
            "address": kind,
            "date": f"{clock.now():%Y-%m-%d}",
            "command": json.dumps(command),
        }
        lines = [f"# {key}: {value}" for key, value in head.items()]
        for turn in self._turns:
            if turn.topic:
                lines.append(f"# topic: {masked_topic(turn.topic)}")
            lines.append(f"{turn.mark} {redact(bytes(turn.said)).hex(' ').upper()}")
        return "\n".join([*lines, ""])


async def capture(
    device: Device,
    clock: Clock,
    say: Callable[[str], None],
    *,
    seconds: float,
    opener: Opener = open_link,
) -> str:
    """What was said in this time: probes, and keys or cards as they come.

    A device that fails ends it early, and what was said until then is told. Raises SettingsInvalid for a
    browser, which speaks no protocol, and when nothing was said.
    """
    if device.setup.address.startswith("web://"):
        raise SettingsInvalid(_of_a_browser(device.setup.name))
    recording = Recording()
    say(f"记录 {seconds:g} s，请按键或操作设备 (recording: press keys, use the device) …")
    async with BusPool(clock=clock, opener=opener, broker_ca=device.broker_ca, tap=recording.note) as buses:
        try:
            async with (
                asyncio.timeout(seconds),
                open_driver(device.setup, device.profile, buses, clock) as driver,
            ):
                await _use(driver, device)
        except* TimeoutError:
            pass  # the time is over
        except* DeviceError as group:
            say(busy_words(_first(group)))
    if recording.empty:
        raise SettingsInvalid(
            f"「{device.setup.name}」上什么也没有传输，没有可记录的内容：请检查地址和接线，"
            "由设备拨入的请确认它已连接，然后重新记录"
            " (nothing was said: check address and wire, see that a device that dials is there, record again)"
        )
    return recording.as_text(device, clock, seconds)


def _of_a_browser(name: str) -> str:
    return (
        f"「{name}」是显示本系统网页的浏览器，没有外来报文可记录：请在设备状态中查看原因，"
        "或在该屏浏览器按 F12 查看控制台和网络"
        " (a browser that shows our own pages has no foreign frames to record: read the reason in the state"
        " of the device, or press F12 in that browser and look at its console and network)"
    )


async def _use(driver: Driver, device: Device) -> None:
    """Probe again and again, and take what the device tells, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        if any(capability in device.profile.capabilities for capability in _SPEAKS):
            tasks.create_task(_listen(driver), name="capture.events")
        while True:
            await driver.probe()
            await asyncio.sleep(device.profile.timing.probe_s)


async def _listen(driver: Driver) -> None:
    with suppress(StopAsyncIteration):
        async for _ in driver.events():
            continue


def _first(group: BaseExceptionGroup[BaseException]) -> Exception:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Exception)
    return error
