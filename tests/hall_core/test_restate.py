"""A queue that is told again begins where the lost one stood."""

import pytest

from hall_core.queueing import commands as c
from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import Fact
from hall_core.queueing.queue import Queue
from hall_core.queueing.restate import restate
from hall_core.queueing.states import TicketState
from tests.hall_core.hall_scene import Box

IN_HAND = (TicketState.CALLED, TicketState.SERVING)


def most_in_hand(facts: list[Fact], counter: str) -> int:
    """How many tickets this counter had in hand at once."""
    queue, most = Queue(), 0
    for fact in facts:
        queue = replay(queue, [fact])
        most = max(
            most, sum(1 for t in queue.tickets.values() if t.counter == counter and t.state in IN_HAND)
        )
    return most


@pytest.mark.parametrize("away", [c.NoShow, c.Hold])
def test_who_left_the_counter_before_giving_up_is_not_told_as_still_there(away) -> None:
    box = Box.opened()
    box.open("1")
    gone, here = box.issue(), box.issue()
    box.call_next()
    box.wish(away(counter="1", request_id="away", fingerprint="x"))
    box.wait(1)
    box.call_next()
    box.wait(1)
    box.wish(c.CancelTicket(ticket=gone.ticket_id, reason="取消"))

    told = restate(box.queue, box.now)

    again = replay(Queue(), told)
    assert again.tickets[gone.ticket_id].state is TicketState.CANCELLED
    assert again.tickets[here.ticket_id].state is TicketState.CALLED
    assert most_in_hand(told, "1") == 1
