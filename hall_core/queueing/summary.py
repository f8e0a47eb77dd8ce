"""The queue as other programs see it: plain JSON-ready parts, and the hash both sides compare."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from hall_core.queueing.estimates import range_minutes, service_range
from hall_core.queueing.opening import service_open
from hall_core.queueing.ordering import ahead_of, waiting_for
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.states import TicketState

__all__ = [
    "calls_summary",
    "counter_summary",
    "counters_summary",
    "services_summary",
    "state_hash",
    "ticket_summary",
]


def services_summary(queue: Queue, now: datetime) -> list[dict[str, Any]]:
    """`{id, name, name_en, about, prefix, open, instead, appointments, waiting, range_min}` per service."""
    if queue.setup is None:
        return []
    rows = []
    for service in queue.setup.services:
        is_open = service_open(queue, service, now)
        waiting = len(waiting_for(queue, service.id))
        rows.append(
            {
                **service.model_dump(include={"id", "name", "name_en", "about", "about_en"}),
                "prefix": service.prefix,
                "open": is_open,
                "instead": service.instead,
                "appointments": service.appointments is not None,
                "waiting": waiting,
                "range_min": service_range(queue, service.id, now) if is_open else None,
            }
        )
    return rows


def counter_summary(queue: Queue, counter_id: str) -> dict[str, Any]:
    """`{id, name, state, services, clerk, reason, tells_arrivals, ticket: {id, label, state}|null}`."""
    counter = queue.counters[counter_id]
    setup = queue.setup.counter(counter_id) if queue.setup else None
    ticket = queue.in_hand(counter_id)
    return {
        "id": counter.counter,
        "name": setup.name if setup else counter.counter,
        "state": counter.state.value,
        "services": list(counter.services),
        "clerk": counter.clerk,
        "reason": counter.reason,
        "tells_arrivals": queue.tells_arrivals(counter_id),
        "ticket": {"id": ticket.ticket_id, "label": ticket.label, "state": ticket.state.value}
        if ticket
        else None,
    }


def counters_summary(queue: Queue) -> list[dict[str, Any]]:
    """Every counter, in the order of the set-up."""
    order = [c.id for c in queue.setup.counters] if queue.setup else []
    return [counter_summary(queue, i) for i in order]


def calls_summary(queue: Queue) -> list[dict[str, Any]]:
    """`{ticket_id, label, counter, call_no, at, again, state}` of the last calls, newest first."""
    return [
        {
            "ticket_id": c.ticket_id,
            "label": c.label,
            "counter": c.counter,
            "call_no": c.call_no,
            "at": c.at.isoformat(),
            "again": c.again,
            "state": queue.tickets[c.ticket_id].state.value,
        }
        for c in queue.calls
        if c.ticket_id in queue.tickets
    ]


def ticket_summary(queue: Queue, ticket: Ticket, now: datetime) -> dict[str, Any]:
    """One ticket for its holder and for staff; `ahead` and `range_min` only while it waits. `visits` are the
    services that come after `service`, `parts` those that are done.
    """
    waits = ticket.state is TicketState.WAITING
    ahead = ahead_of(queue, ticket, now) if waits else None
    return {
        "ticket_id": ticket.ticket_id,
        "label": ticket.label,
        "service": ticket.service,
        "day": ticket.day.isoformat(),
        "state": ticket.state.value,
        "channel": ticket.channel,
        "priority": ticket.priority,
        "counter": ticket.counter,
        "call_no": ticket.call_no,
        "issued_at": ticket.issued_at.isoformat(),
        "effective_at": ticket.effective_at.isoformat(),
        "called_at": ticket.called_at.isoformat() if ticket.called_at else None,
        "started_at": ticket.started_at.isoformat() if ticket.started_at else None,
        "ended_at": ticket.ended_at.isoformat() if ticket.ended_at else None,
        "rating": ticket.rating,
        "escalated": list(ticket.escalated),
        "visits": list(ticket.visits),
        "parts": [part.model_dump(mode="json") for part in ticket.parts],
        "ahead": ahead,
        "range_min": range_minutes(queue, ticket, now) if waits else None,
    }


def state_hash(queue: Queue) -> str:
    """16 hex digits over tickets, counters, numbers and grants: equal on both sides when quiet."""
    body: dict[str, Any] = {
        "day": queue.day.isoformat() if queue.day else None,
        "applied": queue.applied,
        "tickets": sorted(
            (t.ticket_id, t.label, t.state.value, t.counter, t.service, t.call_no)
            for t in queue.tickets.values()
        ),
        "counters": sorted((c.counter, c.state.value, c.ticket_id or "") for c in queue.counters.values()),
        "numbers": sorted(queue.numbers.items()),
        "grants": sorted((g.grant_id, g.incarnation, g.zone) for g in queue.grants),
    }
    several = sorted((t.ticket_id, t.visits, len(t.parts)) for t in queue.tickets.values() if t.visits)
    if several:
        body["visits"] = several
    if queue.appointments:
        body["appointments"] = sorted(
            (a.appointment_id, a.starts_at.astimezone(UTC).isoformat(), a.ticket_id or "")
            for a in queue.appointments.values()
        )
    if queue.calendar:
        body["calendar"] = [queue.calendar[day].model_dump(mode="json") for day in sorted(queue.calendar)]
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
