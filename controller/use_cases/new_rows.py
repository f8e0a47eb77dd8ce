"""Rows as they are written: a ticket from its hall's queue, a notice from the fact that led to it."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from controller.use_cases.notices_due import NoticeDue
from hall_core.queueing.queue import Ticket

__all__ = ["notice_row", "ticket_row"]


def ticket_row(hall: str, ticket: Ticket, now: datetime, mask: str | None = None) -> dict[str, Any]:
    """A ticket as its hall has it now; `mask` shows a phone that was typed here, not at the hall."""
    if mask is None and ticket.phone_sealed is not None:
        mask = "*" * 9 + (ticket.phone_tail or "**")
    return {
        "ticket_id": ticket.ticket_id,
        "hall": hall,
        "line": ticket.line,
        "day": ticket.day,
        "label": ticket.label,
        "number": ticket.number,
        "service": ticket.service,
        "channel": ticket.channel,
        "priority": ticket.priority,
        "state": ticket.state.value,
        "counter": ticket.counter,
        "call_no": ticket.call_no,
        "token": ticket.token,
        "series": "hall",
        "ahead": ticket.ahead,
        "issued_at": ticket.issued_at,
        "effective_at": ticket.effective_at,
        "called_at": ticket.called_at,
        "started_at": ticket.started_at,
        "ended_at": ticket.ended_at,
        "updated_at": now,
        "phone_sealed": ticket.phone_sealed,
        "phone_masked": mask,
    }


def notice_row(hall: str, due: NoticeDue, now: datetime, voided: dict[str, str]) -> dict[str, Any]:
    """A notice as it is written: what comes too late, or for a ticket that does not count, is not sent."""
    # A hall whose clock runs ahead does not make its notices last longer.
    due = replace(due, at=min(due.at, now))
    reason = (
        "sent-by-hall"
        if due.by_hall
        else "merged"
        if due.ticket_id in voided and due.kind != "called"
        else "stale"
        if now >= due.not_after
        else ""
    )
    return {
        "ticket_id": due.ticket_id,
        "kind": due.kind,
        "call_no": due.call_no,
        "hall": hall,
        "priority": due.priority,
        "text": due.text,
        "state": "suppressed" if reason else "pending",
        "reason": reason,
        "client_ref": f"{due.ticket_id}.{due.kind}.{due.call_no}",
        "provider_id": "",
        "attempts": 0,
        "made_at": now,
        "next_at": due.send_at or now,
        "not_after": due.not_after,
        "updated_at": now,
        "words": json.dumps(dict(due.words), ensure_ascii=False) if due.words else "",
        "phone_sealed": due.phone_sealed,
    }
