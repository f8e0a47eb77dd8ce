"""Pure: a key of a silent caller or an evaluator -> the wishes at its counter."""

from collections.abc import Callable, Sequence

from hall_core.devices.vocabulary import Evaluated, KeyOp, KeyPressed
from hall_core.queueing import commands as c
from hall_core.queueing.queue import Queue
from hall_core.queueing.states import CounterState

__all__ = ["command_for"]


def command_for(
    key: KeyPressed | Evaluated, counter: str, queue: Queue, new_id: Callable[[], str]
) -> Sequence[c.Command]:
    """The commands a key stands for, in order; none for keys that mean nothing here.

    A key-pad has no key to open its counter: the first "next" of the day opens it.
    """
    common = {"counter": counter, "request_id": new_id()}
    if isinstance(key, Evaluated):
        return (c.RateVisit(**common, score=key.score),)
    state = queue.counters[counter].state if counter in queue.counters else CounterState.CLOSED
    if key.op is KeyOp.NEXT:
        call: c.Command = c.CallNext(**common, finish_current=True)
        if state is CounterState.OPEN:
            return (call,)
        begin = c.OpenCounter if state is CounterState.CLOSED else c.ResumeCounter
        return (begin(counter=counter, request_id=new_id()), call)
    if key.op is KeyOp.PAUSE:
        paused = state is CounterState.PAUSED
        return (c.ResumeCounter(**common),) if paused else (c.PauseCounter(**common),)
    if key.op is KeyOp.TRANSFER:
        return (c.Transfer(**common, to_counter=key.digits or None),)
    if key.op is KeyOp.RETURN:
        return (c.Return(**common, ticket=_label(key.digits, queue)),)
    if key.op is KeyOp.CANCEL:
        return (c.CancelTicket(**common),)
    simple: dict[KeyOp, type[c.Recall | c.NoShow | c.Hold]] = {
        KeyOp.RECALL: c.Recall,
        KeyOp.NO_SHOW: c.NoShow,
        KeyOp.HOLD: c.Hold,
    }
    kind = simple.get(key.op)
    return (kind(**common),) if kind else ()


def _label(digits: str, queue: Queue) -> str | None:
    """The label a clerk means by its digits alone: the one ticket of the day that ends so."""
    if not digits:
        return None
    number = int(digits)
    found = [label for label, i in queue.labels.items() if queue.tickets[i].number == number]
    return found[0] if len(found) == 1 else digits
