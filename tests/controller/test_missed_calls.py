"""On the telephone after a call: "I am on my way" and "I am here", once after three others."""

import pytest

from controller.use_cases.citizen import check_in, later, view
from hall_core.errors import HallUnreachable, IllegalTransition
from hall_core.queueing import commands as c
from hall_core.queueing.ordering import line_for
from tests.controller.test_take_ticket import answering
from tests.controller.web import web_of


async def called(centre, box, clock, waiting=4):
    """Somebody is called while others wait; their link."""
    await centre.meet(box)
    box.do(c.OpenCounter(counter="3"))
    for n in range(waiting + 1):
        box.issue(f"t{n}")
        clock.advance(1)
    box.call("3")
    await centre.talk(box)
    return next(row["token"] for row in centre.rows("TICKETS") if row["ticket_id"] == "t0")


def line(box):
    return [ticket.ticket_id for ticket in line_for(box.queue, "3", box.now)]


async def test_who_is_on_the_way_gives_the_counter_free_and_stands_after_three(centre, box, clock):
    token = await called(centre, box, clock)
    async with answering(centre, box):
        seen = await later(centre.context, token)
    assert (seen["state"], seen["rescued"], seen["ahead"]) == ("waiting", True, 3)
    assert line(box) == ["t1", "t2", "t3", "t0", "t4"]
    assert box.queue.in_hand("3") is None


async def test_it_is_given_once_and_only_to_who_is_called(centre, box, clock):
    token = await called(centre, box, clock, waiting=0)
    async with answering(centre, box):
        await later(centre.context, token)
        with pytest.raises(IllegalTransition):
            await later(centre.context, token)
        box.call("3")
        await centre.talk(box)
        with pytest.raises(IllegalTransition):
            await later(centre.context, token)
    assert (await view(centre.context, token))["state"] == "called"


async def test_here_after_a_missed_call_means_after_three_then_at_the_end(centre, box, clock):
    token = await called(centre, box, clock)
    box.do(c.NoShow(counter="3"))
    await centre.talk(box)
    async with answering(centre, box):
        assert (await check_in(centre.context, token))["ahead"] == 3
        for _ in range(4):
            box.do(c.CallNext(counter="3", finish_current=True))
            clock.advance(1)
        assert box.queue.in_hand("3").ticket_id == "t0"
        box.do(c.NoShow(counter="3"))
        box.issue("t9")
        clock.advance(1)
        await centre.talk(box)
        await check_in(centre.context, token)
    assert line(box)[-1] == "t0"


async def test_a_hall_that_is_away_is_said_to_be(centre, box, clock):
    token = await called(centre, box, clock)
    await centre.hear(box.state("lost"))
    with pytest.raises(HallUnreachable):
        await later(centre.context, token)


async def test_the_api_and_the_page_have_it(centre, box, clock):
    token = await called(centre, box, clock)
    async with web_of(centre) as web, answering(centre, box):
        page = (await web.client.get(f"/t/{token}")).text
        assert "我在路上" in page
        answer = await web.client.post(f"/api/t/{token}/later")
        assert (answer.status_code, answer.json()["rescued"]) == (200, True)
        again = await web.client.post(f"/api/t/{token}/later")
        assert (again.status_code, again.json()["type"]) == (409, "illegal-transition")
