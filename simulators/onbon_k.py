"""Onbon K-series font cards (BX-5K, BX-6K): the strip card that takes text as GBK bytes.

Text stands in dynamic areas: acknowledged, never stored, gone with the power.
"""

import struct
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.onbon_k_areas import Area, FontMissing, read_update
from simulators.onbon_k_frames import Frame, FrameReader, pack, unpack

__all__ = ["FAULTS", "Card", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "nack:n", "busy", "font-missing", "stuck")

_ANY_TYPE = 0xFE
_ANY_WITH_ANSWER, _ANY_SILENT, _TCP_PEER = 0xFFFE, 0xFFFF, 0x8000
_BAD_GROUP, _NO_COMMAND, _BUSY, _CHECKSUM, _FONT_MISSING = 1, 2, 3, 5, 12
_LENGTH = 10
_DELETE_AFTER, _LOGO_AFTER = 2, 3
#: fonts 000 … 003 are in the flash of a new card
_FONTS = 4
_GROUPS = (0xA1, 0xA2, 0xA3, 0xA4)


@dataclass(slots=True)
class _State:
    """What the card keeps. `until` are the ends of areas with a time-out (monotonic)."""

    on: bool = True
    brightness: int = 15
    areas: dict[int, Area] = field(default_factory=dict)
    until: dict[int, float] = field(default_factory=dict)


class Card:
    """The body of a strip with an Onbon K card."""

    keys: tuple[str, ...] = ()

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        self._state = _State()
        self._resets = 0
        options = device.profile.options | device.setup.options
        self.device_type: int = options.get("device_type", _ANY_TYPE)
        self._commands: dict[tuple[int, int], Callable[[bytes], tuple[int, bytes]]] = {
            (0xA1, 0x02): lambda _: (0, self._status()),
            (0xA2, 0x00): _done,  # ping
            (0xA2, 0x01): self._reset,
            (0xA2, 0x03): _done,  # set clock
            (0xA2, 0x04): lambda _: (0, self._firmware()),
            (0xA2, 0x07): lambda _: (0, device.unit.to_bytes(2, "little")),
            (0xA3, 0x00): self._switch,
            (0xA3, 0x01): _done,  # timed switching, kept by the card's own clock
            (0xA3, 0x02): self._brightness,
            (0xA3, 0x04): _done,  # lock program
            (0xA3, 0x06): self._update,
            (0xA3, 0x08): _done,  # end timed switching
            (0xA3, 0x10): self._clear,
            (0xA4, 0x08): _done,  # heartbeat
        }

    def shows(self) -> dict[str, Any]:
        self._expire()
        state = self._state
        areas = [state.areas[i] for i in sorted(state.areas)] if state.on else []
        segments = [list(s) for area in areas for s in area.segments]
        return {
            "text": "\n".join(a.text for a in areas),
            "visible": "\n".join(a.visible for a in areas),
            "colour": segments[0][0] if segments else "red",
            "segments": segments,
            "effect": areas[0].effect if areas else "still",
            "blinking": False,
            "on": state.on,
            "brightness": state.brightness,
            "resets": self._resets,
        }

    def press(self, key: str) -> None:
        raise AssertionError(key)

    def power_cycle(self) -> None:
        self._state = _State(brightness=self._state.brightness)
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire changes with a card's faults."""

    def do(self, data: bytes) -> tuple[int, bytes]:
        """Carry out a data field. Returns error number (0 = done) and what the answer carries."""
        if error := self._refusal(data):
            return error, b""
        handler = self._commands.get((data[0], data[1]))
        if handler is None:
            return (_NO_COMMAND if data[0] in _GROUPS else _BAD_GROUP), b""
        return handler(data[5:])

    def _refusal(self, data: bytes) -> int:
        faults = self._device.faults
        if faults.on("busy"):
            return _BUSY
        if number := faults.number("nack"):
            return number
        return _FONT_MISSING if data[:2] == b"\xa3\x06" and faults.on("font-missing") else 0

    def _reset(self, _payload: bytes) -> tuple[int, bytes]:
        """What no hall wants: programs erased, then a reboot."""
        self._resets += 1
        self.power_cycle()
        return 0, b""

    def _update(self, payload: bytes) -> tuple[int, bytes]:
        try:
            update = read_update(payload, _FONTS)
        except FontMissing:
            return _FONT_MISSING, b""
        except (ValueError, IndexError, struct.error):
            return _LENGTH, b""
        if self._device.faults.on("stuck"):
            return 0, b""
        state, now = self._state, self._device.clock.monotonic()
        for area_id in [*state.areas] if update.delete is None else update.delete:
            state.areas.pop(area_id, None)
            state.until.pop(area_id, None)
        for area in update.areas:
            state.areas[area.area_id] = area
            state.until.pop(area.area_id, None)
            if area.run_mode in {_DELETE_AFTER, _LOGO_AFTER} and area.timeout_s:
                state.until[area.area_id] = now + area.timeout_s
        self._device.alarm(min(state.until.values()) - now if state.until else None, self._time_is_up)
        self._device.showed()
        return 0, b""

    def _clear(self, _payload: bytes) -> tuple[int, bytes]:
        if self._device.faults.on("stuck"):
            return 0, b""
        self._state.areas.clear()
        self._state.until.clear()
        self._device.alarm(None)
        self._device.showed()
        return 0, b""

    def _expire(self) -> None:
        """Areas whose time is over go, or show the maker's logo."""
        now = self._device.clock.monotonic()
        state = self._state
        for area_id in [i for i, end in state.until.items() if end <= now]:
            del state.until[area_id]
            area = state.areas.pop(area_id)
            if area.run_mode == _LOGO_AFTER:
                state.areas[area_id] = replace(area, segments=(("red", "ONBON"),))

    def _time_is_up(self) -> None:
        self._device.showed()
        if self._state.until:
            rest = min(self._state.until.values()) - self._device.clock.monotonic()
            self._device.alarm(max(rest, 0.05), self._time_is_up)

    def _switch(self, payload: bytes) -> tuple[int, bytes]:
        if not payload or payload[0] not in (1, 2):
            return _LENGTH, b""
        self._state.on = payload[0] == 1
        self._device.showed()
        return 0, b""

    def _brightness(self, payload: bytes) -> tuple[int, bytes]:
        if len(payload) < 2:
            return _LENGTH, b""
        self._state.brightness = min(payload[1], 15)
        self._device.showed()
        return 0, b""

    def _status(self) -> bytes:
        """The status table: switch, brightness, clock in BCD, programs, dynamic areas."""
        self._expire()
        state, now = self._state, self._device.clock.now().astimezone(ZoneInfo("Asia/Shanghai"))
        year, month, day = f"{now:%Y}", f"{now:%m}", f"{now:%d}"
        clock = f"{year}{month}{day}{now:%S}{now:%H}{now:%M}0{now:%w}"
        areas = sorted(state.areas)
        head = bytes([1 if state.on else 2, state.brightness])
        return head + bytes.fromhex(clock) + b"\0" + b"P000 " + b"\0" + bytes([len(areas), *areas])

    def _firmware(self) -> bytes:
        model = self._device.profile.match.models[0]
        return f"{model} V1.2".encode("ascii").ljust(16, b"\0")


class _Cable:
    """All cards at one address (usually one)."""

    def __init__(self, devices: tuple[SimDevice, ...]) -> None:
        self._devices = devices
        self._readers: defaultdict[Link, FrameReader] = defaultdict(FrameReader)

    async def heard(self, link: Link, data: bytes) -> None:
        for raw in self._readers[link].feed(data):
            frame = unpack(raw)
            if frame is None:
                continue
            for device in self._devices:
                if _meant(device, frame) and hears(device):
                    await self._serve(device, link, frame)

    def lost(self, link: Link) -> None:
        self._readers.pop(link, None)

    async def _serve(self, device: SimDevice, link: Link, frame: Frame) -> None:
        card = _card(device)
        if not frame.intact:
            error, payload = _CHECKSUM, b""
        elif len(frame.data) < 5:
            error, payload = _LENGTH, b""
        else:
            error, payload = card.do(frame.data)
        if frame.to == _ANY_SILENT or (frame.intact and frame.data[2:3] != b"\x01"):
            return
        verdict = bytes([0xA0, 1 if error else 0, error, 0, 0]) + payload
        unit = device.unit if frame.to == _ANY_WITH_ANSWER else frame.to
        reply = replace(frame, to=frame.sender, sender=unit, data=verdict, intact=True)
        await answer(device, link, pack(reply))


def build_body(device: SimDevice) -> Card:
    """The card of one device."""
    return Card(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Cable:  # noqa: ARG001 — the role's signature
    """The cable of one address."""
    return _Cable(devices)


def _done(_payload: bytes) -> tuple[int, bytes]:
    return 0, b""


def _card(device: SimDevice) -> Card:
    assert isinstance(device.body, Card)
    return device.body


def _meant(device: SimDevice, frame: Frame) -> bool:
    """A card is silent to another type and to another screen number."""
    over_tcp = frame.to >= _TCP_PEER and not device.line.is_rtu
    mine = frame.to in {device.unit, _ANY_WITH_ANSWER, _ANY_SILENT} or over_tcp
    return mine and frame.device_type in {_ANY_TYPE, _card(device).device_type}
