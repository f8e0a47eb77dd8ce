"""Samsung large displays with MDC on TCP 1515 or a serial line.

After power-on over the network their service drops for some seconds; switched off without network standby
they refuse connections until somebody presses the button.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.remote import handle
from simulators.samsung_mdc_frames import FrameReader, Request, pack

__all__ = ["FAULTS", "Display", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "nack:n", "stuck")

_STATUS, _SERIAL, _ERRORS, _VERSION, _MODEL = 0x00, 0x0B, 0x0D, 0x0E, 0x8A
_POWER, _VOLUME, _MUTE, _INPUT, _BRIGHTNESS, _STANDBY = 0x11, 0x12, 0x13, 0x14, 0x25, 0xB5
_ANYBODY = 0xFE
_REBOOT = 2
#: what a real display's error numbers mean is not published
_ERROR = 1
_COOL_C, _HOT_C = 41, 78


@dataclass(slots=True)
class _State:
    source: int
    on: bool = True
    waking: bool = False
    volume: int = 20
    muted: bool = False
    brightness: int = 80
    network_standby: bool = False
    signal: bool = True
    blocked: bool = False
    fan: bool = True


class Display:
    """The body of a display. It hangs, switched on, on its first input."""

    keys: tuple[str, ...] = (
        *("power", "input", "mute", "volume-up", "volume-down"),
        *("unplug", "block-vent", "break-fan"),
    )

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = self._options = device.profile.options | device.setup.options
        self._codes: dict[str, tuple[int, ...]] = {n: tuple(codes) for n, codes in options["inputs"].items()}
        self._wakes_s: float = options.get("wakes_s", 15) / 2  # the profile names the longest time
        self._state = _State(self._sources[0])
        #: told when it joins or leaves the network
        self.network_changed: Callable[[], None] = lambda: None

    @property
    def networked(self) -> bool:
        """False while it refuses connections."""
        state = self._state
        return not state.waking if state.on else state.network_standby

    def shows(self) -> dict[str, Any]:
        state = self._state
        names = [name for name, codes in self._codes.items() if state.source in codes]
        return {
            "power": "on" if state.on else "off",
            "standing": "waking" if state.waking else "on" if state.on else "standby",
            "input": names[0] if names else f"{state.source:#04x}",
            "volume": state.volume,
            "muted": state.muted,
            "brightness": state.brightness,
            "signal": state.signal,
            "temperature": self._degrees,
            "fan": state.fan,
            "network_standby": state.network_standby,
        }

    def press(self, key: str) -> None:
        """Keys of the remote control, and what people do to a display."""
        if key == "power":
            self._switch(not self._state.on)
        elif key == "break-fan":
            self._state.fan = not self._state.fan
        handle(self._state, key, self._sources, 100)
        self._device.showed()

    def power_cycle(self) -> None:
        """With the mains back it stays in standby; settings are kept."""
        self._device.alarm(None)
        self._state.on = self._state.waking = False
        self.network_changed()
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire changes with a display's faults."""

    def do(self, request: Request) -> tuple[bool, bytes]:
        """Carry out a request. Returns whether it is acknowledged, and the data or the error number."""
        if request.data and (number := self._device.faults.number("nack")):
            return False, bytes([number])
        if request.data:
            return self._set(request.command, request.data[0])
        known = self._get(request.command)
        return (False, bytes([_ERROR])) if known is None else (True, known)

    @property
    def _sources(self) -> list[int]:
        return [codes[0] for codes in self._codes.values()]

    @property
    def _degrees(self) -> int:
        return _HOT_C if self._state.blocked else _COOL_C

    def _get(self, command: int) -> bytes | None:
        state = self._state
        bright = self._has("brightness")
        known: dict[int, bytes] = {
            _STATUS: bytes([state.on, state.volume, state.muted, state.source, 1, 0, 0]),
            _SERIAL: f"SIM{self._device.unit:05}".encode("ascii"),
            _VERSION: b"S-SIM-1.0",
            _MODEL: self._device.profile.match.models[0].encode("ascii"),
            _ERRORS: bytes([0, state.blocked, 0, not state.signal, self._degrees, not state.fan]),
            _POWER: bytes([state.on]),
            _VOLUME: bytes([state.volume]),
            _MUTE: bytes([state.muted]),
            _INPUT: bytes([state.source]),
        }
        known |= {_BRIGHTNESS: bytes([state.brightness])} if bright else {}
        known |= {_STANDBY: bytes([state.network_standby])} if self._has("network_standby") else {}
        return known.get(command)

    def _set(self, command: int, value: int) -> tuple[bool, bytes]:
        state = self._state
        settable = command in {_POWER, _STANDBY} or (state.on and not state.waking)
        if not settable or not self._fits(command, value):
            return False, bytes([_ERROR])
        if self._device.faults.on("stuck"):
            return True, bytes([value])
        match command:
            case 0x11:
                self._switch(value != 0, again=value == _REBOOT)
            case 0x12:
                state.volume = value
            case 0x13:
                state.muted = value == 1
            case 0x14:
                state.source = value
            case 0x25:
                state.brightness = value
            case 0xB5:
                state.network_standby = value == 1
        self._device.showed()
        return True, bytes([value])

    def _fits(self, command: int, value: int) -> bool:
        if command == _INPUT:
            return value in self._sources
        if self._get(command) is None:
            return False
        most = {_POWER: 2, _VOLUME: 100, _MUTE: 1, _BRIGHTNESS: 100, _STANDBY: 1}
        return value <= most.get(command, -1)

    def _switch(self, on: bool, *, again: bool = False) -> None:
        state = self._state
        if on and (again or not state.on):
            state.waking = True
            self._device.alarm(self._wakes_s, self._awake)
        elif not on:
            state.waking = False
            self._device.alarm(None)
        state.on = on
        self.network_changed()

    def _awake(self) -> None:
        self._state.waking = False
        self.network_changed()
        self._device.showed()

    def _has(self, what: str) -> bool:
        return bool(self._options.get(what))


class _Cable:
    """All displays at one address: one on the network, a chain on a serial line."""

    def __init__(self, devices: tuple[SimDevice, ...], line: Line) -> None:
        self._devices, self._line = devices, line
        self._readers: defaultdict[Link, FrameReader] = defaultdict(FrameReader)
        for device in devices:
            _display(device).network_changed = self._network_changed

    async def heard(self, link: Link, data: bytes) -> None:
        for request in self._readers[link].feed(data, self._devices[0].clock.monotonic()):
            for device in self._devices:
                if request.unit in {device.unit, _ANYBODY} and hears(device):
                    await self._serve(device, link, request)

    def lost(self, link: Link) -> None:
        self._readers.pop(link, None)

    async def _serve(self, device: SimDevice, link: Link, request: Request) -> None:
        well, data = _display(device).do(request)
        if request.unit == _ANYBODY and len(self._devices) > 1:
            return  # their answers would collide
        await answer(device, link, pack(device.unit, request.command, data, well=well))

    def _network_changed(self) -> None:
        self._line.in_service = self._in_service
        self._line.device_changed()

    def _in_service(self) -> bool:
        alive = [device for device in self._devices if not device.dead]
        return any(self._line.is_rtu or _display(device).networked for device in alive)


def build_body(device: SimDevice) -> Display:
    """The body of one display."""
    return Display(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Cable:
    """The cable of one address."""
    return _Cable(devices, line)


def _display(device: SimDevice) -> Display:
    assert isinstance(device.body, Display)
    return device.body
