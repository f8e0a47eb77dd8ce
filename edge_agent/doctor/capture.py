"""Records what is said on a device's wire, as `tests/captures` has it, with everything personal taken out."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

from device_drivers import BusPool, open_driver
from device_drivers.bus.link import Opener, open_link
from device_drivers.bus.tap import Mark, tapped
from device_drivers.recognising import redactor_of
from edge_agent.doctor.device import Device, busy_words
from hall_core.clock import Clock
from hall_core.devices.driver import Driver
from hall_core.devices.vocabulary import Capability
from hall_core.errors import DeviceError, SettingsInvalid

__all__ = ["Recording", "capture"]

_SPEAKS = (Capability.KEYPAD, Capability.EVALUATE, Capability.CARD_READ, Capability.SCAN_CODE)


class Recording:
    """What both sides said, each turn in one piece however it was cut: a rule must see whole frames."""

    def __init__(self) -> None:
        self._turns: list[tuple[Mark, bytearray]] = []

    def note(self, mark: Mark, data: bytes) -> None:
        """Bytes passed by."""
        if not self._turns or self._turns[-1][0] != mark:
            self._turns.append((mark, bytearray()))
        self._turns[-1][1].extend(data)

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
        lines += [f"{mark} {redact(bytes(said)).hex(' ').upper()}" for mark, said in self._turns]
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
    family whose talk does not pass a bus.
    """
    recording = Recording()
    say(f"记录 {seconds:g} s，请按键或操作设备 (recording: press keys, use the device) …")
    taps = tapped(recording.note, opener)
    async with BusPool(clock=clock, opener=taps, broker_ca=device.broker_ca) as buses:
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
            f"「{device.setup.name}」上什么也没有传输，没有可记录的内容"
            " (nothing was said on its wire; families that stand on no bus cannot be recorded)"
        )
    return recording.as_text(device, clock, seconds)


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
