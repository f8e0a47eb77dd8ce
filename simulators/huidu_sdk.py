"""Huidu full-colour cards (SDK 2.0): handshake, sessions, programs, switch, brightness, heartbeat.

A card hangs up on a host it has not heard for three heartbeats of 30 s.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.huidu_sdk_frames import Assembly, BadPart, Kind, PacketReader, TooLong, pack, pack_xml
from simulators.huidu_sdk_programs import Program, Unreadable, read_program, read_xml
from simulators.line import Line, Link

__all__ = ["FAULTS", "Card", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "nack:n", "busy", "stuck")

_VERSION = 0x01000005
_SILENT_S = 90.0
#: what stands for the session before there is one
_NO_SESSION = "##GUID"
#: places in the vendor's list of errors
_PROCESS, _OCCUPIED, _LENGTH, _PARAMETER, _TOO_LONG, _INDEX = 2, 4, 7, 8, 20, 21
_WORDS = {
    1: "kWriteFinish",
    _PROCESS: "kProcessError",
    3: "kVersionTooLow",
    _OCCUPIED: "kDeviceOccupa",
    _PARAMETER: "kInvalidParam",
    9: "kNotSpaceToSave",
    22: "kParseXmlFailed",
    23: "kInvalidMethod",
    24: "kMemoryFailed",
    25: "kSystemError",
    43: "kInvalidGUID",
    49: "kPermissionDenied",
}
_CHANGING = {"AddProgram", "UpdateProgram", "DeleteProgram", "OpenScreen", "CloseScreen", "SetLuminancePloy"}


@dataclass(slots=True)
class _Host:
    """One connection: how far its handshake is, and when it was heard."""

    heard_at: float
    reader: PacketReader = field(default_factory=PacketReader)
    parts: Assembly = field(default_factory=Assembly)
    served: bool = False
    session: str = _NO_SESSION


class Card:
    """The body of a full-colour screen."""

    keys: tuple[str, ...] = ()

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options | device.setup.options
        self._width, self._height = int(options["width"]), int(options["height"])
        self._programs: dict[str, Program] = {}
        self._on, self._brightness = True, 100
        self._methods: dict[str, Callable[[Element], str]] = {
            "GetDeviceInfo": lambda _: self._info(),
            "AddProgram": self._add,
            "UpdateProgram": self._update,
            "DeleteProgram": self._delete,
            "GetProgram": lambda _: "",
            "OpenScreen": lambda _: self._switch(on=True),
            "CloseScreen": lambda _: self._switch(on=False),
            "SetLuminancePloy": self._set_brightness,
            "GetLuminancePloy": lambda _: f'<mode value="default"/><default value="{self._brightness}"/>',
            "GetDeviceName": lambda _: f'<name value="{escape(device.name)}"/>',
        }

    def shows(self) -> dict[str, Any]:
        lines = [line for program in self._programs.values() for line in program.lines] if self._on else []
        return {
            "on": self._on,
            "lines": [line.text for line in lines],
            "text": "\n".join(line.text for line in lines),
            "brightness": self._brightness,
            "areas": [line.sight() for line in lines],
            "width": self._width,
            "height": self._height,
        }

    def press(self, key: str) -> None:
        raise AssertionError(key)

    def power_cycle(self) -> None:
        """Programs stand in flash unless the profile says otherwise; connections never survive."""
        if self._device.profile.volatile:
            self._programs.clear()
        self._on = True
        for link in [*self._device.line.links]:
            link.hang_up()
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire and the answers change with a card's faults."""

    def do(self, method: str, element: Element) -> tuple[str, str]:
        """(result, what the answer carries) of a command."""
        faults = self._device.faults
        if faults.on("busy"):
            return _WORDS[_OCCUPIED], ""
        if (number := faults.number("nack")) is not None:
            return _WORDS.get(number, "kSystemError"), ""
        handler = self._methods.get(method)
        if handler is None:
            return "kInvalidMethod", ""
        if method in _CHANGING and faults.on("stuck"):
            return "kSuccess", ""
        try:
            carried = handler(element)
        except Unreadable as error:
            return str(error), ""
        if method in _CHANGING:
            self._device.showed()
        return "kSuccess", carried

    def _info(self) -> str:
        model = escape(self._device.profile.match.models[0])
        return (
            f'<device cpu="Freescale.iMax6" model="{model}" id="{model}-20-00001" name="hall"/>'
            '<version fpga="7.6.36.0" app="7.10.78.0" kernel="3.0.35"/>'
            f'<screen width="{self._width}" height="{self._height}" rotation="0"/>'
        )

    def _add(self, element: Element) -> str:
        """All programs of the screen are replaced."""
        screen = element.find("screen")
        if screen is None:
            raise Unreadable("kScreenNodeIsNull")
        programs = [read_program(program) for program in screen.findall("program")]
        self._programs = {program.guid: program for program in programs}
        return ""

    def _update(self, element: Element) -> str:
        for program in _given(element):
            if program.guid not in self._programs:
                raise Unreadable("kNodeNotExist")
            self._programs[program.guid] = program
        return ""

    def _delete(self, element: Element) -> str:
        for program in _given(element):
            if self._programs.pop(program.guid, None) is None:
                raise Unreadable("kNodeNotExist")
        return ""

    def _switch(self, *, on: bool) -> str:
        self._on = on
        return ""

    def _set_brightness(self, element: Element) -> str:
        default = element.find("default")
        if default is None:
            raise Unreadable("kTagNotFound")
        value = default.get("value", "")
        if not value.isdecimal() or not 1 <= int(value) <= 100:
            raise Unreadable("kInvalidParam")
        self._brightness = int(value)
        return ""


class _Cable:
    """The card at one address and its hosts."""

    def __init__(self, device: SimDevice) -> None:
        assert isinstance(device.body, Card)
        self._device, self._card = device, device.body
        self._hosts: dict[Link, _Host] = {}

    async def heard(self, link: Link, data: bytes) -> None:
        now = self._device.clock.monotonic()
        host = self._hosts.setdefault(link, _Host(now))
        host.heard_at = now
        self._device.alarm(_SILENT_S, self.drop_silent)
        try:
            packets = host.reader.feed(data)
        except TooLong:
            await self._reply(link, _error(_LENGTH))
            link.hang_up()
            return
        for kind, body in packets:
            if hears(self._device):
                await self._reply(link, self._answer(host, kind, body))

    def lost(self, link: Link) -> None:
        self._hosts.pop(link, None)

    def drop_silent(self) -> None:
        """Hang up on hosts whose heart does not beat."""
        now = self._device.clock.monotonic()
        for link, host in [*self._hosts.items()]:
            if now - host.heard_at >= _SILENT_S:
                link.hang_up()
        if self._hosts:
            self._device.alarm(_SILENT_S / 3, self.drop_silent)

    async def _reply(self, link: Link, packet: bytes) -> None:
        if packet:
            await answer(self._device, link, packet)

    def _answer(self, host: _Host, kind: int, body: bytes) -> bytes:
        if kind == Kind.BEAT:
            return pack(Kind.BEAT_ANSWER)
        if kind == Kind.SERVICE:
            host.served = True
            return pack(Kind.SERVICE_ANSWER, _VERSION.to_bytes(4, "little"))
        if kind != Kind.XML:
            return b"" if kind == Kind.BEAT_ANSWER else _error(_PARAMETER)
        if not host.served:
            return _error(_PROCESS)
        try:
            xml = host.parts.take(body)
        except BadPart:
            return _error(_INDEX)
        except TooLong:
            return _error(_TOO_LONG)
        return b"" if xml is None else self._obey(host, xml)

    def _obey(self, host: _Host, xml: bytes) -> bytes:
        try:
            root = read_xml(xml)
        except Unreadable as error:
            return _said(host.session, "", str(error))
        element = root.find("in")
        if root.tag != "sdk" or element is None:
            return _said(host.session, "", "kTagNotFound")
        method = element.get("method", "")
        if method == "GetIFVersion":
            host.session = str(UUID(int=self._device.random.getrandbits(128), version=4))
            return _said(host.session, method, "kSuccess", f'<version value="{_VERSION:x}"/>')
        if host.session == _NO_SESSION or root.get("guid") != host.session:
            return _said(host.session, method, "kInvalidGUID")
        return _said(host.session, method, *self._card.do(method, element))


def build_body(device: SimDevice) -> Card:
    """The card of one device."""
    return Card(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Cable:  # noqa: ARG001 — the role's signature
    """The cable of one address; a card has one to itself."""
    return _Cable(devices[0])


def _given(element: Element) -> list[Program]:
    """The programs a command names, below `screen` or by themselves. Raises Unreadable."""
    found = element.findall("program") or element.findall("screen/program")
    if not found:
        raise Unreadable("kTagNotFound")
    return [read_program(program) for program in found]


def _said(session: str, method: str, result: str, carried: str = "") -> bytes:
    out = f'<out method="{escape(method)}" result="{result}">{carried}</out>'
    return pack_xml(f'<?xml version="1.0" encoding="utf-8"?><sdk guid="{session}">{out}</sdk>')


def _error(number: int) -> bytes:
    return pack(Kind.ERROR, number.to_bytes(2, "little"))
