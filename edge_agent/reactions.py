"""Pure: the queue -> what every device at a counter should show; a fact -> what is printed once."""

from datetime import datetime, timedelta

from hall_core.devices.layout import ScreenSetup
from hall_core.devices.vocabulary import (
    BoardPicture,
    BoardRow,
    CounterMode,
    CounterPicture,
    PrintTicket,
    ScreenPicture,
)
from hall_core.queueing.facts import TicketIssued
from hall_core.queueing.opening import hall_open
from hall_core.queueing.ordering import line_for
from hall_core.queueing.queue import Counter, Queue
from hall_core.queueing.states import CounterState, TicketState

__all__ = ["board_picture", "counter_picture", "lock_picture", "screen_picture", "slip", "touched"]

#: a call older than this is shown steady: it is still true, but it is no news
FRESH = timedelta(seconds=30)
#: so long after the end of a visit its citizen is asked how it was
ASKED = timedelta(seconds=90)
#: how many calls a large screen keeps
BOARD_ROWS = 8


def counter_picture(
    queue: Queue, counter_id: str, now: datetime, *, waiting: bool = False, rating: bool = False
) -> CounterPicture:
    """What everything at this counter should show now.

    `waiting` counts the line too (key-pads); `rating` names the visit that is to be rated (evaluators).
    """
    counter = queue.counters[counter_id]
    setup = queue.setup.counter(counter_id) if queue.setup else None
    name = setup.name if setup else counter_id
    ticket = queue.in_hand(counter_id)
    label, call_no, since = None, 0, None
    if ticket is not None:
        # A call that nobody answered is shown anew: it blinks again.
        label, call_no, since = ticket.label, ticket.call_no, ticket.again_at or ticket.called_at
        fresh = ticket.state is TicketState.CALLED and since is not None and now - since < FRESH
        mode = CounterMode.CALLED if fresh else CounterMode.SERVING
        serving = ticket.state is TicketState.SERVING
        text = f"{label} 办理中" if serving else f"请{label}号到{name}"
    elif counter.state is CounterState.PAUSED:
        mode, text = CounterMode.PAUSED, counter.reason or "暂停服务"
    elif counter.state is CounterState.CLOSED:
        mode, text = CounterMode.CLOSED, ""
    else:
        mode, text = CounterMode.FREE, name
    return CounterPicture(
        counter=counter_id,
        name=name,
        mode=mode,
        label=label,
        call_no=call_no,
        waiting=len(line_for(queue, counter_id, now)) if waiting else 0,
        ended=_ended(queue, counter, now) if rating else None,
        text=text,
        shown_since=since,
    )


def _ended(queue: Queue, counter: Counter, now: datetime) -> str | None:
    """The visit whose citizen is just leaving, not rated yet."""
    last, in_hand = queue.tickets.get(counter.last_id or ""), queue.in_hand(counter.counter)
    if last is None or last.ended_at is None or last.rating is not None or now - last.ended_at >= ASKED:
        return None
    here = in_hand is not None and in_hand.state is TicketState.SERVING
    return None if here else f"{last.label}-{last.call_no}"


def board_picture(queue: Queue, now: datetime) -> BoardPicture:
    """What a large screen of the hall should show: calls that are still true, newest first."""
    assert queue.setup is not None
    names = {c.id: c.name for c in queue.setup.counters}
    rows = tuple(
        BoardRow(label=c.label, counter=names.get(c.counter, c.counter), fresh=now - c.at < FRESH)
        for c in queue.calls
        if c.ticket_id in queue.tickets
    )
    return BoardPicture(hall=queue.setup.name, rows=rows[:BOARD_ROWS], notice=queue.setup.notice)


def screen_picture(queue: Queue, wanted: ScreenSetup, now: datetime) -> ScreenPicture:
    """How a display should stand: on around opening hours, off otherwise."""
    assert queue.setup is not None
    times = (now + timedelta(minutes=wanted.lead_min), now, now - timedelta(minutes=wanted.tail_min))
    on = any(hall_open(queue, t) for t in times)
    return ScreenPicture(
        on=on,
        input=wanted.input if on else None,
        volume=wanted.volume if on else None,
        brightness=wanted.brightness if on else None,
    )


def lock_picture(wanted: ScreenSetup, now: datetime) -> ScreenPicture:
    """How a terminal with service hours of its own should stand: locked outside them, never without any."""
    return ScreenPicture(on=wanted.hours is None or wanted.hours.open_at(now))


def touched(before: Queue, after: Queue) -> set[str]:
    """Counters whose devices may have to show something else."""
    if before.setup is not after.setup:
        return set(after.counters)
    return {
        c
        for c, counter in after.counters.items()
        if before.counters.get(c) is not counter
        or (
            counter.ticket_id is not None
            and before.tickets.get(counter.ticket_id) is not after.tickets.get(counter.ticket_id)
        )
    }


def slip(queue: Queue, fact: TicketIssued, url: str) -> PrintTicket:
    """The paper for a ticket taken in the hall."""
    assert queue.setup is not None
    names = {service.id: service.name for service in queue.setup.services}
    then = "、".join(names.get(service, service) for service in fact.visits)
    low_high = fact.range_min
    wait = f"约 {low_high[0]}–{low_high[1]} 分钟" if low_high else "等候时间请看大屏"
    return PrintTicket(
        job_id=fact.ticket_id,
        hall=queue.setup.name,
        label=fact.label,
        service=names.get(fact.service, fact.service),
        ahead=fact.ahead,
        range_text=f"{wait}，办完接着办：{then}" if then else wait,
        issued_at=fact.at,
        url=url,
        hint="过号请到咨询台恢复排队",
    )
