"""Facts into the database, all in the transaction that moves the stream's cursor."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from controller.store import facts as fact_store
from controller.store import notices as notice_store
from controller.store import tickets as ticket_store
from controller.use_cases.draft import Draft
from controller.use_cases.granting import adopt_grant
from controller.use_cases.live import LiveHall, LiveHalls, freeze, rebuild
from controller.use_cases.merging import Answered, settle, settle_refusals
from controller.use_cases.notices_due import NoticeDue, nearly_due, notice_for
from controller.use_cases.ratings import store_hall_rating
from controller.use_cases.wishing import REQUEST_PREFIX
from hall_core.errors import StreamGap, WireError
from hall_core.queueing import facts as f
from hall_core.queueing.evolve import replay
from hall_core.queueing.queue import Queue, Ticket
from hall_core.wire.envelope import FactBatch
from hall_core.wire.stream import fresh

__all__ = ["FactIntake", "notice_row"]

#: a snapshot is taken after so many facts: a start replays no more than these
SNAPSHOT_EVERY = 5_000
#: a new day's queue is small: then a snapshot is cheap, and taken after so many facts already
SNAPSHOT_AT_DAY = 200


@dataclass(slots=True)
class _Intake:
    """The new facts of one stream."""

    hall: LiveHall
    stream: str
    applied: int
    facts: list[f.Fact] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.applied + len(self.facts)


class FactIntake:
    """Collects the fact messages of one transaction, then applies each stream's in one go."""

    def __init__(self, draft: Draft, live: LiveHalls, signature: str) -> None:
        self._draft, self._live, self._signature = draft, live, signature
        self._streams: dict[str, _Intake] = {}

    def open(self, streams: Sequence[str]) -> None:
        """Lock the cursors of these streams."""
        for name, row in fact_store.cursors(self._draft.tx, streams).items():
            hall = self._live.by_agent(row["agent"])
            if hall is not None and hall.hall == row["hall"]:
                self._streams[name] = _Intake(hall, name, int(row["applied"]))

    def take(self, hall: LiveHall, batch: FactBatch) -> None:
        """Add one message. Raises WireError when it is not this hall's or its stream was never born."""
        intake = self._streams.get(batch.stream)
        if intake is None or intake.hall is not hall:
            raise WireError("FactBatch: stream: no birth of this agent has told of it")
        if batch.hall != hall.hall:
            raise WireError("FactBatch: hall: this agent was enrolled for another hall")
        # At a gap nothing is taken: telling the position again asks the box to repeat from there.
        with suppress(StreamGap):
            intake.facts += fresh(intake.end, batch.first, batch.facts)
        self._draft.positions[batch.stream] = (hall.agent, intake.end)

    def apply(self) -> None:
        """Store everything that was taken."""
        for intake in self._streams.values():
            if intake.facts:
                self._apply(intake)

    def _apply(self, intake: _Intake) -> None:
        draft, tx = self._draft, self._draft.tx
        queue = self._queue(intake)
        queue, touched, notices = self._replay(intake, queue)
        fact_store.add_facts(tx, _fact_rows(intake, draft.now))
        fact_store.move_cursor(tx, intake.stream, intake.end)
        answers = {x.request_id: x for x in intake.facts if (x.request_id or "").startswith(REQUEST_PREFIX)}
        asked = {request_id: x for request_id, x in answers.items() if request_id is not None}
        answered = settle(draft, asked, queue)
        rows = [_ticket_row(intake, ticket, draft.now, answered) for ticket in touched.values()]
        ticket_store.upsert_tickets(tx, rows)
        for voided, shown in answered.voided.items():
            ticket_store.change_ticket(tx, voided, merged_into=shown)
        settle_refusals(draft, asked)
        self._write_notices(intake, notices, answered)
        for fact in intake.facts:
            if isinstance(fact, f.ZoneGranted):
                adopt_grant(draft, intake.hall, fact)
            elif isinstance(fact, f.TicketRated) and fact.ticket_id in queue.tickets:
                store_hall_rating(draft, _rating_row(intake, fact, queue.tickets[fact.ticket_id]))
        self._snapshot(intake, queue)
        draft.queues[intake.stream] = queue
        draft.answers |= asked
        draft.halls.add(intake.hall.hall)
        draft.facts += len(intake.facts)

    def _snapshot(self, intake: _Intake, queue: Queue) -> None:
        grown = intake.end - self._live.frozen_at(intake.stream)
        new_day = any(isinstance(fact, f.BusinessDayOpened) for fact in intake.facts)
        if grown >= (SNAPSHOT_AT_DAY if new_day else SNAPSHOT_EVERY):
            fact_store.save_snapshot(self._draft.tx, intake.stream, intake.end, freeze(queue))
            self._draft.frozen[intake.stream] = intake.end

    def _queue(self, intake: _Intake) -> Queue:
        """The stream's queue at the cursor, from memory when memory is where the database is."""
        queue = self._live.queue(intake.stream)
        if queue.applied != intake.applied:
            queue = rebuild(self._draft.tx, intake.stream).queue
        if queue.applied != intake.applied:
            msg = f"stream {intake.stream}: {queue.applied} facts stored, cursor at {intake.applied}"
            raise WireError(msg)
        return queue

    def _replay(self, intake: _Intake, queue: Queue) -> tuple[Queue, dict[str, Ticket], list[NoticeDue]]:
        """The queue afterwards, every ticket the facts touched, and the notices they lead to."""
        touched: dict[str, Ticket] = {}
        notices: list[NoticeDue] = []
        for part in _days(intake.facts):
            try:
                queue = replay(queue, part)
            except (KeyError, AssertionError, TypeError, ValueError) as error:
                msg = f"FactBatch: facts after {intake.applied} do not follow from those before"
                raise WireError(msg) from error
            for fact in part:
                if isinstance(fact, f.TicketFact) and fact.ticket_id in queue.tickets:
                    touched[fact.ticket_id] = queue.tickets[fact.ticket_id]
                elif isinstance(fact, f.HallConfigured) and fact.setup.hall != intake.hall.hall:
                    raise WireError("FactBatch: hall-configured for another hall")
                due = notice_for(fact, queue, self._signature)
                if due is not None:
                    notices.append(due)
        told = self._live.told(intake.stream)
        notices += nearly_due(intake.facts, queue, told, self._draft.now, self._signature)
        return queue, touched, notices

    def _write_notices(self, intake: _Intake, notices: list[NoticeDue], answered: Answered) -> None:
        rows = [notice_row(intake.hall.hall, n, self._draft.now, answered.voided) for n in notices]
        notice_store.add_notices(self._draft.tx, rows)
        self._draft.notices += len(rows)
        told = {n.ticket_id for n in notices if n.kind == "nearly"}
        new_day = any(isinstance(fact, f.BusinessDayOpened) for fact in intake.facts)
        if told or new_day:
            self._draft.after.append(lambda: self._live.tell(intake.stream, told, forget=new_day))


def _days(facts: Sequence[f.Fact]) -> Iterator[list[f.Fact]]:
    """The facts cut before each new business day: from then on the queue forgets the old day's tickets."""
    part: list[f.Fact] = []
    for fact in facts:
        if isinstance(fact, f.BusinessDayOpened) and part:
            yield part
            part = []
        part.append(fact)
    yield part


def _rating_row(intake: _Intake, fact: f.TicketRated, ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket_id": ticket.ticket_id,
        "hall": intake.hall.hall,
        "label": ticket.label,
        "service": ticket.service,
        "counter": fact.counter,
        "score": fact.score,
        "comment": "",
    }


def _fact_rows(intake: _Intake, now: datetime) -> list[dict[str, Any]]:
    common = {"agent": intake.hall.agent, "stream": intake.stream, "hall": intake.hall.hall}
    return [
        {
            **common,
            "n": n,
            "kind": fact.kind,
            "body": fact.model_dump_json(exclude_none=True),
            "recorded_at": now,
        }
        for n, fact in enumerate(intake.facts, start=intake.applied + 1)
    ]


def _ticket_row(intake: _Intake, ticket: Ticket, now: datetime, answered: Answered) -> dict[str, Any]:
    mask = answered.masks.get(ticket.ticket_id)
    if mask is None and ticket.phone_sealed is not None:
        mask = "*" * 9 + (ticket.phone_tail or "**")
    day: date = ticket.day
    return {
        "ticket_id": ticket.ticket_id,
        "hall": intake.hall.hall,
        "line": ticket.line,
        "day": day,
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
        "merged"
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
        "next_at": now,
        "not_after": due.not_after,
        "updated_at": now,
    }
