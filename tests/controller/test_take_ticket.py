"""Numbers for people outside: one request, one number that counts."""

import asyncio
import json
import random
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from controller.use_cases.citizen import cancel, view
from controller.use_cases.take_ticket import Given, HallRefused, TicketRequest, take_ticket
from hall_core.errors import (
    BadRequest,
    HallClosed,
    HallUnreachable,
    RequestIdReused,
    UnknownHall,
    UnknownService,
)
from hall_core.queueing import commands as c
from hall_core.queueing.restate import restate
from hall_core.queueing.setup import HallSetup
from hall_core.schedule.hours import Hours
from hall_core.wire.envelope import WishBatch, decode
from tests.controller.box import Box, hall_setup

HOUSEHOLD = TicketRequest(service="household", channel="web")


@asynccontextmanager
async def answering(centre, box):
    """The hall hears its wishes and answers, for as long as the block lasts."""

    async def serve():
        while True:
            await centre.context.sender.bell.heard(30)
            await centre.talk(box)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve())
        yield
        task.cancel()


async def take(centre, key="k1", asked=HOUSEHOLD, owner="key:test", hall="haitang"):
    return await take_ticket(centre.context, hall, asked, owner=owner, key=key)


async def test_the_hall_gives_the_number(centre, box):
    await centre.meet(box)
    async with answering(centre, box):
        given = await take(centre)
    assert given == Given(
        {
            "ticket_id": box.journal[-1].ticket_id,
            "label": "A001",
            "token": "token-000001",
            "series": "hall",
            "ahead": 0,
            "range_min": None,
            "url": "http://centre.test/t/token-000001",
        },
        repeated=False,
    )
    assert centre.one("TICKETS")["label"] == "A001"


async def test_the_same_request_gets_the_same_answer_and_another_body_is_refused(centre, box):
    await centre.meet(box)
    async with answering(centre, box):
        first = await take(centre)
        again = await take(centre)
        with pytest.raises(RequestIdReused):
            await take(centre, asked=TicketRequest(service="tax", channel="web"))
        other = await take(centre, owner="key:other")
    assert (again.ticket, again.repeated) == (first.ticket, True)
    assert other.ticket["label"] == "A002"


async def test_one_key_asked_eight_times_at_once_is_one_ticket(centre, box):
    await centre.meet(box)
    async with answering(centre, box), asyncio.TaskGroup() as group:
        tasks = [group.create_task(take(centre)) for _ in range(8)]
    assert len({json.dumps(task.result().ticket) for task in tasks}) == 1
    assert len(centre.rows("TICKETS")) == 1
    assert [x.kind for x in box.journal].count("ticket-issued") == 1


async def test_a_hall_that_is_not_there_costs_no_waiting_and_the_number_says_so(centre, box):
    await centre.meet(box)
    await centre.hear(box.state("lost"))
    labels = [(await take(centre, key)).ticket["label"] for key in ("k1", "k2")]
    assert labels == ["W001", "W002"]
    assert {row["series"] for row in centre.rows("TICKETS")} == {"offline"}
    # The hall is not asked for numbers nobody was told of, only to take these in.
    assert [row["kind"] for row in centre.rows("WISHES")] == ["grant-zone", "admit-ticket", "admit-ticket"]


async def test_own_numbers_begin_anew_each_day_and_are_never_given_twice(centre, box, clock):
    await centre.meet(box)
    await centre.hear(box.state("lost"))
    first = await take(centre, "k1")
    later = centre.again()
    try:
        second = await take(later, "k2")
        clock.advance(24 * 3600)
        third = await take(later, "k3")
        labels = [x.ticket["label"] for x in (first, second, third)]
        assert labels == ["W001", "W002", "W001"]
        assert len({row["day"] for row in later.rows("TICKETS")}) == 2
    finally:
        later.close()


async def test_a_hall_that_answers_late_takes_in_the_number_that_was_shown(centre, box, impatient):
    await centre.meet(box)
    shown = await take(centre)
    assert shown.ticket["label"] == "W001"
    await centre.talk(box)  # now the hall hears the request, and then which number was given
    assert [t.label for t in box.queue.waiting.values()] == ["W001"]
    rows = {row["label"]: row for row in centre.rows("TICKETS")}
    assert (rows["W001"]["state"], rows["W001"]["series"]) == ("waiting", "offline")
    assert rows["A001"]["state"] == "cancelled"
    assert rows["A001"]["merged_into"] == rows["W001"]["ticket_id"]
    assert (await take(centre)).ticket == shown.ticket
    assert (await view(centre.context, shown.ticket["token"]))["ahead"] == 0


async def test_a_late_ticket_that_was_called_already_counts_and_the_other_is_void(centre, box, impatient):
    await centre.meet(box)
    phone = f"13{random.randrange(10**9):09d}"
    shown = await take(centre, asked=TicketRequest(service="household", channel="web", phone=phone))
    box.do(c.OpenCounter(counter="1"))
    (wishes,) = await centre.context.sender.due(centre.database)
    batch = decode(WishBatch, wishes.payload)
    box.apply(batch.model_copy(update={"wishes": batch.wishes[:1]}))
    box.call()
    box.apply(batch)  # the number that was shown comes in when the other is called already
    await centre.talk(box, box.facts())
    rows = {row["label"]: row for row in centre.rows("TICKETS")}
    assert (rows["A001"]["state"], rows["A001"]["merged_into"]) == ("called", None)
    assert (rows["W001"]["state"], rows["W001"]["merged_into"]) == ("cancelled", rows["A001"]["ticket_id"])
    assert (await view(centre.context, shown.ticket["token"]))["label"] == "A001"
    called = [row for row in centre.rows("NOTICES") if row["kind"] == "called"]
    assert [(row["ticket_id"], row["state"]) for row in called] == [(rows["A001"]["ticket_id"], "pending")]


async def test_numbers_given_while_the_hall_was_away_come_in_at_the_heal_and_are_called(centre, box, clock):
    await centre.meet(box)
    await centre.hear(box.state("lost"))
    given = [(await take(centre, f"k{n}")).ticket for n in (1, 2)]
    clock.advance(1)
    box.issue("t1")
    clock.advance(600)
    await centre.meet(box)
    box.do(c.OpenCounter(counter="1"))
    order = []
    for _ in range(3):
        box.call()
        order.append(box.queue.in_hand("1").label)
    await centre.talk(box, box.facts())
    assert order == ["W001", "A001", "W002"]
    assert (await view(centre.context, given[1]["token"]))["state"] == "called"
    assert len(centre.rows("TICKETS")) == 3


async def test_a_number_given_up_before_the_hall_took_it_in_stays_given_up(centre, box):
    await centre.meet(box)
    await centre.hear(box.state("lost"))
    token = (await take(centre)).ticket["token"]
    assert (await cancel(centre.context, token))["state"] == "cancelled"
    await centre.meet(box)
    assert (await view(centre.context, token))["state"] == "cancelled"
    assert box.queue.find("W001").state == "cancelled"


async def test_a_number_of_a_day_that_is_over_has_lapsed(centre, box, clock):
    await centre.meet(box)
    await centre.hear(box.state("lost"))
    token = (await take(centre)).ticket["token"]
    clock.advance(24 * 3600)
    box.do(c.OpenBusinessDay(day=box.now.date()))
    await centre.meet(box)
    assert (await view(centre.context, token))["state"] == "lapsed"


async def test_a_box_that_replaces_another_takes_in_the_numbers_of_the_day(centre, box, clock):
    await centre.meet(box)
    await centre.hear(box.state("lost"))
    token = (await take(centre)).ticket["token"]
    second = await centre.meet(Box(clock, life="two").open())
    assert [t.label for t in second.queue.waiting.values()] == ["W001"]
    assert (await view(centre.context, token))["ahead"] == 0


async def test_a_box_that_goes_on_from_a_stick_drops_the_number_nobody_was_shown(
    centre, box, clock, impatient
):
    await centre.meet(box)
    shown = await take(centre)
    (wishes,) = await centre.context.sender.due(centre.database)
    batch = decode(WishBatch, wishes.payload)
    box.apply(batch.model_copy(update={"wishes": batch.wishes[:1]}))
    assert [t.label for t in box.queue.waiting.values()] == ["A001"]
    second = Box(clock, life="two")  # its card died before it could say so; the stick knows
    second.keep(restate(box.queue, clock.now()))
    await centre.meet(second)
    assert [t.label for t in second.queue.waiting.values()] == [shown.ticket["label"]] == ["W001"]


async def test_a_request_cut_short_by_a_stop_is_finished_by_asking_again(centre, box, impatient):
    await centre.meet(box)
    stored = asyncio.Event()
    ring = centre.context.sender.bell.ring
    centre.context.sender.bell.ring = lambda: (stored.set(), ring())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(take(centre))
        await stored.wait()
        task.cancel()
    assert centre.one("REQUESTS")["answer"] is None
    await centre.talk(box)
    assert (await take(centre)).ticket["label"] == "A001"


async def test_a_hall_that_could_not_give_a_number_just_then_is_asked_anew_by_the_same_request(centre, box):
    await centre.meet(box)
    granted, box.queue = box.queue, replace(box.queue, grants=())  # its zone has not come yet
    async with answering(centre, box):
        refused = await take(centre)
        box.queue = replace(box.queue, grants=granted.grants)
        given = await take(centre)
        again = await take(centre)
    assert refused.slug == "no-grant"
    assert (given.ticket["label"], given.repeated) == ("A001", False)
    assert (again.ticket, again.repeated) == (given.ticket, True)
    assert [row["label"] for row in centre.rows("TICKETS")] == ["A001"]


async def test_asked_anew_eight_times_at_once_it_is_one_ticket(centre, box):
    await centre.meet(box)
    granted, box.queue = box.queue, replace(box.queue, grants=())
    async with answering(centre, box):
        await take(centre)
        box.queue = replace(box.queue, grants=granted.grants)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(take(centre)) for _ in range(8)]
    assert len({json.dumps(task.result().ticket) for task in tasks}) == 1
    assert [x.kind for x in box.journal].count("ticket-issued") == 1


async def test_asked_anew_while_the_hall_is_away_it_is_a_number_of_the_controllers_own(centre, box):
    await centre.meet(box)
    box.queue = replace(box.queue, grants=())
    async with answering(centre, box):
        assert isinstance(await take(centre), HallRefused)
        await centre.hear(box.state("lost"))
        assert (await take(centre)).ticket["label"] == "W001"


async def test_the_halls_refusal_is_the_answer_to_this_request_for_good(centre, box):
    await centre.meet(box)
    closed = box.queue.setup.model_copy(update={"hours": Hours(mon=())})
    async with answering(centre, box):
        box.do(c.ConfigureHall(setup=closed))  # the controller has not heard of it yet
        answers = [await take(centre), await take(centre)]
    assert answers[0] == answers[1] == HallRefused("hall-closed", HallClosed().sentence("zh"))


async def test_what_is_known_to_be_impossible_is_refused_at_once(centre, box, clock):
    with pytest.raises(UnknownHall):
        await take(centre, hall="nowhere")
    with pytest.raises(HallUnreachable):
        await take(centre)
    await centre.meet(box)
    with pytest.raises(UnknownService):
        await take(centre, asked=TicketRequest(service="none", channel="web"))
    with pytest.raises(BadRequest):
        await take(centre, asked=TicketRequest(service="tax", channel="web", priority="rich"))
    office: HallSetup = hall_setup().model_copy(update={"hours": Hours()})
    box.do(c.ConfigureHall(setup=office))
    await centre.talk(box, box.facts())
    clock.advance(12 * 3600)
    with pytest.raises(HallClosed):
        await take(centre)
    assert centre.rows("REQUESTS") == []


async def test_a_phone_goes_sealed_to_the_hall_and_comes_back_masked(centre, box):
    await centre.meet(box)
    phone = f"13{random.randrange(10**9):09d}"
    async with answering(centre, box):
        await take(centre, asked=TicketRequest(service="household", channel="web", phone=phone))
    ticket = centre.one("TICKETS")
    assert ticket["phone_masked"] == f"{phone[:3]}****{phone[-4:]}"
    assert centre.context.phones.unseal(ticket["phone_sealed"], ticket["ticket_id"]) == f"+86{phone}"
    assert box.journal[-1].phone_tail == phone[-2:]
