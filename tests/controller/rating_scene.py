"""Visits that end and are rated, at a controller of the test's own."""

import random

from controller.use_cases.rating_cases import CaseKeeper
from hall_core.queueing import commands as c
from hall_core.queueing.states import CounterState

BAD = 1


def a_phone() -> str:
    return f"13{random.randrange(10**9):09d}"


async def visited(centre, box, *names, counter="1", phone=None):
    """Everybody was served at the counter, one after the other."""
    if box.wish_stream is None:
        await centre.meet(box)
    if box.queue.counters[counter].state is CounterState.CLOSED:
        box.do(c.OpenCounter(counter=counter))
    for name in names:
        more = (
            {"phone_sealed": centre.context.phones.seal(phone, name), "phone_tail": phone[-2:]}
            if phone
            else {}
        )
        box.issue(name, **more)
        box.do(c.Call(counter=counter, ticket=name))
        box.do(c.Start(counter=counter))
        box.do(c.Finish(counter=counter))
    await centre.talk(box, box.facts())


async def rated(centre, box, name, score=BAD, *reasons, counter="1"):
    """One visit that is rated at the evaluator right after it."""
    await visited(centre, box, name, counter=counter)
    box.do(c.RateVisit(counter=counter, score=score, reasons=reasons))
    await centre.talk(box, box.facts())


async def overdue(centre):
    await CaseKeeper(centre.context).look()


def alarms(centre, *, open_only=True):
    return [
        (row["kind"], row["hall"], row["subject"])
        for row in centre.rows("ALARMS")
        if row["closed_at"] is None or not open_only
    ]
