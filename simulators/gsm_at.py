"""A GSM modem with AT commands, in PDU mode: what is sent through it is seen on it, the number masked.

A hand can take the SIM card out and unscrew the antenna: these are its keys.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.gsm_at_commands import Failure, Radio, Settings, commands_in, obey
from simulators.gsm_at_pdu import NotAMessage, Submit, read_submit
from simulators.line import Line, Link

__all__ = ["FAULTS", "Modem", "build_body", "build_talk", "masked"]

FAULTS = (*WIRE_FAULTS, "nack:n", "busy", "accept-then-timeout:n")

_END, _ESCAPE, _RETURN = 0x1A, 0x1B, 0x0D
_NO_SIM, _SIM_BUSY, _BAD_PDU, _NO_NETWORK = 310, 314, 304, 331
#: no line and no message is longer; what is typed beyond it is lost
_LONGEST = 1024
#: how many messages stay in sight
_KEPT = 200


class Modem:
    """The body of a modem."""

    keys: tuple[str, ...] = ("sim-in", "sim-out", "antenna-on", "antenna-weak", "antenna-off")

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        self._settings, self._radio = Settings(), Radio()
        self._sent: deque[dict[str, str]] = deque(maxlen=_KEPT)
        self._parts: dict[tuple[str, int, int], dict[int, str]] = {}
        self._reference = 0
        self._typed = bytearray()
        #: announced length of the message that is being typed
        self._length: int | None = None

    def shows(self) -> dict[str, Any]:
        return {
            "sent": [*self._sent],
            "sim": self._radio.sim,
            "antenna": self._radio.antenna,
            "network": self._radio.registered,
        }

    def press(self, key: str) -> None:
        part, _, how = key.partition("-")
        if part == "sim":
            self._radio.sim = how == "in"
        else:
            self._radio.antenna = how
        self._device.showed()

    def power_cycle(self) -> None:
        self._settings, self._length = Settings(), None
        self._typed.clear()
        self._parts.clear()
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire and the network change with a modem's faults."""

    def hear(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Take bytes in any segmentation; what is said, and whether it is a message's result."""
        for byte in data:
            if self._length is not None and byte in (_END, _ESCAPE):
                echo, typed = self._echo(byte), self._typed.decode("ascii", errors="replace")
                length, self._length = self._length, None
                self._typed.clear()
                yield echo + (self._take(typed, length) if byte == _END else _line("OK")), byte == _END
            elif self._length is None and byte == _RETURN:
                said = self._echo(byte)
                typed = self._typed.decode("ascii", errors="replace")
                self._typed.clear()
                yield said + self._command(typed), False
            elif byte not in (_ESCAPE, 0x0A) and len(self._typed) < _LONGEST:
                self._typed.append(byte)

    def _echo(self, last: int) -> bytes:
        return bytes(self._typed) + bytes([last]) if self._settings.echo else b""

    def _command(self, line: str) -> bytes:
        if not line.strip():
            return b""
        said: list[str] = []
        try:
            for command in commands_in(line):
                if command.upper().startswith("+CMGS="):
                    return b"".join(map(_line, said)) + self._offer(command[6:])
                said += obey(command, self._settings, self._radio)
        except Failure as failure:
            return b"".join(map(_line, said)) + self._failed(failure)
        return b"".join(map(_line, [*said, "OK"]))

    def _offer(self, length: str) -> bytes:
        if not self._radio.sim:
            return _cms(_NO_SIM)
        if self._device.faults.on("busy"):
            return _cms(_SIM_BUSY)
        if not length.isdecimal():
            return _cms(_BAD_PDU)
        self._length = int(length)
        return b"\r\n> "

    def _take(self, typed: str, length: int) -> bytes:
        try:
            submit = read_submit(typed.strip(), length)
        except NotAMessage:
            return _cms(_BAD_PDU)
        if not self._radio.registered:
            return _cms(_NO_NETWORK)
        if number := self._device.faults.number("nack"):
            return _cms(number)
        self._reference = (self._reference + 1) & 0xFF
        self._gather(submit)
        return _line(f"+CMGS: {self._reference}") + _line("OK")

    def _gather(self, submit: Submit) -> None:
        """Parts of one text are seen when all have come."""
        to = masked(submit.to)
        texts = self._parts.setdefault((to, submit.reference, submit.parts), {})
        texts[submit.part] = submit.text
        if len(texts) < submit.parts:
            return
        del self._parts[to, submit.reference, submit.parts]
        self._sent.append({"to": to, "text": "".join(texts[n] for n in sorted(texts))})
        self._device.showed()

    def _failed(self, failure: Failure) -> bytes:
        if not failure.kind or (failure.kind == "CME" and self._settings.cmee == 0):
            return _line("ERROR")
        return _line(f"+{failure.kind} ERROR: {failure.number}")


class _Cable:
    """The one modem of a line."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device

    async def heard(self, link: Link, data: bytes) -> None:
        if not hears(self._device):
            return
        assert isinstance(self._device.body, Modem)
        for said, verdict in self._device.body.hear(data):
            late = self._device.faults.number("accept-then-timeout") if verdict else None
            if late is not None:
                self._device.line.send_later(link, said, late / 1000)
            elif said:
                await answer(self._device, link, said)

    def lost(self, link: Link) -> None:
        """A modem does not notice who listens."""


def build_body(device: SimDevice) -> Modem:
    """The modem of one device."""
    return Modem(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Cable:  # noqa: ARG001 — the role's signature
    """The cable of one address; a modem stands alone on it."""
    return _Cable(devices[0])


def masked(number: str) -> str:
    """A number as it may be shown: the first three and the last four digits."""
    digits = number.removeprefix("+86").removeprefix("+")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) > 7 else "****"


def _line(text: str) -> bytes:
    return b"\r\n" + text.encode("ascii") + b"\r\n"


def _cms(number: int) -> bytes:
    return _line(f"+CMS ERROR: {number}")
