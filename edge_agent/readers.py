"""What scanners and card readers of the hall have read, for the pages beside them.

A code is a citizen's link and a card a citizen's number: neither leaves this program, nor a log.
"""

import re
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from edge_agent.bell import Bell
from edge_agent.hall import Hall
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import CardRead, CodeScanned
from hall_core.errors import Refused, SlipInvalid
from hall_core.queueing.commands import IssueTicket, ReRegister, Return
from hall_core.queueing.decide_appointments import find_appointment
from hall_core.queueing.queue import Ticket
from hall_core.queueing.states import TicketState

__all__ = ["Readers", "Reading"]

#: readings a page may still be told of
KEPT = 50
_LINK = re.compile(r"https?://[^\s/]+(?:/[^\s/]+)*/t/([A-Za-z0-9_-]{16,64})/?(?:#\S*)?")
_OURS = re.compile(r"https?://[^\s]+/t/")
_LABEL = re.compile(r"([A-Z])(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that was read: `event` for this program alone, `shown` for the pages."""

    n: int
    device: str
    event: CardRead | CodeScanned
    shown: dict[str, Any]


class Readers:
    """The last reading of each device. `listeners` hear every card, with its digest."""

    def __init__(self, hall: Hall, new_id: Callable[[], str], bell: Bell) -> None:
        self._hall, self._new_id, self._bell = hall, new_id, bell
        self.count = 0
        self.last: dict[str, Reading] = {}
        self.listeners: list[Callable[[DeviceSetup, CardRead], None]] = []
        #: makes the wish that a signed slip is, or raises SlipInvalid
        self.slips: Callable[[str, datetime, str], ReRegister] = _no_slips
        self._recent: deque[Reading] = deque(maxlen=KEPT)

    async def hear(self, setup: DeviceSetup, event: CardRead | CodeScanned) -> None:
        """Find out what was read, do what it stands for, tell the pages."""
        if isinstance(event, CardRead):
            shown: dict[str, Any] = {"result": "card", "masked": event.masked}
            for listener in self.listeners:
                listener(setup, event)
        else:
            shown = await self._scanned(event.text.strip())
        self._tell(setup, event, shown)

    def after(self, n: int) -> list[Reading]:
        """What was read after reading `n`, as far as it is kept."""
        return [r for r in self._recent if r.n > n]

    def _tell(self, setup: DeviceSetup, event: CardRead | CodeScanned, shown: dict[str, Any]) -> None:
        self.count += 1
        at: datetime = self._hall.now()
        head = {"n": self.count, "device": setup.name, "counter": setup.counter, "kind": event.kind}
        reading = Reading(self.count, setup.name, event, {**head, "at": at.isoformat(), **shown})
        self.last[setup.name] = reading
        self._recent.append(reading)
        self._bell.ring()

    async def _scanned(self, text: str) -> dict[str, Any]:
        """`result`: found, returned, checked-in, refused, unknown, damaged or foreign."""
        queue = self._hall.queue
        link = _LINK.fullmatch(text)
        if link is None:
            label = _LABEL.fullmatch(text.upper())
            ticket = queue.find(f"{label[1]}{int(label[2]):03}") if label else None
            if ticket is not None:
                return _found(ticket)
            damaged = not text or "\ufffd" in text or not text.isprintable() or bool(_OURS.match(text))
            return {"result": "unknown" if label else "damaged" if damaged else "foreign"}
        ticket = next((t for t in queue.tickets.values() if t.token == link[1]), None)
        try:
            if ticket is not None:
                return await self._back(ticket)
            if find_appointment(queue, link[1], self._hall.now()) is not None:
                return await self._check_in(link[1])
            if "#" in text:
                return await self._register_again(text)
        except Refused as error:
            told = {"title": error.sentence("zh"), "detail": error.sentence("en")}
            return {**(_found(ticket) if ticket else {}), "result": "refused", **told}
        return {"result": "unknown"}

    async def _back(self, ticket: Ticket) -> dict[str, Any]:
        """Who missed the call and has come to the hall again stands in line, at its end."""
        if ticket.state is not TicketState.NO_SHOW or ticket.counter is None:
            return _found(ticket)
        command = Return(request_id=self._new_id(), counter=ticket.counter, ticket=ticket.ticket_id)
        await self._hall.handle(command)
        return {**_found(ticket), "result": "returned"}

    async def _register_again(self, text: str) -> dict[str, Any]:
        """A signed slip whose record is gone stands in line again."""
        command = self.slips(text, self._hall.now(), self._new_id())
        handled = await self._hall.handle(command)
        return {**_found(handled.queue.tickets[command.ticket_id]), "result": "returned"}

    async def _check_in(self, token: str) -> dict[str, Any]:
        request_id = self._new_id()
        wanted = IssueTicket(
            request_id=request_id,
            ticket_id=self._new_id(),
            token=secrets.token_urlsafe(16),
            appointment=token,
            channel="kiosk",
        )
        handled = await self._hall.handle(wanted)
        ticket = handled.queue.tickets[handled.queue.requests[request_id].ticket_id or ""]
        return {**_found(ticket), "result": "checked-in"}


def _no_slips(_text: str, _now: datetime, _request_id: str) -> ReRegister:
    raise SlipInvalid


def _found(ticket: Ticket) -> dict[str, Any]:
    return {"result": "found", "ticket_id": ticket.ticket_id, "label": ticket.label}
