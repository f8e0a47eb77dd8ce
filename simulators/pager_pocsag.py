"""A POCSAG transmitter on a serial line with the pagers that hear it. It answers nothing."""

from collections import OrderedDict
from typing import Any

from simulators.answering import hears
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.pager_pocsag_receiver import Page, Receiver

__all__ = ["FAULTS", "Transmitter", "build_body", "build_talk"]

FAULTS = ("offline", "drop:n", "garble", "stuck", "power-cycle")

#: a hall has no more pagers than this on its rack
_PAGERS = 200
#: the last transmissions' bytes, for whoever wants to listen in
_HEARD = 8192


class Transmitter:
    """The body: a transmitter and its pagers. `return` puts all pagers back on the rack."""

    keys: tuple[str, ...] = ("return",)

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options | device.setup.options
        self._first, self._step = int(options["first_address"]), int(options["address_step"])
        self._numeric, self._beep = options["message"] == "numeric", options["message"] == "beep"
        self._lowest_first = options["bits"] == "lowest-first"
        self._inverted = bool(options["inverted"])
        self._pagers: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._receiver = Receiver()
        self._pages = 0
        self.on_air = bytearray()

    def shows(self) -> dict[str, Any]:
        return {"pages": self._pages, "pagers": {str(n): dict(seen) for n, seen in self._pagers.items()}}

    def press(self, key: str) -> None:  # noqa: ARG002 — it has only one
        """Somebody brings the pagers back: they are still."""
        self._pagers.clear()
        self._device.showed()

    def power_cycle(self) -> None:
        """The transmitter forgets; pagers have batteries."""
        self._receiver = Receiver()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire changes."""

    def hear(self, data: bytes) -> None:
        """Bytes from the host go on the air as bits."""
        if self._device.faults.on("garble"):
            data = bytes(byte ^ (0x49 if at % 3 == 0 else 0) for at, byte in enumerate(data))
        self.on_air = (self.on_air + data)[-_HEARD:]
        for page in self._receiver.feed("".join(self._bits(byte) for byte in data)):
            self._shake(page)

    def _bits(self, byte: int) -> str:
        bits = f"{byte ^ (0xFF if self._inverted else 0):08b}"
        return bits[::-1] if self._lowest_first else bits

    def _shake(self, page: Page) -> None:
        number, foreign = divmod(page.address - self._first, self._step)
        if foreign or number < 0 or self._device.faults.on("stuck"):
            return
        text = "" if self._beep else page.numeric if self._numeric else page.alpha
        self._pagers[number] = {"shaking": True, "text": text}
        self._pagers.move_to_end(number)
        while len(self._pagers) > _PAGERS:
            self._pagers.popitem(last=False)
        self._pages += 1
        self._device.showed()


class _Line:
    """The serial line; only the transmitter hangs on it."""

    def __init__(self, device: SimDevice) -> None:
        assert isinstance(device.body, Transmitter)
        self._device, self._transmitter = device, device.body

    async def heard(self, link: Link, data: bytes) -> None:  # noqa: ARG002 — the role's signature
        if hears(self._device):
            self._transmitter.hear(data)

    def lost(self, link: Link) -> None:
        """Nothing is kept of a host."""


def build_body(device: SimDevice) -> Transmitter:
    """The transmitter of one device."""
    return Transmitter(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Line:  # noqa: ARG001 — the role's signature
    """The line of one address."""
    return _Line(devices[0])
