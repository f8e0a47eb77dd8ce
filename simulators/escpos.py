"""Ticket printers with ESC/POS on TCP 9100 or a serial line: slips, paper, cover and status bytes."""

from collections import deque
from typing import Any

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice, rfc3339
from simulators.escpos_paper import Paper
from simulators.escpos_parser import Command, EscposParser
from simulators.line import Line, Link

__all__ = ["FAULTS", "Printer", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "paper-low", "paper-out", "cover-open", "cutter-jam")

_BASE = 0x12
_OFFLINE, _COVER, _PAPER_STOP, _ERROR, _CUTTER = 0x08, 0x04, 0x20, 0x40, 0x08
_NEAR_END, _END = 0x0C, 0x60
#: slips that hang out of the printer for a visitor to see
_SLIPS = 8


class Printer:
    """The body of a ticket printer. Out of paper it keeps what it was sent and prints it when paper is in."""

    keys: tuple[str, ...] = ("feed", "tear-off")

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options
        self.answers: tuple[int, ...] = tuple(options.get("status", (1, 2, 3, 4)))
        self._slips: deque[dict[str, Any]] = deque(maxlen=_SLIPS)
        self._printed = 0
        self._waiting: deque[tuple[Link | None, Command]] = deque()
        self._paper = Paper(options.get("kanji") == "enter", self._slip)
        self.automatic: set[Link] = set()

    def shows(self) -> dict[str, Any]:
        return self._sight([*self._slips])

    def press(self, key: str) -> None:
        """`tear-off`: somebody takes the slips away; `feed` moves paper and prints nothing."""
        if key == "tear-off":
            self._slips.clear()

    def power_cycle(self) -> None:
        self._waiting.clear()
        self._paper.reset()
        self.automatic.clear()

    def fault_changed(self, name: str, on: bool) -> None:
        if name not in {"paper-low", "paper-out", "cover-open", "cutter-jam"}:
            return
        self._device.showed()
        for link in self.automatic & self._device.line.links:
            link.send(self.automatic_status())
        if not on:
            self.work()

    def take(self, link: Link, command: Command) -> None:
        """A command has arrived; it is carried out when the printer can."""
        self._waiting.append((link, command))

    def work(self) -> None:
        """Carry out what waits, unless paper, cover or cutter forbid."""
        while self._waiting and not self._stopped:
            link, command = self._waiting.popleft()
            reply = self._reply(link, command)
            if reply is not None and link in self._device.line.links:
                link.send(reply)
            self._paper.take(command)

    def status(self, n: int) -> int:
        """The byte `DLE EOT n` answers."""
        faults = self._device.faults
        if n == 1:
            return _BASE | (_OFFLINE if self._stopped else 0)
        if n == 2:
            stop = _PAPER_STOP if faults.on("paper-out") else 0
            cover = _COVER if faults.on("cover-open") else 0
            return _BASE | stop | cover | (_ERROR if faults.on("cutter-jam") else 0)
        if n == 3:
            return _BASE | (_CUTTER if faults.on("cutter-jam") else 0)
        if faults.on("paper-out"):
            return _BASE | _NEAR_END | _END
        return _BASE | (_NEAR_END if faults.on("paper-low") else 0)

    @property
    def silent(self) -> bool:
        """Many printers say nothing at all while the cover is open."""
        return self._device.faults.on("cover-open")

    def automatic_status(self) -> bytes:
        """The four bytes a printer sends by itself after `GS a`."""
        faults = self._device.faults
        cover = 0x20 if faults.on("cover-open") else 0
        low = 0x03 if faults.on("paper-low") or faults.on("paper-out") else 0
        end = 0x0C if faults.on("paper-out") else 0
        jam = 0x08 if faults.on("cutter-jam") else 0
        return bytes([0x10 | cover | (_OFFLINE if self._stopped else 0), jam, low | end, 0])

    def _reply(self, link: Link | None, command: Command) -> bytes | None:
        faults = self._device.faults
        data = command.data
        match command.name:
            case "GS a" if link is not None:
                self.automatic.add(link) if data[0] else self.automatic.discard(link)
                return self.automatic_status() if data[0] else None
            case "GS r":
                low = faults.on("paper-low")
                return bytes([0x03 if low else 0]) if data[0] in (1, 49) else bytes([0])
            case "GS (" if data[:1] == b"H" and data[3:5] == b"00":
                return b"\x37\x22" + data[5:9] + b"\0"
        return None

    @property
    def _stopped(self) -> bool:
        return any(self._device.faults.on(f) for f in ("paper-out", "cover-open", "cutter-jam"))

    def _slip(self, slip: dict[str, Any]) -> None:
        slip["at"] = rfc3339(self._device.clock.now())
        self._slips.append(slip)
        self._printed += 1
        self._device.showed(self._sight([slip]))

    def _sight(self, slips: list[dict[str, Any]]) -> dict[str, Any]:
        faults = self._device.faults
        paper = "out" if faults.on("paper-out") else "low" if faults.on("paper-low") else "ok"
        return {
            "slips": slips,
            "printed": self._printed,
            "paper": paper,
            "cover": "open" if faults.on("cover-open") else "closed",
            "cutter": "jammed" if faults.on("cutter-jam") else "ok",
        }


class _Port:
    """The connector of one printer."""

    def __init__(self, device: SimDevice, printer: Printer) -> None:
        self._device, self._printer = device, printer
        self._parsers: dict[Link, EscposParser] = {}

    async def heard(self, link: Link, data: bytes) -> None:
        if not hears(self._device):
            return
        parser = self._parsers.setdefault(link, EscposParser())
        for command in parser.feed(data):
            if command.name == "DLE EOT":
                n = command.data[0]
                if n in self._printer.answers and not self._printer.silent:
                    await answer(
                        self._device, link, bytes([self._printer.status(n)]), lambda b: b"\xff" * len(b)
                    )
                continue
            self._printer.take(link, command)
        self._printer.work()

    def lost(self, link: Link) -> None:
        self._parsers.pop(link, None)
        self._printer.automatic.discard(link)


def build_body(device: SimDevice) -> Printer:
    """The printer of one device."""
    return Printer(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Port:  # noqa: ARG001 — the role's signature
    """The connector of one address. Raises ValueError for two printers on one cable."""
    (device,) = devices
    assert isinstance(device.body, Printer)
    return _Port(device, device.body)


def _noise(frame: bytes) -> bytes:
    """Status bytes have no checksum; a broken one has its fixed bits wrong."""
    return b"\xff" * len(frame)
