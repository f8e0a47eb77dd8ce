"""The product broken on purpose, inside a simulated world only: each must be caught within a few seeds.

What is not caught is not tested. None of this exists outside this file.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from controller.store import tables
from controller.store import wishes as wish_store
from controller.use_cases import apply_facts, births, granting, send_notices, take_ticket
from edge_agent import box_care
from edge_agent import hall as agent_hall
from edge_agent import journal as agent_journal
from edge_agent import uplink as agent_uplink
from hall_core.errors import NoGrant, StreamGap
from hall_core.queueing import commands as c
from hall_core.queueing import decide, decide_tickets, numbering
from hall_core.queueing import facts as f
from hall_core.queueing.numbering import label_of
from hall_core.wire.stream import Sender, fresh

LEASE = timedelta(seconds=20)


class Patches:
    """What was replaced, so that it can be put back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def put(self, place: Any, name: str, value: Any) -> Any:
        """Replace a name of a module or class, or an entry of a dict; gives what was there."""
        if isinstance(place, dict):
            before = place[name]
            place[name] = value
            self._undo.append(lambda: place.__setitem__(name, before))
        else:
            before = getattr(place, name)
            setattr(place, name, value)
            self._undo.append(lambda: setattr(place, name, before))
        return before

    def undo(self) -> None:
        for undo in reversed(self._undo):
            undo()


@dataclass(frozen=True, slots=True)
class Mutant:
    """One way to be wrong. It is caught when one of the promises in `breaks` is seen broken."""

    about: str
    breaks: frozenset[str]
    apply: Callable[[Patches], None]

    @contextmanager
    def applied(self) -> Iterator[None]:
        patches = Patches()
        try:
            self.apply(patches)
            yield
        finally:
            patches.undo()


MUTANTS: dict[str, Mutant] = {}


def mutant(about: str, *breaks: str) -> Callable[[Callable[[Patches], None]], Callable[[Patches], None]]:
    """Name a mutant after its function."""

    def keep(apply: Callable[[Patches], None]) -> Callable[[Patches], None]:
        MUTANTS[apply.__name__.replace("_", "-")] = Mutant(about, frozenset(breaks), apply)
        return apply

    return keep


def _own_only(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda grants, incarnation, today: real(
        [g for g in grants if g["incarnation"] == incarnation], incarnation, today
    )


@mutant("a new box gets the zone of the dead one", "I1", "I8")
def zone_of_the_dead_box_is_reclaimed(p: Patches) -> None:
    p.put(granting, "missing_zones", _own_only(granting.missing_zones))


@mutant("a new box goes on after the last number the controller knows", "I1", "I8")
def resumes_from_the_last_synced_number(p: Patches) -> None:
    known: dict[str, dict[tuple[str, Any], int]] = {}
    p.put(granting, "missing_zones", _own_only(granting.missing_zones))

    def move_in(draft: Any, hall: Any, birth: Any) -> None:
        t = tables.TICKETS.c
        query = select(t.line, t.day, func.max(t.number)).where(t.series == "hall").group_by(t.line, t.day)
        known.setdefault(birth.incarnation, {(x[0], x[1]): x[2] for x in draft.tx.execute(query)})
        real_move_in(draft, hall, birth)

    def number(queue: Any, *, line: str, day: Any, incarnation: str) -> int:
        real = real_number(queue, line=line, day=day, incarnation=incarnation)
        return max(real, known.get(incarnation, {}).get((line, day), 0) + 1)

    real_move_in = p.put(births, "_move_in", move_in)
    real_number = p.put(decide_tickets, "next_number", number)


@mutant("the hall may issue until its lease ends by its clock; then the controller does", "I1")
def a_lease_ends_by_the_clock(p: Patches) -> None:
    heard: dict[str, datetime] = {}

    def acknowledged(self: Any, ack: Any) -> None:
        real_acknowledged(self, ack)
        heard[ack.stream] = self._hall.now()

    def issue(case: Any, x: Any) -> list[f.Fact]:
        if case.now - heard.get(case.around.incarnation, case.now) > LEASE:
            raise NoGrant(line="*", day=str(case.queue.day))
        return real_issue(case, x)

    def offline(context: Any, draft: Any, hall: Any, row: Any) -> dict[str, Any]:
        if hall.last_seen is None or draft.now - hall.last_seen <= 2 * LEASE:
            return real_offline(context, draft, hall, row)
        asked = c.IssueTicket.model_validate_json(row["wish"])
        service = context.live.queue_of(hall).setup.service(asked.service)
        t = tables.TICKETS.c
        day = context.live.queue_of(hall).day
        highest = select(func.max(t.number)).where(t.line == service.prefix, t.day == day)
        number = (draft.tx.execute(highest).scalar() or 0) + 1
        undo = Patches()
        undo.put(take_ticket, "OFFLINE_LINE", service.prefix)
        undo.put(take_ticket, "label_of", lambda line, _: label_of(line, number))
        undo.put(take_ticket.ticket_store, "next_offline_number", lambda *_: number)
        try:
            return real_offline(context, draft, hall, row)
        finally:
            undo.undo()

    real_acknowledged = p.put(agent_uplink.Uplink, "_acknowledged", acknowledged)
    real_issue = p.put(decide._DECIDE, c.IssueTicket, issue)
    real_offline = p.put(take_ticket, "_issue_offline", offline)


class _WallTime:
    """What the wall says, wherever it was put."""

    ahead = timedelta(0)

    def __init__(self, clock: Any, last: datetime | None) -> None:
        self.now, self.trusted = clock.now, clock.trusted

    def written(self, at: datetime) -> None:
        """It does not matter what was written."""


@mutant("numbers begin anew whenever the clock shows another day", "I1", "I6")
def the_day_is_what_the_clock_shows(p: Patches) -> None:
    def open_day(case: Any, x: Any) -> list[f.Fact]:
        if x.day == case.queue.day:
            return []
        return [f.BusinessDayOpened(**case.common, day=x.day, trusted=x.trusted)]

    p.put(agent_hall, "SteadyTime", _WallTime)
    p.put(agent_hall, "business_day", lambda stored, clock_day, **_: clock_day)
    p.put(decide._DECIDE, c.OpenBusinessDay, open_day)


@mutant("a number is given out before it is flushed to the card", "durable")
def acknowledged_before_the_flush(p: Patches) -> None:
    def connect(*args: Any) -> Any:
        writer = real(*args)
        writer.execute("PRAGMA synchronous=NORMAL")
        return writer

    real = p.put(agent_journal, "open_writer", connect)


@mutant("the same request again is a new one", "I2")
def no_request_ids(p: Patches) -> None:
    p.put(decide, "known", lambda queue, command: False)


@mutant("a request that was answered twice keeps both numbers", "I3")
def no_merge_rule(p: Patches) -> None:
    real = decide._DECIDE[c.AdmitTicket]
    p.put(decide._DECIDE, c.AdmitTicket, lambda case, x: real(case, x.model_copy(update={"replaces": None})))


@mutant("entries after a gap are applied", "I5", "I13", "I11")
def no_stream_order(p: Patches) -> None:
    def eager(applied: int, first: int, entries: Any) -> Any:
        try:
            return fresh(applied, first, entries)
        except StreamGap:
            return entries

    p.put(apply_facts, "fresh", eager)
    p.put(agent_uplink, "fresh", eager)


@mutant("entries that were applied before are applied again", "I5", "I13", "I11")
def no_dedup(p: Patches) -> None:
    def again(applied: int, first: int, entries: Any) -> Any:
        fresh(applied, first, entries)
        return entries

    p.put(apply_facts, "fresh", again)


@mutant(
    "a grant is for whoever reads it, and a new box is told what the old one has not confirmed", "I1", "I8"
)
def grants_without_an_address(p: Patches) -> None:
    def granted(grant: Any, *, line: str, day: Any, incarnation: str) -> bool:
        return real(replace(grant, incarnation=incarnation), line=line, day=day, incarnation=incarnation)

    def join(draft: Any, hall: Any, birth: Any, new_id: Any) -> tuple[str, int]:
        w, g = tables.WISH_STREAMS.c, tables.WISHES.c
        newest = (
            select(w.stream, w.incarnation, w.acked).where(w.agent == hall.agent).order_by(w.opened_at.desc())
        )
        before = draft.tx.execute(newest.limit(1)).first()
        joined = real_join(draft, hall, birth, new_id)
        if before is not None and before[1] != birth.incarnation:
            pending = (g.stream == before[0]) & (g.n > before[2]) & (g.kind == "grant-zone")
            rows = draft.tx.execute(select(g.request_id, g.kind, g.body).where(pending)).mappings()
            wish_store.add_wishes(draft.tx, joined[0], [dict(row) for row in rows], draft.now)
        return joined

    real = p.put(numbering, "_granted", granted)
    real_join = p.put(births, "join_stream", join)


@mutant("what the broker has taken counts as delivered", "I4", "I5", "I11", "I13")
def the_broker_is_trusted(p: Patches) -> None:
    def pack(self: Any, batch: Any) -> bytes:
        self._sender.acked = max(self._sender.acked, batch[-1].n)
        return real(self, batch)

    real = p.put(agent_uplink.Uplink, "_pack", pack)
    p.put(Sender, "resend", lambda self, applied=None: None)


@mutant("a new box does not read the stick of the dead one", "I4")
def no_second_copy(p: Patches) -> None:
    p.put(box_care, "read_mirror", lambda *_: None)


@mutant("a message nobody knows the fate of is sent again", "notices")
def blind_retries_of_messages(p: Patches) -> None:
    async def again(self: Any, job: Any) -> None:
        if job.notice["state"] == "unknown":
            await self._end(job.notice, "pending", "again", was=("unknown",))
        else:
            await real(self, job)

    real = p.put(send_notices.NoticeSender, "_ask", again)
