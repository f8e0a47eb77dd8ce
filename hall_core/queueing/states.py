"""Everything about states lives here: the two tables are the law, and the documentation draws them.

A row reads as a sentence: `WAITING: {TicketCalled: CALLED}` means a waiting ticket that is called
is then called. A missing entry is the refusal: nothing happens, and the clerk is told why.
"""

from enum import StrEnum

from hall_core.queueing import facts

__all__ = [
    "COUNTER_TRANSITIONS",
    "OPEN_STATES",
    "TRANSITIONS",
    "CounterState",
    "TicketState",
    "after",
    "counter_after",
]


class TicketState(StrEnum):
    """Where a ticket is in its life."""

    #: in the line of its service
    WAITING = "waiting"
    #: its number is shown; the citizen is on the way to the counter
    CALLED = "called"
    #: the citizen is at the counter
    SERVING = "serving"
    #: set aside by a clerk, may come back
    HELD = "held"
    #: was called and did not come, may come back
    NO_SHOW = "no-show"
    #: done
    FINISHED = "finished"
    #: given up or voided
    CANCELLED = "cancelled"
    #: its day ended before it was served
    LAPSED = "lapsed"


class CounterState(StrEnum):
    """What a counter does."""

    #: not in service
    CLOSED = "closed"
    #: calls tickets
    OPEN = "open"
    #: for a while calls nobody
    PAUSED = "paused"


_T = TicketState
TRANSITIONS: dict[TicketState, dict[type[facts.TicketFact], TicketState]] = {
    _T.WAITING: {
        facts.TicketCalled: _T.CALLED,
        facts.TicketPostponed: _T.WAITING,
        facts.TicketTransferred: _T.WAITING,
        facts.TicketCancelled: _T.CANCELLED,
        facts.TicketLapsed: _T.LAPSED,
    },
    _T.CALLED: {
        facts.TicketRecalled: _T.CALLED,
        facts.ServiceStarted: _T.SERVING,
        facts.TicketNoShow: _T.NO_SHOW,
        facts.TicketHeld: _T.HELD,
        facts.TicketReturned: _T.WAITING,
        facts.TicketTransferred: _T.WAITING,
        facts.TicketCancelled: _T.CANCELLED,
    },
    _T.SERVING: {
        facts.TicketFinished: _T.FINISHED,
        facts.TicketMovedOn: _T.WAITING,
        facts.TicketHeld: _T.HELD,
        facts.TicketTransferred: _T.WAITING,
        facts.TicketCancelled: _T.CANCELLED,
    },
    _T.HELD: {
        facts.TicketCalled: _T.CALLED,
        facts.TicketReturned: _T.WAITING,
        facts.TicketCancelled: _T.CANCELLED,
        facts.TicketLapsed: _T.LAPSED,
    },
    _T.NO_SHOW: {
        facts.TicketCalled: _T.CALLED,
        facts.TicketReturned: _T.WAITING,
        facts.TicketCancelled: _T.CANCELLED,
        facts.TicketLapsed: _T.LAPSED,
    },
    _T.FINISHED: {},
    _T.CANCELLED: {},
    _T.LAPSED: {},
}

_C = CounterState
COUNTER_TRANSITIONS: dict[CounterState, dict[type[facts.CounterFact], CounterState]] = {
    _C.CLOSED: {facts.CounterOpened: _C.OPEN},
    _C.OPEN: {facts.CounterPaused: _C.PAUSED, facts.CounterClosed: _C.CLOSED},
    _C.PAUSED: {facts.CounterResumed: _C.OPEN, facts.CounterClosed: _C.CLOSED},
}

#: states from which a ticket can still be served
OPEN_STATES = frozenset(state for state, row in TRANSITIONS.items() if row)


def after(state: TicketState, fact: type[facts.TicketFact]) -> TicketState | None:
    """The state a fact of this kind leads to, or None where the table forbids it."""
    return TRANSITIONS[state].get(fact)


def counter_after(state: CounterState, fact: type[facts.CounterFact]) -> CounterState | None:
    """The counter's state after a fact of this kind, or None where the table forbids it."""
    return COUNTER_TRANSITIONS[state].get(fact)
