"""The hall as its pages, its API and its stream see it: one JSON picture, made once per change."""

import json
from collections import deque
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from fastapi import Request

from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.hall import Change, Hall
from edge_agent.mirror import Mirror
from edge_agent.override import Overrides
from edge_agent.site import SiteFile
from edge_agent.slips import Slips
from edge_agent.uplink import Uplink
from edge_agent.web.security import Guard
from hall_core.queueing.facts import Fact
from hall_core.queueing.opening import hall_open, hours_today, opens_next, special_day
from hall_core.queueing.ordering import line_for
from hall_core.queueing.queue import Ticket
from hall_core.queueing.setup import HallSetup
from hall_core.queueing.states import TicketState
from hall_core.queueing.summary import (
    calls_summary,
    counters_summary,
    services_summary,
    state_hash,
    ticket_summary,
)

__all__ = ["View", "public"]

#: fields of a fact that never leave the box over HTTP
_PRIVATE = ("token", "code", "phone_sealed", "phone_tail", "relative", "fingerprint")
#: facts the stream can repeat to a screen that was away for a moment
RECENT = 1_000


def public(n: int, body: str) -> dict[str, Any]:
    """A fact as `{n, kind, at, …}` without what only its holder may know."""
    fact: dict[str, Any] = {"n": n, **json.loads(body)}
    for name in _PRIVATE:
        fact.pop(name, None)
    return fact


@dataclass(frozen=True, slots=True)
class _Made:
    mark: tuple[int, str]
    state: dict[str, Any]
    text: str


@dataclass(slots=True)
class _Recent:
    """A fact the stream may be asked for; its text is made once, when somebody looks."""

    n: int
    fact: Fact
    _text: str = ""

    def text(self) -> str:
        if not self._text:
            body = public(self.n, self.fact.model_dump_json(exclude_none=True))
            self._text = json.dumps(body, ensure_ascii=False)
        return self._text


class View:
    """Read access for everything under `web/`. `bell` rings when anything a screen shows has changed."""

    def __init__(
        self, hall: Hall, devices: Devices, uplink: Uplink | None, site: SiteFile, guard: Guard, bell: Bell
    ) -> None:
        self.hall, self.devices, self.uplink, self.site, self.guard = hall, devices, uplink, site, guard
        self.bell = bell
        self.stopping = False
        self.mirror: Mirror | None = None
        self.slips: Slips | None = None
        self.overrides: Overrides | None = None
        self.voice = False
        self._recent: deque[_Recent] = deque(maxlen=RECENT)
        self._made: _Made | None = None
        hall.listeners.append(self._hear)

    @property
    def public_url(self) -> str:
        """Where citizens reach the controller; empty while nobody has said."""
        return self.site.public_url

    def state(self) -> dict[str, Any]:
        """The picture of `GET /api/state`."""
        return {**self._moment(), **self._make().state}

    def state_text(self) -> str:
        """The same as JSON text."""
        moment = json.dumps(self._moment(), separators=(",", ":"))
        return f"{moment[:-1]},{self._make().text[1:]}"

    def staff(self, request: Request) -> str | None:
        """The clerk behind a request, or None."""
        return self.guard.staff(request)

    def line(self, counter: str) -> list[dict[str, Any]]:
        """Whom this counter will call, in order: `{ticket_id, label, service, waited_min, priority}`."""
        if counter not in self.hall.queue.counters:
            return []
        return [self._row(t) for t in line_for(self.hall.queue, counter, self.hall.now())]

    def set_aside(self) -> list[dict[str, Any]]:
        """Today's held and missed tickets, last first, with their `state`."""
        return [self._row(t) for t in self._aside(TicketState.HELD, TicketState.NO_SHOW)]

    def ticket(self, ticket_id: str) -> dict[str, Any] | None:
        """A ticket's summary with its holder's `url`, or None."""
        found = self.hall.queue.find(ticket_id)
        if found is None:
            return None
        summary = ticket_summary(self.hall.queue, found, self.hall.now())
        beside = {"url": self.site.ticket_url(found.token), "pager": found.pager}
        return {**summary, **beside, "page": self.devices.paged(found)}

    def setup(self) -> HallSetup:
        """What the hall is."""
        assert self.hall.queue.setup is not None
        return self.hall.queue.setup

    def holder(self, token: str) -> dict[str, Any] | None:
        """The ticket whose link ends in this token, as its holder may see it, or None."""
        found = next((t for t in self.hall.queue.tickets.values() if t.token == token), None)
        return self.ticket(found.ticket_id) if found else None

    def today(self, counter: str) -> dict[str, Any]:
        """`{served, average_min, sent_on}` of a counter, today."""
        tickets = self.hall.queue.tickets.values()
        times = [
            (t.ended_at - t.started_at).total_seconds() / 60
            for t in tickets
            if t.counter == counter and t.state is TicketState.FINISHED and t.started_at and t.ended_at
        ]
        parts = [part for t in tickets for part in t.parts if part.counter == counter]
        times += [(part.ended - part.began).total_seconds() / 60 for part in parts]
        last = self.hall.queue.tickets.get(self.hall.queue.counters[counter].last_id or "")
        went_on = last is not None and bool(last.parts) and last.state is TicketState.WAITING
        return {
            "served": len(times),
            "average_min": sum(times) / len(times) if times else None,
            "sent_on": {"label": last.label, "service": last.service} if last and went_on else None,
        }

    def _aside(self, *states: TicketState) -> list[Ticket]:
        found = [t for t in self.hall.queue.tickets.values() if t.state in states]
        return sorted(found, key=lambda t: t.called_at or t.issued_at, reverse=True)

    def facts_after(self, n: int) -> list[tuple[int, str]]:
        """The facts after `n` as JSON text, as far as they are kept, with their numbers."""
        newest_first = takewhile(lambda r: r.n > n, reversed(self._recent))
        return [(r.n, r.text()) for r in newest_first][::-1]

    def _row(self, ticket: Ticket) -> dict[str, Any]:
        setup = self.hall.queue.setup
        service = setup.service(ticket.service) if setup else None
        waited = (self.hall.now() - ticket.issued_at).total_seconds()
        return {
            "ticket_id": ticket.ticket_id,
            "label": ticket.label,
            "service": service.name if service else ticket.service,
            "state": ticket.state.value,
            "waited_min": int(waited // 60),
            "priority": ticket.priority,
            "visits": list(ticket.visits),
            "pager": ticket.pager,
        }

    def _hear(self, change: Change) -> None:
        self._recent.extend(_Recent(n, fact) for n, fact in enumerate(change.facts, change.first))

    def _moment(self) -> dict[str, Any]:
        """What changes without any news."""
        mirror = {"ok": not self.mirror.reason, "behind": self.mirror.behind} if self.mirror else None
        return {"now": self.hall.now().isoformat(), "mirror": mirror}

    def _make(self) -> _Made:
        now = self.hall.now()
        # Opening hours change the picture by the clock alone, so the minute belongs to the mark.
        mark = (self.bell.count, now.strftime("%H:%M"))
        if self._made is None or self._made.mark != mark:
            state = self._build()
            self._made = _Made(mark, state, json.dumps(state, ensure_ascii=False, separators=(",", ":")))
        return self._made

    def _build(self) -> dict[str, Any]:
        hall, queue, now = self.hall, self.hall.queue, self.hall.now()
        setup = queue.setup
        assert setup is not None
        uplink = self.uplink
        acked_at = uplink.acked_at if uplink else None
        special = special_day(queue, now)
        return {
            "hall": setup.hall,
            "name": setup.name,
            "level": setup.level,
            "tz": setup.tz,
            "open": hall_open(queue, now),
            "opens_next": opens.isoformat() if (opens := opens_next(queue, now)) else None,
            "special_day": special.model_dump(include={"name", "name_en"}) if special else None,
            "hours": " ".join(hours_today(queue, now)),
            "business_day": queue.day.isoformat() if queue.day else None,
            "services": services_summary(queue, now),
            "counters": counters_summary(queue),
            "calls": calls_summary(queue),
            "missed": [t.label for t in self._aside(TicketState.NO_SHOW)],
            "held": [t.label for t in self._aside(TicketState.HELD)],
            "priorities": list(setup.credits_min),
            "devices": [d.model_dump(exclude={"v"}) for d in self.devices.reports()],
            "uplink": {
                "connected": bool(uplink and uplink.connected),
                "unsynced": uplink.unsynced if uplink else hall.journal.last,
                "acked_at": acked_at.isoformat() if acked_at else None,
            },
            "standalone": uplink is None,
            "pages": bool(self.devices.pagers),
            "notices": bool(uplink and uplink.connected) or self.devices.notices.can_send(),
            "stream": {"id": hall.journal.stream, "last": hall.journal.last},
            "storage": hall.storage.state.value,
            "clock": {"trusted": hall.time.trusted()},
            "state_hash": state_hash(queue),
        }
