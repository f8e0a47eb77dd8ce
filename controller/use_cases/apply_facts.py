"""Facts into the database, all in the transaction that moves the stream's cursor."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.store import facts as fact_store
from controller.store import notices as notice_store
from controller.store import tickets as ticket_store
from controller.use_cases.appointment_facts import settle_appointments
from controller.use_cases.credit_return import give_back_uncalled
from controller.use_cases.draft import Draft
from controller.use_cases.following import follow
from controller.use_cases.granting import adopt_grant
from controller.use_cases.live import LiveHall, LiveHalls, freeze, rebuild
from controller.use_cases.merging import Answered, settle, settle_refusals
from controller.use_cases.new_rows import notice_row, ticket_row
from controller.use_cases.notices_due import NoticeDue, nearly_due, notice_for
from controller.use_cases.rating_rules import RatingRules
from controller.use_cases.ratings import RatingDesk
from controller.use_cases.waits import note_waits
from controller.use_cases.wishing import REQUEST_PREFIX
from hall_core.errors import StreamGap, WireError
from hall_core.queueing import facts as f
from hall_core.queueing.notices import reminder_no
from hall_core.queueing.numbering import OFFLINE_LINE
from hall_core.queueing.queue import Queue, Ticket
from hall_core.wire.envelope import FactBatch
from hall_core.wire.stream import fresh

__all__ = ["FactIntake"]

#: a snapshot is taken after so many facts: a start replays no more than these
SNAPSHOT_EVERY = 5_000
#: how a notice ends that a hall took on and could not send
_NOT_SENT = ("rejected", "expired", "unreachable")
#: a new day's queue is small: then a snapshot is cheap, and taken after so many facts already
SNAPSHOT_AT_DAY = 200


@dataclass(slots=True)
class _Intake:
    """The new facts of one stream; `is_present` is False for what a box still tells that was replaced."""

    hall: LiveHall
    stream: str
    applied: int
    is_present: bool
    facts: list[f.Fact] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.applied + len(self.facts)


class FactIntake:
    """Collects the fact messages of one transaction, then applies each stream's in one go."""

    def __init__(
        self, draft: Draft, live: LiveHalls, signature: str, rules: RatingRules | None = None
    ) -> None:
        self._draft, self._live, self._signature = draft, live, signature
        self._ratings = RatingDesk(live, signature, rules or RatingRules())
        self._streams: dict[str, _Intake] = {}

    def open(self, streams: Sequence[str]) -> None:
        """Lock the cursors of these streams."""
        for name, row in fact_store.cursors(self._draft.tx, streams).items():
            hall = self._live.by_agent(row["agent"])
            if hall is not None and hall.hall == row["hall"]:
                is_present = self._draft.box(hall) in (None, row["incarnation"])
                self._streams[name] = _Intake(hall, name, int(row["applied"]), is_present)

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
        note_waits(draft, intake.hall.hall, intake.stream, intake.applied + 1, intake.facts, queue, touched)
        answers = {x.request_id: x for x in intake.facts if (x.request_id or "").startswith(REQUEST_PREFIX)}
        asked = {request_id: x for request_id, x in answers.items() if request_id is not None}
        answered = settle(draft, asked, queue)
        # A number of the controller's own, and whoever the present box has taken over, goes with the hall,
        # not with a box that was replaced.
        present = draft.queues.get(intake.hall.stream or "") or self._live.queue_of(intake.hall)
        told = [
            t
            for t in touched.values()
            if intake.is_present or (t.line != OFFLINE_LINE and t.ticket_id not in present.tickets)
        ]
        masks = answered.masks
        rows = [ticket_row(intake.hall.hall, t, draft.now, masks.get(t.ticket_id)) for t in told]
        ticket_store.upsert_tickets(tx, rows)
        for voided, shown in answered.voided.items():
            ticket_store.change_ticket(tx, voided, merged_into=shown)
        give_back_uncalled(tx, told)
        if intake.is_present:
            settle_refusals(draft, asked)
        settle_appointments(draft, intake.hall, intake.facts)
        self._ratings.settle(draft, intake.hall.hall, intake.facts)
        self._write_notices(intake, notices, answered)
        for fact in intake.facts:
            if isinstance(fact, f.ZoneGranted):
                adopt_grant(draft, intake.hall, fact)
            elif isinstance(fact, f.NoticeByHall) and fact.outcome in _NOT_SENT:
                # Nobody was told. It is not sent from here either: it would come too late, or twice.
                mark = (fact.ticket_id, fact.notice, fact.call_no)
                notice_store.change_suppressed(tx, *mark, reason=f"hall-{fact.outcome}", updated_at=draft.now)
        self._set_aside(intake)
        self._snapshot(intake, queue)
        draft.queues[intake.stream] = queue
        draft.answers |= asked
        draft.halls.add(intake.hall.hall)
        draft.facts += len(intake.facts)

    def _set_aside(self, intake: _Intake) -> None:
        """Facts that could not be applied are an alarm, and never in the way of those after them."""
        every: Sequence[f.FactBase] = intake.facts
        aside = [x for x in every if isinstance(x, f.FactUnreadable)]
        if aside:
            kinds = "、".join(sorted({x.was for x in aside}))
            zh = f"大厅的 {len(aside)} 条记录无法采用（{kinds}），已另存；盒子与中心的版本可能不一致"
            en = f"{len(aside)} facts could not be applied ({kinds}) and were set aside: {aside[0].reason}"
            self._draft.raise_alarm("fact-unreadable", intake.hall.hall, intake.stream, zh, en)

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
        followed: list[f.Fact] = []
        for part in _days(intake.facts):
            queue, part = follow(queue, part, intake.hall.hall, self._draft.now)  # noqa: PLW2901
            followed += part
            for fact in part:
                if isinstance(fact, f.TicketFact) and fact.ticket_id in queue.tickets:
                    touched[fact.ticket_id] = queue.tickets[fact.ticket_id]
                due = notice_for(fact, queue, self._signature)
                if due is not None:
                    notices.append(due)
        intake.facts = followed
        told = self._live.told(intake.stream)
        notices += nearly_due(intake.facts, queue, told, self._draft.now, self._signature)
        return queue, touched, notices

    def _write_notices(self, intake: _Intake, notices: list[NoticeDue], answered: Answered) -> None:
        rows = [notice_row(intake.hall.hall, n, self._draft.now, answered.voided) for n in notices]
        notice_store.add_notices(self._draft.tx, rows)
        last = {fact.appointment_id: fact for fact in intake.facts if isinstance(fact, f.AppointmentFact)}
        for name, fact in last.items():
            kept = reminder_no(fact) if isinstance(fact, f.AppointmentBooked) else None
            notice_store.withdraw(self._draft.tx, name, "reminder", kept, self._draft.now)
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


def _fact_rows(intake: _Intake, now: datetime) -> list[dict[str, Any]]:
    common = {"agent": intake.hall.agent, "stream": intake.stream, "hall": intake.hall.hall}
    return [
        {
            **common,
            "n": n,
            **_as_sent(fact),
            "recorded_at": now,
        }
        for n, fact in enumerate(intake.facts, start=intake.applied + 1)
    ]


def _as_sent(fact: f.FactBase) -> dict[str, str]:
    if isinstance(fact, f.FactUnreadable):
        return {"kind": fact.was, "body": fact.raw}
    return {"kind": str(getattr(fact, "kind", "")), "body": fact.model_dump_json(exclude_none=True)}
