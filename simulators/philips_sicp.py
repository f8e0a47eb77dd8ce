"""Philips professional displays with SICP on TCP 5000 or a serial line.

In standby and while they wake up they answer NAV to everything but their power.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.philips_sicp_frames import FrameReader, Request, pack
from simulators.remote import handle

__all__ = ["FAULTS", "Display", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "nack:n", "busy", "stuck")

_ACK, _NACK, _NAV = b"\x00\x06", b"\x00\x15", b"\x00\x18"
_EVERYBODY = 0
_OFF, _ON = 1, 2
_MODEL, _SIGNAL = 0xA1, 0x59
_COLD_OFF, _COLD_ON = 0, 1
_COOL_C, _HOT_C = 38, 82
#: answered also in standby
_ALWAYS = {0x18, 0x19, 0xA3, 0xA4, _MODEL}


@dataclass(slots=True)
class _State:
    source: int
    on: bool = True
    waking: bool = False
    volume: int = 20
    muted: bool = False
    #: brightness, colour, contrast, sharpness, tint, black level, gamma
    video: bytes = bytes([80, 50, 60, 10, 50, 50, 3])
    cold_start: int = 2
    signal: bool = True
    blocked: bool = False


class Display:
    """The body of a display. It hangs, switched on, on its first input."""

    keys: tuple[str, ...] = (
        *("power", "input", "mute", "volume-up", "volume-down"),
        *("unplug", "block-vent"),
    )

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = self._options = device.profile.options | device.setup.options
        self.grouped: bool = options["group"]
        self._codes: dict[str, int] = options["inputs"]
        self._loudest: int = options.get("volume_max", 100)
        self._wakes_s: float = options.get("wakes_s", 15) / 2  # the profile names the longest time
        self._state = _State(next(iter(self._codes.values())))

    def shows(self) -> dict[str, Any]:
        state = self._state
        names = [name for name, code in self._codes.items() if code == state.source]
        return {
            "power": "on" if state.on else "off",
            "standing": "waking" if state.waking else "on" if state.on else "standby",
            "input": names[0] if names else f"{state.source:#04x}",
            "volume": round(state.volume * 100 / self._loudest),
            "muted": state.muted,
            "brightness": state.video[0],
            "signal": state.signal,
            "temperature": self._degrees,
        }

    def press(self, key: str) -> None:
        """Keys of the remote control, and what people do to a display."""
        if key == "power":
            self._switch(not self._state.on)
        handle(self._state, key, list(self._codes.values()), self._loudest)
        self._device.showed()

    def power_cycle(self) -> None:
        """With the mains back it stands as its "switch on state" says; settings are kept."""
        state = self._state
        on = state.on if state.cold_start not in {_COLD_OFF, _COLD_ON} else state.cold_start == _COLD_ON
        state.on = False
        self._switch(on)
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire changes with a display's faults."""

    def do(self, request: Request) -> bytes:
        """Carry out a request. Returns what is reported."""
        if not request.intact or self._device.faults.on("busy"):
            return _NAV
        command, data = request.command, request.data
        report = self._get(command)
        settable = self._settable(command, data)
        if (report is None and settable is None) or self._device.faults.number("nack") == _NACK[1]:
            return _NACK
        if command not in _ALWAYS and (self._state.waking or not self._state.on):
            return _NAV
        if report is not None:
            return bytes([command]) + report
        if not settable or self._device.faults.number("nack") is not None:
            return _NAV
        if not self._device.faults.on("stuck"):
            self._set(command, data)
            self._device.showed()
        return _ACK

    @property
    def _degrees(self) -> int:
        return _HOT_C if self._state.blocked else _COOL_C

    def _get(self, command: int) -> bytes | None:
        state, has = self._state, self._options.get
        two = has("volume_bytes", 2) == 2
        known = {
            0x19: bytes([_ON if state.on else _OFF]),
            0x45: bytes([state.volume] * (2 if two else 1)),
            0xAD: bytes([state.source, 0, 1, 0]),
            0xA4: bytes([state.cold_start]),
            _SIGNAL: bytes([state.signal]),
            _MODEL: self._device.profile.match.models[0].encode("ascii"),
        }
        known |= {0x46: bytes([state.muted])} if has("mute", True) else {}
        known |= {0x33: state.video} if has("brightness", False) else {}
        known |= {0x2F: bytes([self._degrees, self._degrees - 3])} if has("temperature", True) else {}
        return known.get(command)

    def _settable(self, command: int, data: bytes) -> bool | None:
        """Whether these values can be set; None when there is no such command."""
        match command:
            case 0x18:
                return data in (bytes([_OFF]), bytes([_ON]))
            case 0xA3:
                return len(data) == 1 and data[0] <= 2
            case 0xAC:
                return len(data) == 4 and data[0] in self._codes.values()
            case 0x44:
                wanted = self._options.get("volume_bytes", 2)
                return len(data) == wanted and max(data) <= self._loudest
            case 0x47 if self._options.get("mute", True):
                return data in (b"\0", b"\1")
            case 0x32 if self._options.get("brightness", False):
                return len(data) == len(self._state.video) and max(data) <= 100
        return None

    def _set(self, command: int, data: bytes) -> None:
        state = self._state
        match command:
            case 0x18:
                self._switch(data[0] == _ON)
            case 0xA3:
                state.cold_start = data[0]
            case 0xAC:
                state.source = data[0]
            case 0x44:
                state.volume = data[0]
            case 0x47:
                state.muted = data[0] == 1
            case 0x32:
                state.video = data

    def _switch(self, on: bool) -> None:
        state = self._state
        if on and not state.on:
            state.waking = True
            self._device.alarm(self._wakes_s, self._awake)
        elif not on:
            state.waking = False
            self._device.alarm(None)
        state.on = on

    def _awake(self) -> None:
        self._state.waking = False
        self._device.showed()


class _Cable:
    """All displays at one address: one on the network, a chain on a serial line."""

    def __init__(self, devices: tuple[SimDevice, ...]) -> None:
        self._devices = devices
        grouped = _display(devices[0]).grouped
        self._readers: defaultdict[Link, FrameReader] = defaultdict(lambda: FrameReader(grouped))

    async def heard(self, link: Link, data: bytes) -> None:
        for request in self._readers[link].feed(data, self._devices[0].clock.monotonic()):
            for device in self._devices:
                if request.unit in {device.unit, _EVERYBODY} and hears(device):
                    await self._serve(device, link, request)

    def lost(self, link: Link) -> None:
        self._readers.pop(link, None)

    async def _serve(self, device: SimDevice, link: Link, request: Request) -> None:
        display = _display(device)
        report = display.do(request)
        if request.unit != _EVERYBODY:
            await answer(device, link, pack(device.unit, report, grouped=display.grouped))


def build_body(device: SimDevice) -> Display:
    """The body of one display."""
    return Display(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Cable:  # noqa: ARG001 — the role's signature
    """The cable of one address."""
    return _Cable(devices)


def _display(device: SimDevice) -> Display:
    assert isinstance(device.body, Display)
    return device.body
