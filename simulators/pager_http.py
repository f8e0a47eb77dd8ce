"""A pager gateway like baycom/rps with its pagers: `GET /page?…` makes one shake. After its source.

It answers what it is going to send, closes the connection, and never learns what became of a page.
"""

import asyncio
import re
from collections import OrderedDict
from typing import Any
from urllib.parse import parse_qs, urlsplit

import h11

from simulators.answering import WIRE_FAULTS, answer, hears
from simulators.device import SimDevice
from simulators.line import Line, Link

__all__ = ["FAULTS", "Gateway", "build_body", "build_talk"]

FAULTS = (*WIRE_FAULTS, "stuck")

_LRS, _POCSAG, _T112 = 0, 1, 2
_MODES = ("lrs", "pocsag", "t112", "td164", "td161")
_TELEGRAMS = ("beep", "numeric", "alpha")
_PAGERS = 200
_INDEX = b"<!DOCTYPE html><html><head><title>RPS</title></head><body>Restaurant Paging Service</body></html>"

Answer = tuple[int, str, bytes]


class Gateway:
    """The body: a gateway and its pagers. `return` puts all pagers back on the charger."""

    keys: tuple[str, ...] = ("return",)

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options | device.setup.options
        self._mode = _MODES.index(options["mode"])
        self._first, self._step = int(options["first_address"]), int(options["address_step"])
        self._pagers: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._pages = 0

    def shows(self) -> dict[str, Any]:
        return {"pages": self._pages, "pagers": {str(n): dict(seen) for n, seen in self._pagers.items()}}

    def press(self, key: str) -> None:  # noqa: ARG002 — it has only one
        """Somebody brings the pagers back: they are still."""
        self._pagers.clear()
        self._device.showed()

    def power_cycle(self) -> None:
        """Pagers have batteries; the gateway keeps nothing."""

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire and the air change."""

    def serve(self, method: str, target: str) -> Answer:
        """(status, type, body) of a request."""
        parts = urlsplit(target)
        if method != "GET" or parts.path not in ("/", "/page"):
            return 404, "text/plain", f"File Not Found\n\nURI: {parts.path}\nMethod: {method}\n".encode()
        if parts.path == "/":
            return 200, "text/html", _INDEX
        fields = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return self._page(fields)

    def _page(self, fields: dict[str, str]) -> Answer:
        mode = _whole(fields.get("mode"), _LRS)
        number = _whole(fields.get("pager_number"), -1)
        if "pager_number" in fields and mode == _LRS:
            number = abs(number) & 0xFFF
        if number <= 0 and not _whole(fields.get("force"), 0):
            return 400, "text/plain", b"Invalid parameters supplied"
        telegram = _whole(fields.get("pocsag_telegram_type"), 0)
        message = fields.get("message", "")
        cancel = _whole(fields.get("cancel"), 0)
        told = {"mode": mode, "cancel": cancel, "pager_number": number} | {
            "alert_type": _whole(fields.get("alert_type"), -1),
            "pocsag_telegram_type": telegram,
            "message": message,
        }
        if not self._device.faults.on("stuck"):
            text = message if mode == _POCSAG and telegram < 3 and _TELEGRAMS[telegram] != "beep" else ""
            self._call(mode, number, text, cancel=bool(cancel) and mode == _T112)
        return 200, "text/plain", "".join(f"{name}: {value}\n" for name, value in told.items()).encode()

    def _call(self, mode: int, address: int, text: str, *, cancel: bool) -> None:
        """On the air: pagers of another kind, and those nobody has, hear nothing."""
        if mode != self._mode:
            return
        number, foreign = divmod(address - self._first, self._step)
        everybody = mode == _LRS and address == 0
        for pager in [*self._pagers] if everybody else [number]:
            if everybody or (not foreign and number >= 0):
                self._pagers[pager] = {"shaking": not cancel, "text": text}
                self._pagers.move_to_end(pager)
        while len(self._pagers) > _PAGERS:
            self._pagers.popitem(last=False)
        self._pages += 1
        self._device.showed()


class _Server:
    """The gateway's web server: one request a connection."""

    def __init__(self, device: SimDevice) -> None:
        assert isinstance(device.body, Gateway)
        self._device, self._gateway = device, device.body
        self._open: dict[Link, h11.Connection] = {}

    async def heard(self, link: Link, data: bytes) -> None:
        connection = self._open.setdefault(link, h11.Connection(h11.SERVER))
        try:
            connection.receive_data(data)
            event = connection.next_event()
        except h11.RemoteProtocolError:
            link.hang_up()
            return
        if not isinstance(event, h11.Request) or not hears(self._device):
            return
        target = event.target.decode("ascii", "replace")
        status, kind, body = self._gateway.serve(event.method.decode("ascii"), target)
        await self._reply(link, connection, status, kind, body)

    def lost(self, link: Link) -> None:
        self._open.pop(link, None)

    async def _reply(
        self, link: Link, connection: h11.Connection, status: int, kind: str, body: bytes
    ) -> None:
        head = h11.Response(
            status_code=status,
            reason={200: b"OK", 400: b"Bad Request"}.get(status, b"Not Found"),
            headers=[
                ("Content-Length", str(len(body))),
                ("Content-Type", kind),
                ("Connection", "close"),
                ("Access-Control-Allow-Origin", "*"),
            ],
        )
        parts = (head, h11.Data(data=body), h11.EndOfMessage())
        await answer(self._device, link, b"".join(connection.send(part) or b"" for part in parts))
        faults = self._device.faults
        if not faults.on("silence"):
            asyncio.get_running_loop().call_later((faults.number("late") or 0) / 1000 + 0.001, link.hang_up)


def build_body(device: SimDevice) -> Gateway:
    """The gateway of one device."""
    return Gateway(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _Server:  # noqa: ARG001 — the role's signature
    """The web server of one address."""
    return _Server(devices[0])


def _whole(text: str | None, otherwise: int) -> int:
    """A number as the gateway reads it: as far as there are digits, else 0."""
    if text is None:
        return otherwise
    found = re.match(r"\s*([+-]?\d{1,9})", text)
    return int(found[1]) if found else 0
